"""Ranks ways of preparing a picture by what the model answers to each, and says how far the pictures can tell them apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from models.doctor.preparing import Preparing
from models.doctor.report import Candidate

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]

DRAWS = 500
SURE = 0.95
"""Share of resamples of the pictures in which one way has to do better than another to be called better."""
FEWEST = 8
SAME = 0.01
"""Two ways between which no probability differs by more than this are one to the model."""


@dataclass(frozen=True)
class Answers:
    """What a model gives for pictures prepared in one way. probabilities: (n, classes); changed: (changes, m, classes), of the first m."""

    preparing: Preparing
    probabilities: Floats
    changed: Floats


def candidate(answers: Answers, classes: Classes | None, labels: tuple[str, ...]) -> Candidate:
    """How the model fares with it. classes: (n,) the right ones, -1 where unknown, or None where no picture's is known."""
    p = answers.probabilities
    named = p.argmax(1)
    known = classes is not None and bool((classes >= 0).any())
    counts = np.bincount(named, minlength=len(labels))
    return Candidate(
        answers.preparing.scaling,
        answers.preparing.colour,
        accuracy(p, classes) if known and classes is not None else None,
        auc(p, classes) if known and classes is not None else None,
        float(p.max(1).mean()),
        float(bits(_distributions(p)).mean()),
        steadiness(answers),
        float(bits(counts / counts.sum())),
        labels[int(counts.argmax())],
        score(answers, classes),
    )


def score(answers: Answers, classes: Classes | None, chosen: NDArray[np.int64] | None = None) -> float:
    """0 to 1. With known classes the mean of accuracy and AUC; without, `information` times `steadiness`. chosen: numbers of pictures."""
    p = answers.probabilities if chosen is None else answers.probabilities[chosen]
    if classes is not None and (classes >= 0).any():
        right = classes if chosen is None else classes[chosen]
        return (accuracy(p, right) + auc(p, right)) / 2
    return information(p) * steadiness(answers, chosen)


def accuracy(p: Floats, classes: Classes) -> float:
    """Share of the pictures of known class that are named rightly; 0 where there are none."""
    known = classes >= 0
    return float((p[known].argmax(1) == classes[known]).mean()) if known.any() else 0.0


def auc(p: Floats, classes: Classes) -> float:
    """Mean over the classes of the area under the curve of that class against all others; 0.5 where no class has both."""
    known = classes >= 0
    found = [_area(p[known, each], classes[known] == each) for each in np.unique(classes[known])]
    areas = [area for area in found if area is not None]
    return float(np.mean(areas)) if areas else 0.5


def _area(values: Floats, positive: NDArray[np.bool_]) -> float | None:
    """Mann and Whitney's statistic over its greatest; ties count a half."""
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return None
    return float((rankdata(values)[positive].sum() - many * (many + 1) / 2) / (many * few))


def information(p: Floats) -> float:
    """Bits that an answer says of which picture it was, H(mean p) - mean H(p), over the most it could say; 0 to 1.

    High where the model is sure of each picture and names different classes; 0 where it calls everything the same, or is never sure.
    """
    distributions = _distributions(p)
    most = np.log2(min(distributions.shape))
    told = bits(distributions.mean(0)) - bits(distributions).mean()
    return float(max(told, 0) / most) if most > 0 else 0.0


def steadiness(answers: Answers, chosen: NDArray[np.int64] | None = None) -> float:
    """Share of the changed pictures that keep the class they had; 1 where none was changed. chosen: numbers of pictures, repeats count."""
    changed = answers.changed.shape[1]
    numbers = np.arange(changed) if chosen is None else chosen[chosen < changed]
    if not numbers.size:
        return 1.0
    before = answers.probabilities[numbers].argmax(1)
    return float((answers.changed[:, numbers].argmax(2) == before).mean())


def bits(p: Floats) -> Floats:
    """(..., classes) shares -> (...) their entropy in bits."""
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1))).sum(-1))


def beats(first: Answers, second: Answers, classes: Classes | None, seed: int = 0) -> float:
    """Share of resamples of the pictures (bootstrap, Efron 1979) in which the first has the greater score; ties count a half."""
    rng = np.random.default_rng(seed)
    count = len(first.probabilities)
    wins = 0.0
    for _ in range(DRAWS):
        chosen = rng.integers(0, count, count)
        ours, theirs = score(first, classes, chosen), score(second, classes, chosen)
        wins += 1.0 if ours > theirs else 0.5 if ours == theirs else 0.0
    return wins / DRAWS


def same(first: Answers, second: Answers) -> bool:
    """Whether the model hardly tells the two apart."""
    return bool(np.abs(first.probabilities - second.probabilities).max() <= SAME)


def assigned(p: list[Floats], groups: Classes, labels: int) -> Classes:
    """(n,) the class that each picture's group stands for, one class a group, or -1: the assignment under which most answers are right.

    p: each candidate's (n, classes). groups: (n,) from 0. One assignment for all candidates, that of the candidate it fits best.
    """
    best, fitting = -1.0, np.full(int(groups.max()) + 1, -1)
    for each in p:
        counts = np.zeros((len(fitting), labels))
        np.add.at(counts, (groups, each.argmax(1)), 1)
        rates = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        rows, columns = linear_sum_assignment(-rates)
        if (reached := float(rates[rows, columns].sum())) > best:
            best, fitting = reached, np.full(len(fitting), -1)
            fitting[rows] = columns
    return np.asarray(fitting[groups])


def _distributions(p: Floats) -> Floats:
    """Each row as shares that sum to 1: a multi-label head's sigmoids do not by themselves."""
    return p / np.maximum(p.sum(1, keepdims=True), 1e-12)
