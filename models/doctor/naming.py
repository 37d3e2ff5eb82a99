"""Finds which of a model's classes each picture's folder or table means, by name or by what the model itself says most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from models.datasets.listing import plain_name

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST = 8
"""Pictures of known class, of two classes at least, below which ways are compared as if no class were known."""


def by_name(names: Sequence[str | None], labels: Sequence[str]) -> Numbers:
    """(n,) the class that is called as the picture is, -1 where none is; `Viral Pneumonia` and `viral_pneumonia` are one name."""
    known = {plain_name(label): number for number, label in enumerate(labels)}
    return np.array([-1 if name is None else known.get(plain_name(name), -1) for name in names], np.int64)


def groups_of(names: Sequence[str | None]) -> tuple[Numbers, tuple[str, ...]]:
    """(n,) the number of each picture's name, -1 where it has none; and the names."""
    found = tuple(sorted({name for name in names if name is not None}))
    return np.array([-1 if name is None else found.index(name) for name in names], np.int64), found


def enough(classes: Numbers) -> bool:
    """Whether the pictures of known class can show anything: one class alone fits a model that says nothing else."""
    return int((classes >= 0).sum()) >= FEWEST and len(np.unique(classes[classes >= 0])) >= 2


def assigned(p: Floats, groups: Numbers) -> Numbers:
    """(n,) the class that each picture's group stands for, one class a group, under which most answers are right; -1 where it has none.

    p: (n, classes). groups: (n,) from 0, -1 for none. The Hungarian method on the share of each group that is given each class.
    """
    counts = np.zeros((int(groups.max(initial=0)) + 1, p.shape[1]))
    grouped = groups >= 0
    np.add.at(counts, (groups[grouped], p[grouped].argmax(1)), 1)
    rows, columns = linear_sum_assignment(-counts / np.maximum(counts.sum(1, keepdims=True), 1))
    meant = np.full(len(counts), -1)
    meant[rows] = columns
    return np.where(grouped, meant[np.maximum(groups, 0)], -1)
