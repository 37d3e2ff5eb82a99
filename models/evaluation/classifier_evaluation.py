"""Evaluates a classifier's answers to pictures whose class is known."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from errors import UserError
from models.cards.card import Card
from models.datasets.picture_collection import CollectionRow
from models.evaluation.calibration import apply_temperature, confidence_bin_indices
from models.evaluation.classification_metrics import (
    BY_CLASS,
    OVERALL,
    UNCALIBRATED,
    IntervalEstimate,
    basic_bootstrap_interval,
    bootstrap_metrics,
    compute_classification_metrics,
    percentile_intervals,
)
from models.evaluation.evaluation_records import (
    DEFAULTS,
    ClassMetrics,
    Evaluation,
    EvaluationData,
    EvaluationSettings,
    Misclassification,
    ReliabilityBin,
    RocCurve,
)
from models.evaluation.predictions import predict_collection

if TYPE_CHECKING:
    from models.classifiers.base_classifier import BaseClassifier

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
BINS, CURVE_POINTS, CALIBRATION = 15, 200, OVERALL[-1]


def evaluate_classifier(classifier: "BaseClassifier[Any]", data: EvaluationData, settings: EvaluationSettings = DEFAULTS) -> Evaluation:
    """Evaluates the classifier on every picture, with its metadata where the classifier takes some; shows a progress bar."""
    if not data.rows:
        raise UserError(f"{data.name} has no picture in its {data.part}; choose another part, or make the split again.")
    return assess_logits(predict_collection(classifier, data.rows, f"asking {classifier.card.name}"), classifier.card, data, settings)


def assess_logits(logits: Floats, card: Card, data: EvaluationData, settings: EvaluationSettings = DEFAULTS) -> Evaluation:
    """logits: (n, classes) for the data's rows; of a single sigmoid -z and z. UserError where classes and logits do not fit."""
    targets = np.array([row.label for row in data.rows], np.int64)
    if targets.max() >= len(card.labels):
        raise UserError(f"{card.name} tells {len(card.labels)} classes apart; {data.name} has pictures of class {targets.max()}.")
    if logits.shape != (expected := (len(targets), len(card.labels))):
        raise UserError(f"The logits of {card.name} have shape {logits.shape}; {expected} is needed, a row a picture of {data.name}.")
    labels = tuple(label.name for label in card.labels)
    probabilities, uncalibrated = apply_temperature(logits, card.temperature, card.head), apply_temperature(logits, 1.0, card.head)
    groups = [row.group or f"picture {number}" for number, row in enumerate(data.rows)]
    overall, classes, shares = _estimates(probabilities, targets, groups, settings, labels)
    overall[UNCALIBRATED] = IntervalEstimate(float(compute_classification_metrics(uncalibrated, targets).overall[-1]), None, None)
    confusion = confusion_matrix(targets, probabilities.argmax(1), labels=np.arange(len(labels)))
    return Evaluation(
        model=card.name,
        sha256=card.sha256,
        labels=labels,
        head=card.head,
        temperature=card.temperature,
        data=data,
        groups=len(set(groups)),
        settings=settings,
        overall=overall,
        classes=classes,
        confusion=tuple(tuple(map(int, row)) for row in confusion),
        confusion_shares=shares,
        curves=_curves(probabilities, targets, labels),
        reliability=reliability_bins(probabilities, targets),
        reliability_before=reliability_bins(uncalibrated, targets),
        mistakes=_mistakes(probabilities, targets, labels, data.rows)[: settings.mistakes],
    )


def _estimates(
    probabilities: Floats, targets: Ints, groups: Sequence[str], settings: EvaluationSettings, labels: Sequence[str]
) -> tuple[dict[str, IntervalEstimate], tuple[ClassMetrics, ...], tuple[tuple[IntervalEstimate, ...], ...]]:
    """The overall metrics, those of each class, and the shares of the confusion matrix, all with intervals."""
    resamples, metrics = (
        bootstrap_metrics(probabilities, targets, groups, settings.resamples, settings.seed),
        compute_classification_metrics(probabilities, targets),
    )
    overall = percentile_intervals(metrics.overall, [each.overall for each in resamples], settings.level)
    by_class = percentile_intervals(metrics.by_class, [each.by_class for each in resamples], settings.level)
    shares = percentile_intervals(metrics.confusion, [each.confusion for each in resamples], settings.level)
    counts, number = np.bincount(targets, minlength=len(labels)), len(labels)
    classes = [ClassMetrics(label, int(counts[i]), dict(zip(BY_CLASS, by_class[i::number], strict=True))) for i, label in enumerate(labels)]
    rows = tuple(tuple(shares[i * number : (i + 1) * number]) for i in range(number))
    by_name = dict(zip(OVERALL, overall, strict=True))
    return {**by_name, CALIBRATION: basic_bootstrap_interval(by_name[CALIBRATION])}, tuple(classes), rows


def card_with_results(card: Card, evaluation: Evaluation) -> Card:
    """The card with the measured accuracy and calibration error."""
    accuracy, error = evaluation.overall["accuracy"].value, evaluation.overall["calibration error"].value
    data = evaluation.data
    measured_on = f"{len(data.rows):,} pictures of {data.name}, {data.part}"
    return dataclasses.replace(card, accuracy=round(accuracy or 0, 4), calibration_error=round(error or 0, 4), measured_on=measured_on)


def reliability_bins(probabilities: Floats, targets: Ints, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """The non-empty ones of equally wide bins of confidence; Niculescu-Mizil & Caruana 2005."""
    confidence, correct = probabilities.max(1), probabilities.argmax(1) == targets
    bins_of_rows = confidence_bin_indices(confidence, bins)
    return tuple(
        ReliabilityBin(
            i / bins,
            (i + 1) / bins,
            int((bins_of_rows == i).sum()),
            float(confidence[bins_of_rows == i].mean()),
            float(correct[bins_of_rows == i].mean()),
        )
        for i in np.unique(bins_of_rows)
    )


def _curves(probabilities: Floats, targets: Ints, labels: Sequence[str]) -> tuple[RocCurve, ...]:
    """One per class; of two classes, whose curves mirror each other, the second's alone."""
    curves = []
    for i, label in list(enumerate(labels))[1 if len(labels) == 2 else 0 :]:
        if 0 < (targets == i).sum() < len(targets):
            false, true, _ = roc_curve(targets == i, probabilities[:, i])
            points = np.unique(np.linspace(0, len(false) - 1, CURVE_POINTS).astype(int))
            curves.append(RocCurve(label, tuple(np.round(false[points], 5).tolist()), tuple(np.round(true[points], 5).tolist())))
    return tuple(curves)


def _mistakes(probabilities: Floats, targets: Ints, labels: Sequence[str], rows: Sequence[CollectionRow]) -> tuple[Misclassification, ...]:
    answers, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(answers != targets)
    by_confidence = wrong[np.argsort(-confidence[wrong], kind="stable")]
    return tuple(
        Misclassification(rows[i].path, labels[targets[i]], labels[answers[i]], float(confidence[i]), float(probabilities[i, targets[i]]))
        for i in by_confidence
    )
