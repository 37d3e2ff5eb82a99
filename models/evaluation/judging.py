"""Judges a classifier's answers to pictures whose class is known."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from errors import UserError
from models.calibration import bin_of, tempered
from models.card import Card, Head
from models.datasets.collection import Row
from models.evaluation.asking import ask
from models.evaluation.figures import BY_CLASS, OVERALL, Figure, figures, resampled, with_intervals

if TYPE_CHECKING:
    from models.answering import Answering

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
BINS, CURVE_POINTS = 15, 200


@dataclass(frozen=True)
class Material:
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
    """What `judged` finds. overall: the five of `figures.OVERALL`, and "calibration error before temperature".

    confusion: pictures, rows by right class, columns by answer; confusion_shares: the same as shares of the right class.
    reliability: bins at the card's temperature; reliability_before: at temperature 1. mistakes: the surest first.
    """

    model: str
    sha256: str
    labels: tuple[str, ...]
    head: Head
    temperature: float
    material: Material
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


def evaluate(classifier: "Answering[Any]", material: Material, settings: Settings = Settings()) -> Evaluation:
    """Asks the classifier about every picture, with a progress bar, and tells it the picture's metadata where it takes some."""
    if not material.rows:
        raise UserError(f"{material.name} has no picture in its {material.part}; choose another part, or make the split anew.")
    return judged(ask(classifier, material.rows, f"asking {classifier.card.name}"), classifier.card, material, settings)


def judged(logits: Floats, card: Card, material: Material, settings: Settings = Settings()) -> Evaluation:
    """logits: (n, classes) for the material's rows, of a single sigmoid -z and z. UserError where classes and logits do not fit."""
    targets = np.array([row.label for row in material.rows], np.int64)
    if logits.shape != (len(targets), len(card.labels)) or targets.max() >= len(card.labels):
        classes = int(targets.max()) + 1
        raise UserError(f"{card.name} tells {len(card.labels)} classes apart; {material.name} has pictures of at least {classes}.")
    labels = tuple(label.name for label in card.labels)
    told, plain = tempered(logits, card.temperature, card.head), tempered(logits, 1.0, card.head)
    groups = [row.group or f"picture {number}" for number, row in enumerate(material.rows)]
    drawn = resampled(told, targets, groups, settings.resamples, settings.seed)
    found, before = figures(told, targets), figures(plain, targets)
    overall = dict(zip(OVERALL, with_intervals(found.overall, [each.overall for each in drawn], settings.level), strict=True))
    overall["calibration error before temperature"] = Figure(float(before.overall[-1]), None, None)
    shares = with_intervals(found.confusion, [each.confusion for each in drawn], settings.level)
    each = with_intervals(found.by_class, [each.by_class for each in drawn], settings.level)
    counts = np.bincount(targets, minlength=len(labels))
    return Evaluation(
        model=card.name,
        sha256=card.sha256,
        labels=labels,
        head=card.head,
        temperature=card.temperature,
        material=material,
        groups=len(set(groups)),
        settings=settings,
        overall=overall,
        classes=tuple(
            ClassFigures(label, int(counts[i]), dict(zip(BY_CLASS, each[i :: len(labels)], strict=True))) for i, label in enumerate(labels)
        ),
        confusion=tuple(tuple(map(int, row)) for row in confusion_matrix(targets, told.argmax(1), labels=np.arange(len(labels)))),
        confusion_shares=tuple(tuple(shares[i * len(labels) : (i + 1) * len(labels)]) for i in range(len(labels))),
        curves=_curves(told, targets, labels),
        reliability=reliability(told, targets),
        reliability_before=reliability(plain, targets),
        mistakes=_mistakes(told, targets, labels, material.rows)[: settings.mistakes],
    )


def on_card(card: Card, evaluation: Evaluation) -> Card:
    """The card with what was measured written on it."""
    accuracy, error = evaluation.overall["accuracy"].value, evaluation.overall["calibration error"].value
    material = evaluation.material
    words = f"{len(material.rows):,} pictures of {material.name}, {material.part}"
    return dataclasses.replace(card, accuracy=round(accuracy or 0, 4), calibration_error=round(error or 0, 4), measured_on=words)


def reliability(probabilities: Floats, targets: Ints, bins: int = BINS) -> tuple[Bin, ...]:
    """Equally wide bins of confidence that hold pictures; Niculescu-Mizil & Caruana 2005."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == targets
    place = bin_of(confidence, bins)
    return tuple(
        Bin(i / bins, (i + 1) / bins, int((place == i).sum()), float(confidence[place == i].mean()), float(right[place == i].mean()))
        for i in np.unique(place)
    )


def _curves(probabilities: Floats, targets: Ints, labels: Sequence[str]) -> tuple[Curve, ...]:
    """Of two classes, which mirror each other, the second's alone."""
    found = []
    for i, label in list(enumerate(labels))[1 if len(labels) == 2 else 0 :]:
        if 0 < (targets == i).sum() < len(targets):
            false, true, _ = roc_curve(targets == i, probabilities[:, i])
            kept = np.unique(np.linspace(0, len(false) - 1, CURVE_POINTS).astype(int))
            found.append(Curve(label, tuple(np.round(false[kept], 5).tolist()), tuple(np.round(true[kept], 5).tolist())))
    return tuple(found)


def _mistakes(probabilities: Floats, targets: Ints, labels: Sequence[str], rows: Sequence[Row]) -> tuple[Mistake, ...]:
    answers, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(answers != targets)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return tuple(
        Mistake(rows[i].path, labels[targets[i]], labels[answers[i]], float(confidence[i]), float(probabilities[i, targets[i]]))
        for i in surest
    )
