"""Compares one map with many at once: the same three likenesses as `agreement`, for chance has to be drawn hundreds of times a pair."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from explainers.measures.agreement import TOPS, UNION, Grid, top_cells

Values = NDArray[np.float32]
Members = NDArray[np.int16]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Stack:
    """n positive maps of C cells, each summing to 1, with everything that comparing needs of one map alone.

    The maps stand side by side, one a column, because running counts down columns are five times as fast.
    shares: (C, n). tops: (q, C, n) how far each cell belongs to the strongest 5, 10, 20 %; sizes: (q, n) their sums.
    wide: (C, n) the strongest 30 %. order: (C, n) the cells from weakest to strongest. below, upto: (C, n) for each cell how many are
    weaker, and how many no stronger.
    """

    shares: Values
    tops: Values
    sizes: Values
    wide: Members
    order: Places
    below: Places
    upto: Places

    @classmethod
    def of(cls, maps: Sequence[Grid]) -> "Stack":
        """maps: n of shape (G, G), n at least 1."""
        flat = np.stack([np.asarray(each, np.float64).ravel() for each in maps])
        tops = np.stack([[top_cells(each, portion) for each in flat] for portion in TOPS])
        wide = np.stack([top_cells(each, UNION) > 0 for each in flat])
        order = np.argsort(flat, axis=1, kind="stable")
        sides = [[np.searchsorted(row[sorter], row, side) for row, sorter in zip(flat, order, strict=True)] for side in ("left", "right")]
        places = [np.ascontiguousarray(np.array(each, np.intp).T) for each in (order, *sides)]
        columns = np.ascontiguousarray(tops.transpose(0, 2, 1), np.float32)
        shares, members = np.ascontiguousarray(flat.T, np.float32), np.ascontiguousarray(wide.T, np.int16)
        return cls(shares, columns, columns.sum(1), members, *places)

    def __len__(self) -> int:
        return int(self.shares.shape[1])

    def map(self, number: int) -> "Stack":
        """The stack of that map alone."""
        one = (..., slice(number, number + 1))
        return Stack(*(np.ascontiguousarray(getattr(self, field.name)[one]) for field in fields(self)))


def headlines(one: Stack, many: Stack) -> NDArray[np.float64]:
    """(n,): the headline agreement of a stack of one map with each map of another stack."""
    mass = np.minimum(one.shares, many.shares).sum(0)
    return np.asarray((_overlaps(one, many) + mass + _rank_correlations(one, many)) / 3, np.float64)


def _overlaps(one: Stack, many: Stack) -> Values:
    """(n,) mean over the tops of intersection over union, by |A or B| = |A| + |B| - |A and B|."""
    both = np.minimum(one.tops, many.tops).sum(1)
    return np.asarray((both / (one.sizes + many.sizes - both)).mean(0))


def _rank_correlations(one: Stack, many: Stack) -> Values:
    """(n,) Spearman over the union of both maps' wide tops; 0 where one of them is constant there.

    A cell's mean rank within the union is half of (members weaker + members no stronger + 1), read off running counts of members.
    """
    union = one.wide | many.wide
    members = union.sum(0, dtype=np.int16)
    counted = _counts(union.take(one.order[:, 0], axis=0))
    first = _centred(counted.take(one.below[:, 0], axis=0) + counted.take(one.upto[:, 0], axis=0), members, union)
    columns = np.arange(len(many))
    counted = _counts(union.ravel().take(many.order * len(many) + columns)).ravel()
    ranks = counted.take(many.below * len(many) + columns) + counted.take(many.upto * len(many) + columns)
    second = _centred(ranks, members, union)
    covariance, a, b = ((x * y).sum(0, dtype=np.float32) for x, y in ((first, second), (first, first), (second, second)))
    scale = np.sqrt(a) * np.sqrt(b)
    return np.asarray(np.divide(covariance, scale, out=np.zeros(len(many), np.float32), where=scale > 0))


def _counts(members: Members) -> Members:
    """(C + 1, n): how many of the first 0..C cells are members."""
    counted = np.zeros((len(members) + 1, members.shape[1]), np.int16)
    np.cumsum(members, axis=0, dtype=np.int16, out=counted[1:])
    return counted


def _centred(doubled: Members, members: Members, union: Members) -> Values:
    """Twice the ranks less twice their mean, (C, n); 0 outside the union."""
    return np.asarray((doubled - members) * union, np.float32)
