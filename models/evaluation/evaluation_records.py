"""The data, settings and results of an evaluation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.cards.card import Head
from models.datasets.picture_collection import CollectionRow
from models.evaluation.classification_metrics import IntervalEstimate


@dataclass(frozen=True)
class EvaluationData:
    """Pictures to evaluate on. part: which of the collection they are and how it was split, in words, such as "test part, lesions kept
    together"."""

    name: str
    rows: tuple[CollectionRow, ...]
    part: str
    source: str
    licence: str

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """The number of pictures, in all and by class, instead of their paths. labels: the classes' names."""
        counts = Counter(labels[row.label] for row in self.rows)
        return {
            "name": self.name,
            "rows": len(self.rows),
            "part": self.part,
            "source": self.source,
            "licence": self.licence,
            "by_class": {label: counts[label] for label in labels},
        }


@dataclass(frozen=True)
class EvaluationSettings:
    """resamples, seed, level: of the intervals; level: their confidence. mistakes: how many are shown."""

    resamples: int = 1000
    seed: int = 0
    level: float = 0.95
    mistakes: int = 24

    def to_json(self) -> dict[str, Any]:
        return {"resamples": self.resamples, "seed": self.seed, "level": self.level, "mistakes": self.mistakes}


DEFAULTS = EvaluationSettings()


@dataclass(frozen=True)
class ClassMetrics:
    """A class: how many pictures it has, and its precision, recall, F1 and AUC (against the rest)."""

    label: str
    pictures: int
    figures: dict[str, IntervalEstimate]

    def to_json(self) -> dict[str, Any]:
        figures = {name: figure.to_json() for name, figure in self.figures.items()}
        return {"label": self.label, "pictures": self.pictures, "figures": figures}


@dataclass(frozen=True)
class RocCurve:
    """A receiver operating characteristic: shares from 0 to 1 at falling thresholds, of one class against the rest."""

    label: str
    false_positives: tuple[float, ...]
    true_positives: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {"label": self.label, "false_positives": self.false_positives, "true_positives": self.true_positives}


@dataclass(frozen=True)
class ReliabilityBin:
    """The pictures whose confidence lies from low to high: their mean confidence, and the share predicted correctly."""

    low: float
    high: float
    pictures: int
    confidence: float
    accuracy: float

    def to_json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "pictures": self.pictures, "confidence": self.confidence, "accuracy": self.accuracy}


@dataclass(frozen=True)
class Misclassification:
    """A misclassified picture, with the probabilities of the predicted and the true class."""

    path: Path
    truth: str
    answer: str
    confidence: float
    truth_probability: float

    def to_json(self) -> dict[str, Any]:
        """The path is shortened to its last folder and the name."""
        return {
            "path": "/".join(self.path.parts[-2:]),
            "truth": self.truth,
            "answer": self.answer,
            "confidence": self.confidence,
            "truth_probability": self.truth_probability,
        }


@dataclass(frozen=True)
class Evaluation:
    """What `assess` returns. overall: the five of `classification_metrics.OVERALL`, and "calibration error before temperature".

    confusion: pictures, rows by true class, columns by predicted class; confusion_shares: the same as shares of the true class.
    reliability: bins at the card's temperature; reliability_before: at temperature 1. mistakes: the most confident first.
    """

    model: str
    sha256: str
    labels: tuple[str, ...]
    head: Head
    temperature: float
    data: EvaluationData
    groups: int
    settings: EvaluationSettings
    overall: dict[str, IntervalEstimate]
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    confusion_shares: tuple[tuple[IntervalEstimate, ...], ...]
    curves: tuple[RocCurve, ...]
    reliability: tuple[ReliabilityBin, ...]
    reliability_before: tuple[ReliabilityBin, ...]
    mistakes: tuple[Misclassification, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "sha256": self.sha256,
            "labels": self.labels,
            "head": self.head,
            "temperature": self.temperature,
            "material": self.data.to_json(self.labels),
            "groups": self.groups,
            "settings": self.settings.to_json(),
            "overall": {name: figure.to_json() for name, figure in self.overall.items()},
            "classes": [each.to_json() for each in self.classes],
            "confusion": self.confusion,
            "confusion_shares": [[figure.to_json() for figure in row] for row in self.confusion_shares],
            "curves": [each.to_json() for each in self.curves],
            "reliability": [each.to_json() for each in self.reliability],
            "reliability_before": [each.to_json() for each in self.reliability_before],
            "mistakes": [each.to_json() for each in self.mistakes],
        }
