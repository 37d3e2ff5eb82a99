"""Judges a classifier's answers to pictures whose class is known."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from errors import UserError
from models.cards.card import Card
from models.datasets.collection import Row
from models.evaluation.calibration import bin_of, tempered
from models.evaluation.classification_metrics import BY_CLASS, OVERALL, Figure, figures, reflected, resampled, with_intervals
from models.evaluation.predictions import predict_collection
from models.evaluation.records import USUAL, Bin, ClassFigures, Curve, Evaluation, EvaluationData, Mistake, Settings

if TYPE_CHECKING:
    from models.classifiers.base import BaseClassifier

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
BINS, CURVE_POINTS, CALIBRATION = 15, 200, OVERALL[-1]


def evaluate(classifier: "BaseClassifier[Any]", material: EvaluationData, settings: Settings = USUAL) -> Evaluation:
    """Asks the classifier about every picture, with a progress bar, and tells it the picture's metadata where it takes some."""
    if not material.rows:
        raise UserError(f"{material.name} has no picture in its {material.part}; choose another part, or make the split anew.")
    return judged(predict_collection(classifier, material.rows, f"asking {classifier.card.name}"), classifier.card, material, settings)


def judged(logits: Floats, card: Card, material: EvaluationData, settings: Settings = USUAL) -> Evaluation:
    """logits: (n, classes) for the material's rows, of a single sigmoid -z and z. UserError where classes and logits do not fit."""
    targets = np.array([row.label for row in material.rows], np.int64)
    if targets.max() >= len(card.labels):
        raise UserError(f"{card.name} tells {len(card.labels)} classes apart; {material.name} has pictures of class {targets.max()}.")
    if logits.shape != (wanted := (len(targets), len(card.labels))):
        raise UserError(f"The logits of {card.name} have shape {logits.shape}; {wanted} is needed, a row a picture of {material.name}.")
    labels = tuple(label.name for label in card.labels)
    told, plain = tempered(logits, card.temperature, card.head), tempered(logits, 1.0, card.head)
    groups = [row.group or f"picture {number}" for number, row in enumerate(material.rows)]
    overall, classes, shares = _measured(told, targets, groups, settings, labels)
    overall["calibration error before temperature"] = Figure(float(figures(plain, targets).overall[-1]), None, None)
    confusion = confusion_matrix(targets, told.argmax(1), labels=np.arange(len(labels)))
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
        classes=classes,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        confusion_shares=shares,
        curves=_curves(told, targets, labels),
        reliability=reliability(told, targets),
        reliability_before=reliability(plain, targets),
        mistakes=_mistakes(told, targets, labels, material.rows)[: settings.mistakes],
    )


def _measured(
    told: Floats, targets: Ints, groups: Sequence[str], settings: Settings, labels: Sequence[str]
) -> tuple[dict[str, Figure], tuple[ClassFigures, ...], tuple[tuple[Figure, ...], ...]]:
    """The figures overall, those of each class, and the shares of the confusion matrix, all with intervals."""
    drawn, found = resampled(told, targets, groups, settings.resamples, settings.seed), figures(told, targets)
    overall = with_intervals(found.overall, [each.overall for each in drawn], settings.level)
    by_class = with_intervals(found.by_class, [each.by_class for each in drawn], settings.level)
    shares = with_intervals(found.confusion, [each.confusion for each in drawn], settings.level)
    counts, number = np.bincount(targets, minlength=len(labels)), len(labels)
    classes = [ClassFigures(label, int(counts[i]), dict(zip(BY_CLASS, by_class[i::number], strict=True))) for i, label in enumerate(labels)]
    rows = tuple(tuple(shares[i * number : (i + 1) * number]) for i in range(number))
    named = dict(zip(OVERALL, overall, strict=True))
    return {**named, CALIBRATION: reflected(named[CALIBRATION])}, tuple(classes), rows


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
