"""Finds which of a model's classes each picture's folder or table means, by name or by what the model itself says most."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from models.datasets.folder_listing import plain_name

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

FEWEST = 8
"""Pictures below which nothing is sure, and of known class, two at least, below which ways are compared as if none were known."""

_DENYING = {"no", "non", "not", "without", "negative", "free"}


def match_by_name(names: Sequence[str | None], labels: Sequence[str]) -> dict[str, int]:
    """Name -> the class that is called so, or the only one that has all its words, or whose words it has all."""
    plain = [plain_name(label) for label in labels]
    found: dict[str, int] = {}
    for name in sorted({name for name in names if name is not None}):
        words = _words(name)
        fitting = [number for number, label in enumerate(plain) if label == plain_name(name)]
        fitting = fitting or [number for number, label in enumerate(labels) if _within(words, _words(label))]
        fitting = fitting or [number for number, label in enumerate(labels) if _within(_words(label), words)]
        if len(fitting) == 1:
            found[name] = fitting[0]
    return found


def match_by_answers(p: Floats, names: Sequence[str | None]) -> dict[str, int]:
    """Name -> the class it stands for, one each, such that most answers are right; the Hungarian method. p: (n, classes)."""
    known = sorted({name for name in names if name is not None})
    counts = np.zeros((len(known), p.shape[1]))
    for name, answer in zip(names, p.argmax(1), strict=True):
        if name is not None:
            counts[known.index(name), answer] += 1
    rows, columns = linear_sum_assignment(-counts / np.maximum(counts.sum(1, keepdims=True), 1))
    return {known[row]: int(column) for row, column in zip(rows, columns, strict=True)}


def classes_of(names: Sequence[str | None], meaning: Mapping[str, int]) -> Numbers:
    """(n,) the class of each, -1 where nothing is known."""
    return np.array([-1 if name is None else meaning.get(name, -1) for name in names], np.int64)


def enough(classes: Numbers) -> bool:
    """Whether the pictures of known class can show anything: one class alone fits a model that says nothing else."""
    return int((classes >= 0).sum()) >= FEWEST and len(np.unique(classes[classes >= 0])) >= 2


def _within(few: set[str], many: set[str]) -> bool:
    """Whether all words are among the others, and none of those turns the meaning round."""
    return bool(few) and few <= many and not (many - few) & _DENYING


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", name.lower()))
