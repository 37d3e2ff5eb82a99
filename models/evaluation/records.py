"""What an evaluation holds: the pictures that were judged by, and what was found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.cards.card import Head
from models.datasets.collection import Row
from models.evaluation.classification_metrics import Figure


@dataclass(frozen=True)
class EvaluationData:
    """Pictures to judge by. part: which of the collection they are and how it was divided, in words, such as "test part, lesions kept
    together"."""

    name: str
    rows: tuple[Row, ...]
    part: str
    source: str
    licence: str

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """Of the pictures their number, in all and by class. labels: the classes' names."""
        named = Counter(labels[row.label] for row in self.rows)
        return {
            "name": self.name,
            "rows": len(self.rows),
            "part": self.part,
            "source": self.source,
            "licence": self.licence,
            "by_class": {label: named[label] for label in labels},
        }


@dataclass(frozen=True)
class Settings:
    """resamples, seed, level: of the intervals; level is the share of resamples inside. mistakes: how many are shown."""

    resamples: int = 1000
    seed: int = 0
    level: float = 0.95
    mistakes: int = 24

    def to_json(self) -> dict[str, Any]:
        return {"resamples": self.resamples, "seed": self.seed, "level": self.level, "mistakes": self.mistakes}


USUAL = Settings()


@dataclass(frozen=True)
class ClassFigures:
    """A class: how many pictures it has, and its precision, recall, F1 and AUC (against the rest)."""

    label: str
    pictures: int
    figures: dict[str, Figure]

    def to_json(self) -> dict[str, Any]:
        figures = {name: figure.to_json() for name, figure in self.figures.items()}
        return {"label": self.label, "pictures": self.pictures, "figures": figures}


@dataclass(frozen=True)
class Curve:
    """A receiver operating characteristic: shares from 0 to 1 at falling thresholds, of one class against the rest."""

    label: str
    false_positives: tuple[float, ...]
    true_positives: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {"label": self.label, "false_positives": self.false_positives, "true_positives": self.true_positives}


@dataclass(frozen=True)
class Bin:
    """The pictures whose confidence lies from low to high: their mean confidence, and the share that was named rightly."""

    low: float
    high: float
    pictures: int
    confidence: float
    accuracy: float

    def to_json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "pictures": self.pictures, "confidence": self.confidence, "accuracy": self.accuracy}


@dataclass(frozen=True)
class Mistake:
    """A picture that was named wrongly, with the probabilities of the answer given and of the right one."""

    path: Path
    truth: str
    answer: str
    confidence: float
    truth_probability: float

    def to_json(self) -> dict[str, Any]:
        """Of the path the last folder and the name."""
        return {
            "path": "/".join(self.path.parts[-2:]),
            "truth": self.truth,
            "answer": self.answer,
            "confidence": self.confidence,
            "truth_probability": self.truth_probability,
        }


@dataclass(frozen=True)
class Evaluation:
    """What `judging.judged` finds. overall: the five of `figures.OVERALL`, and "calibration error before temperature".

    confusion: pictures, rows by right class, columns by answer; confusion_shares: the same as shares of the right class.
    reliability: bins at the card's temperature; reliability_before: at temperature 1. mistakes: the surest first.
    """

    model: str
    sha256: str
    labels: tuple[str, ...]
    head: Head
    temperature: float
    material: EvaluationData
    groups: int
    settings: Settings
    overall: dict[str, Figure]
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    confusion_shares: tuple[tuple[Figure, ...], ...]
    curves: tuple[Curve, ...]
    reliability: tuple[Bin, ...]
    reliability_before: tuple[Bin, ...]
    mistakes: tuple[Mistake, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "sha256": self.sha256,
            "labels": self.labels,
            "head": self.head,
            "temperature": self.temperature,
            "material": self.material.to_json(self.labels),
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
