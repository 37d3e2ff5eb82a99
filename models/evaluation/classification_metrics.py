"""Metrics of a classifier's probabilities, with bootstrap intervals over the choice of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.evaluation.calibration import expected_calibration_error
from models.evaluation.roc_auc import roc_auc

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
UNCALIBRATED = "calibration error before temperature"
OVERALL = ("accuracy", "balanced accuracy", "macro F1", "macro AUC", "calibration error")
BY_CLASS = ("precision", "recall", "F1", "AUC")


@dataclass(frozen=True)
class IntervalEstimate:
    """A value with its interval; None where the pictures do not determine it, such as the recall of an absent class."""

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ClassificationMetrics:
    """overall: (5,) as OVERALL; by_class: (4, classes) as BY_CLASS; confusion: (classes, classes) shares of each
    true class. NaN: undetermined."""

    overall: NDArray[np.float64]
    by_class: NDArray[np.float64]
    confusion: NDArray[np.float64]


def compute_classification_metrics(probabilities: Floats, targets: Ints) -> ClassificationMetrics:
    """probabilities: (n, classes); targets: (n,) true classes.

    Means over classes leave out those without pictures. AUC is of one class against the rest; of two classes both are equal.
    """
    classes = probabilities.shape[1]
    answers = probabilities.argmax(1)
    counts = np.bincount(targets * classes + answers, minlength=classes**2).reshape(classes, classes).astype(np.float64)
    predicted, pictures, correct = counts.sum(0), counts.sum(1), counts.diagonal()
    precision, recall, f1 = _ratio(correct, predicted), _ratio(correct, pictures), _ratio(2 * correct, predicted + pictures)
    by_class = np.array([precision, recall, f1, roc_auc(probabilities, targets[:, None] == np.arange(classes))])
    means = [_mean(row[pictures > 0]) for row in by_class[1:]]
    overall = np.array([float((answers == targets).mean()), *means, expected_calibration_error(probabilities, targets)])
    return ClassificationMetrics(overall, by_class, _ratio(counts, pictures[:, None]))


def bootstrap_metrics(
    probabilities: Floats, targets: Ints, groups: Sequence[str], resamples: int, seed: int
) -> list[ClassificationMetrics]:
    """The metrics of `resamples` sets of pictures, drawn with replacement by whole groups; Efron & Tibshirani 1993, ch. 6.

    groups: (n,) shared by pictures of the same lesion or patient, which are not independent of each other.
    """
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    rows_of_group = np.split(np.argsort(members, kind="stable"), np.cumsum(np.bincount(members))[:-1])
    rng = np.random.default_rng(seed)
    metrics = []
    for _ in tqdm(range(resamples), "intervals", unit="draw", leave=False, disable=None):
        chosen = np.concatenate([rows_of_group[i] for i in rng.integers(len(rows_of_group), size=len(rows_of_group))])
        metrics.append(compute_classification_metrics(probabilities[chosen], targets[chosen]))
    return metrics


def percentile_intervals(values: NDArray[np.float64], resamples: Sequence[NDArray[np.float64]], level: float) -> list[IntervalEstimate]:
    """values: (m,); resamples: the same for each. The bounds are the percentiles that leave (1 - level) / 2 at either side."""
    return [
        _estimate(value, column, level) for value, column in zip(values.ravel(), np.reshape(resamples, (len(resamples), -1)).T, strict=True)
    ]


def basic_bootstrap_interval(estimate: IntervalEstimate) -> IntervalEstimate:
    """The estimate with its bounds mirrored at its value, no lower than 0: the basic interval, Davison & Hinkley 1997, sec. 5.2.1.

    For the calibration error, which is biased upwards: with few pictures in a bin, accuracy and confidence differ by chance, and in a
    resample once more. The resamples exceed the value by about as much as the value exceeds the truth; percentiles would have the
    bias twice. In 200 simulations of 312 pictures with a calibration error of 0.061, these bounds hold the truth in 90 % and the
    percentiles in 63 %; with 0.021, in 84 % and in none.
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    low, high = (max(0.0, 2 * estimate.value - bound) for bound in (estimate.high, estimate.low))
    return IntervalEstimate(estimate.value, low, high)


def _estimate(value: float, column: NDArray[np.float64], level: float) -> IntervalEstimate:
    column = column[np.isfinite(column)]
    if not np.isfinite(value):
        return IntervalEstimate(None, None, None)
    if not len(column):
        return IntervalEstimate(float(value), None, None)
    low, high = np.quantile(column, ((1 - level) / 2, (1 + level) / 2))
    return IntervalEstimate(float(value), float(low), float(high))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")
