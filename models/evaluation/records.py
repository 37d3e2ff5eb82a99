"""What an evaluation holds: the pictures that were judged by, and what was found."""

from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Settings:
    """resamples, seed, level: of the intervals; level is the share of resamples inside. mistakes: how many are shown."""

    resamples: int = 1000
    seed: int = 0
    level: float = 0.95
    mistakes: int = 24


USUAL = Settings()


@dataclass(frozen=True)
class ClassFigures:
    """A class: how many pictures it has, and its precision, recall, F1 and AUC (against the rest)."""

    label: str
    pictures: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Curve:
    """A receiver operating characteristic: shares from 0 to 1 at falling thresholds, of one class against the rest."""

    label: str
    false_positives: tuple[float, ...]
    true_positives: tuple[float, ...]


@dataclass(frozen=True)
class Bin:
    """The pictures whose confidence lies from low to high: their mean confidence, and the share that was named rightly."""

    low: float
    high: float
    pictures: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Mistake:
    """A picture that was named wrongly, with the probabilities of the answer given and of the right one."""

    path: Path
    truth: str
    answer: str
    confidence: float
    truth_probability: float


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
