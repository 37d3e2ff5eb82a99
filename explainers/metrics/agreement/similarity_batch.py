"""Compares one map with many at once: the same three likenesses as `agreement`, for chance has to be drawn hundreds of times a pair."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid
from explainers.metrics.agreement.similarity import TOPS, UNION, mean_similarity

Values = NDArray[np.float32]
Members = NDArray[np.int16]
Places = NDArray[np.intp]

WINDOW = 7
"""Side in cells of the windows in which structural similarity looks."""
SAMPLE_SIZE = 40
LANES = 4
"""Counts of 16 bits that one addition of 64 bits carries on."""


@dataclass(frozen=True)
class MapBatch:
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
    def of(cls, maps: Sequence[Grid]) -> "MapBatch":
        """maps: n of shape (G, G), n at least 1."""
        flat = np.stack([np.asarray(each, np.float64).ravel() for each in maps])
        order = np.argsort(flat, axis=1, kind="stable")
        ranked = np.take_along_axis(flat, order, axis=1)
        tops = np.stack([_tops(flat, ranked, portion) for portion in TOPS]).transpose(0, 2, 1)
        wide = (_tops(flat, ranked, UNION) > 0).T
        sides = [np.empty_like(order), np.empty_like(order)]
        for side, found in zip(sides, _tied(ranked), strict=True):
            np.put_along_axis(side, order, found, axis=1)
        places = [np.ascontiguousarray(each.T, np.intp) for each in (order, *sides)]
        columns = np.ascontiguousarray(tops, np.float32)
        return cls(np.ascontiguousarray(flat.T, np.float32), columns, columns.sum(1), np.ascontiguousarray(wide, np.int16), *places)

    @cached_property
    def addresses(self) -> tuple[Places, Places, Places]:
        """`order`, `below` and `upto` as places in a flattened (C, n) or (C + 1, n) array."""
        places = (each * len(self) + np.arange(len(self)) for each in (self.order, self.below, self.upto))
        order, below, upto = places
        return order, below, upto

    @cached_property
    def sample(self) -> "MapBatch":
        """40 of the maps, or all where there are fewer: enough for a mean that is only shown. Drawn, for classes may come in turns."""
        return self.part(np.sort(np.random.default_rng(0).permutation(len(self))[:SAMPLE_SIZE]))

    @cached_property
    def directions(self) -> Values:
        """(C, n) each map less its mean, of length 1: their products are correlations. 0 for a map that is the same everywhere."""
        return _directions(self.shares, 1e-7)

    @cached_property
    def rank_directions(self) -> Values:
        """(C, n) the same of the cells' ranks, ties sharing theirs: their products are rank correlations."""
        return _directions((self.below + self.upto).astype(np.float32), 0)

    @cached_property
    def windows(self) -> tuple[Values, Values, Values]:
        """(C, n) each map over its maximum; (w, n) its mean and its variance, over n - 1, in every window of 7 x 7 cells."""
        scaled = self.shares / self.shares.max(0)
        means = window_means(scaled)
        return scaled, means, (window_means(scaled**2) - means**2) * np.float32(WINDOW**2 / (WINDOW**2 - 1))

    def __len__(self) -> int:
        return int(self.shares.shape[1])

    def map(self, number: int) -> "MapBatch":
        """The stack of that map alone."""
        return self.part(slice(number, number + 1))

    def part(self, chosen: slice | Places) -> "MapBatch":
        """The stack of some of the maps."""
        return MapBatch(*(np.ascontiguousarray(getattr(self, field.name)[..., chosen]) for field in fields(self)))


def similarity_scores(one: MapBatch, many: MapBatch) -> NDArray[np.float64]:
    """(3, n): top overlap, shared mass and rank correlation of a stack of one map with each map of another stack."""
    mass = np.minimum(one.shares, many.shares).sum(0)
    return np.stack([_overlaps(one, many), mass, _rank_correlations(one, many)]).astype(np.float64)


def mean_similarities(one: MapBatch, many: MapBatch) -> NDArray[np.float64]:
    """(n,): the mean of the three."""
    return mean_similarity(similarity_scores(one, many))


def pearson_correlations(one: MapBatch, many: MapBatch) -> NDArray[np.float64]:
    """(n,): Pearson's correlation over all cells of a stack of one map with each map of another stack."""
    return scalar_products(one.directions, many.directions)


def scalar_products(one: Values, many: Values) -> NDArray[np.float64]:
    """(C, 1), (C, n) -> (n,) scalar products. Not by BLAS, whose second thread would spin longer than the work takes."""
    return np.asarray((one * many).sum(0), np.float64)


def window_means(flat: Values) -> Values:
    """(C, n) maps of C = G^2 cells -> (w, n) their means in each of the w = (G - 6)^2 windows of 7 x 7 cells that lie in the grid."""
    side = round(len(flat) ** 0.5)
    grids = flat.reshape(side, side, -1)
    starts = [slice(first, side - WINDOW + 1 + first) for first in range(WINDOW)]
    rows = np.sum([grids[start] for start in starts], axis=0)
    both = np.sum([rows[:, start] for start in starts], axis=0)
    return np.asarray(both.reshape(-1, flat.shape[1]) / WINDOW**2, np.float32)


def _directions(values: Values, least: float) -> Values:
    centred = values - values.mean(0)
    lengths = np.linalg.norm(centred, axis=0)
    return np.asarray(np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > least), np.float32)


def _tops(flat: NDArray[np.float64], ranked: NDArray[np.float64], portion: float) -> NDArray[np.float64]:
    """`agreement.top_cells` of every row of (n, C) at once. ranked: each row sorted."""
    wanted = max(1, round(portion * flat.shape[1]))
    border = ranked[:, -wanted, None]
    above, tied = flat > border, flat == border
    share = above + tied * (wanted - above.sum(1, keepdims=True)) / tied.sum(1, keepdims=True)
    return np.asarray(np.where(border > 0, share, flat > 0))


def _tied(ranked: NDArray[np.float64]) -> tuple[Places, Places]:
    """For each place in sorted rows (n, C) where the values equal to its own begin, and where they end."""
    cells = ranked.shape[1]
    new = np.diff(ranked, axis=1) > 0
    edge = np.ones((len(ranked), 1), bool)
    begin = np.maximum.accumulate(np.where(np.hstack([edge, new]), np.arange(cells), 0), axis=1)
    last = np.where(np.hstack([new, edge]), np.arange(1, cells + 1), cells)
    return begin, np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]


def _overlaps(one: MapBatch, many: MapBatch) -> Values:
    """(n,) mean over the tops of intersection over union, by |A or B| = |A| + |B| - |A and B|."""
    both = np.minimum(one.tops, many.tops).sum(1)
    return np.asarray((both / (one.sizes + many.sizes - both)).mean(0))


def _rank_correlations(one: MapBatch, many: MapBatch) -> Values:
    """(n,) Spearman over the union of both maps' wide tops; 0 where one of them is constant there.

    A cell's mean rank within the union is half of (members weaker + members no stronger + 1), read off running counts of members.
    """
    union = one.wide | many.wide
    members = union.sum(0, dtype=np.int16)
    counted = _counts(union.take(one.order[:, 0], axis=0))
    first = _centred(counted.take(one.below[:, 0], axis=0) + counted.take(one.upto[:, 0], axis=0), members, union)
    order, below, upto = many.addresses
    counted = _counts(union.ravel().take(order)).ravel()
    second = _centred(counted.take(below) + counted.take(upto), members, union)
    covariance, a, b = ((x * y).sum(0, dtype=np.float32) for x, y in ((first, second), (first, first), (second, second)))
    scale = np.sqrt(a) * np.sqrt(b)
    return np.asarray(np.divide(covariance, scale, out=np.zeros(len(many), np.float32), where=scale > 0))


def _counts(members: Members) -> Members:
    """(C + 1, n): how many of the first 0..C cells are members. Four columns are counted in one: no count reaches 2^15."""
    cells, columns = members.shape
    padded = np.zeros((cells + 1, -(-columns // LANES) * LANES), np.int16)
    padded[1:, :columns] = members
    lanes = padded.view(np.int64)
    return np.ascontiguousarray(np.cumsum(lanes, axis=0, out=lanes).view(np.int16)[:, :columns])


def _centred(doubled: Members, members: Members, union: Members) -> Values:
    """Twice the ranks less twice their mean, (C, n); 0 outside the union."""
    return np.asarray((doubled - members) * union, np.float32)
