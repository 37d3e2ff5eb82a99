"""Matches the class names of labelled images to a model's classes, by name or by the model's answers."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from models.datasets.folder_listing import normalise_name

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MIN_IMAGES = 8
"""Minimum number of images; with fewer of known class, or of fewer than two classes, candidates are compared without classes."""

_NEGATIONS = {"no", "non", "not", "without", "negative", "free"}


def match_classes_by_name(names: Sequence[str | None], labels: Sequence[str]) -> dict[str, int]:
    """Name -> the class of that name, or the only class whose words contain all of its words, or the reverse."""
    plain = [normalise_name(label) for label in labels]
    found: dict[str, int] = {}
    for name in sorted({name for name in names if name is not None}):
        words = _words(name)
        matches = [number for number, label in enumerate(plain) if label == normalise_name(name)]
        matches = matches or [number for number, label in enumerate(labels) if _is_contained(words, _words(label))]
        matches = matches or [number for number, label in enumerate(labels) if _is_contained(_words(label), words)]
        if len(matches) == 1:
            found[name] = matches[0]
    return found


def match_classes_by_answers(p: Floats, names: Sequence[str | None]) -> dict[str, int]:
    """Name -> a class, one each, such that most answers are correct; the Hungarian method. p: (n, classes)."""
    known = sorted({name for name in names if name is not None})
    counts = np.zeros((len(known), p.shape[1]))
    for name, answer in zip(names, p.argmax(1), strict=True):
        if name is not None:
            counts[known.index(name), answer] += 1
    rows, columns = linear_sum_assignment(-counts / np.maximum(counts.sum(1, keepdims=True), 1))
    return {known[row]: int(column) for row, column in zip(rows, columns, strict=True)}


def class_indices(names: Sequence[str | None], class_of_name: Mapping[str, int]) -> Ints:
    """(n,) the class of each, -1 where it is unknown."""
    return np.array([-1 if name is None else class_of_name.get(name, -1) for name in names], np.int64)


def has_enough_labelled_images(classes: Ints) -> bool:
    """Whether there are enough images of known class, of two classes at least: a constant answer would fit one."""
    return int((classes >= 0).sum()) >= MIN_IMAGES and len(np.unique(classes[classes >= 0])) >= 2


def _is_contained(few: set[str], many: set[str]) -> bool:
    """Whether all words are among the others, and no other of those is a negation."""
    return bool(few) and few <= many and not (many - few) & _NEGATIONS


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", name.lower()))
