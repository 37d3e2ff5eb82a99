"""The figures of merit of a classifier's probabilities, and how far chance in the choice of pictures moves them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from tqdm import tqdm

from models.evaluation.calibration import calibration_error

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
OVERALL = ("accuracy", "balanced accuracy", "macro F1", "macro AUC", "calibration error")
BY_CLASS = ("precision", "recall", "F1", "AUC")


@dataclass(frozen=True)
class Figure:
    """A value, and the bounds between which it lies; None where the pictures do not decide it, such as the recall of an absent class."""

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Figures:
    """overall: (5,) as OVERALL; by_class: (4, classes) as BY_CLASS; confusion: (classes, classes) shares of each
    true class. NaN: undecided."""

    overall: NDArray[np.float64]
    by_class: NDArray[np.float64]
    confusion: NDArray[np.float64]


def figures(probabilities: Floats, targets: Ints) -> Figures:
    """probabilities: (n, classes), the largest being the answer; targets: (n,) right classes.

    Means over classes leave out those without pictures. AUC is of one class against the rest; of two classes both have the same.
    """
    classes = probabilities.shape[1]
    answers = probabilities.argmax(1)
    counts = np.bincount(targets * classes + answers, minlength=classes**2).reshape(classes, classes).astype(np.float64)
    named, pictures, right = counts.sum(0), counts.sum(1), counts.diagonal()
    precision, recall, f1 = _ratio(right, named), _ratio(right, pictures), _ratio(2 * right, named + pictures)
    by_class = np.array([precision, recall, f1, _areas(probabilities, targets)])
    means = [_mean(row[pictures > 0]) for row in by_class[1:]]
    overall = np.array([float((answers == targets).mean()), *means, calibration_error(probabilities, targets)])
    return Figures(overall, by_class, _ratio(counts, pictures[:, None]))


def resampled(probabilities: Floats, targets: Ints, groups: Sequence[str], resamples: int, seed: int) -> list[Figures]:
    """The figures of as many sets of pictures, each drawn with replacement, whole groups at a time; Efron & Tibshirani 1993, ch. 6.

    groups: (n,) what a picture shares with others of the same lesion or patient, which are not independent of each other.
    """
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    places = np.split(np.argsort(members, kind="stable"), np.cumsum(np.bincount(members))[:-1])
    rng = np.random.default_rng(seed)
    made = []
    for _ in tqdm(range(resamples), "intervals", unit="draw", leave=False, disable=None):
        drawn = np.concatenate([places[i] for i in rng.integers(len(places), size=len(places))])
        made.append(figures(probabilities[drawn], targets[drawn]))
    return made


def with_intervals(values: NDArray[np.float64], drawn: Sequence[NDArray[np.float64]], level: float) -> list[Figure]:
    """values: (m,); drawn: the same of each resample. The bounds are the percentiles that leave (1 - level) / 2 at either side."""
    return [_figure(value, column, level) for value, column in zip(values.ravel(), np.reshape(drawn, (len(drawn), -1)).T, strict=True)]


def reflected(figure: Figure) -> Figure:
    """The figure with its bounds mirrored at its value, no lower than 0: the basic interval, Davison & Hinkley 1997, sec. 5.2.1.

    For the calibration error: few pictures in a bin are seldom right just as often as they are sure, which raises the error, and a
    resample's once more. What the resamples lie above the value is what the value is likely to lie above the truth; `with_intervals` would
    count it the wrong way round. Drawn 200 times, 312 pictures of a classifier that is 0.061 too sure have the truth inside these bounds in
    90 % of draws and in 63 % inside the percentiles; where it is 0.021, in 84 % and in none.
    """
    if figure.value is None or figure.low is None or figure.high is None:
        return figure
    low, high = (max(0.0, 2 * figure.value - bound) for bound in (figure.high, figure.low))
    return Figure(figure.value, low, high)


def _figure(value: float, column: NDArray[np.float64], level: float) -> Figure:
    column = column[np.isfinite(column)]
    if not np.isfinite(value):
        return Figure(None, None, None)
    if not len(column):
        return Figure(float(value), None, None)
    low, high = np.quantile(column, ((1 - level) / 2, (1 + level) / 2))
    return Figure(float(value), float(low), float(high))


def _areas(probabilities: Floats, targets: Ints) -> NDArray[np.float64]:
    """(classes,): the share of pairs, one picture of the class and one of another, that are ranked rightly, ties
    half; Hanley & McNeil 1982."""
    inside = targets[:, None] == np.arange(probabilities.shape[1])
    number = inside.sum(0)
    above = (rankdata(probabilities, axis=0) * inside).sum(0) - number * (number + 1) / 2
    return _ratio(above, number * (len(targets) - number))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")
