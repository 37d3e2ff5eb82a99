"""Calibration after training: the temperature, and a single sigmoid's threshold, fitted on the validation pictures."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.cards.card import Card
from models.classifiers.classifier_builder import build_classifier
from models.datasets.picture_collection import CollectionRow
from models.evaluation.calibration import apply_temperature, fit_temperature
from models.evaluation.predictions import predict_collection
from models.training.decision_threshold import balanced_logit_shift, subtract_from_last_bias
from models.training.validation_metrics import compute_validation_metrics

if TYPE_CHECKING:
    import keras


def calibrate_classifier(model: "keras.Model", card: Card, validation: Sequence[CollectionRow]) -> Card:
    """The card with the temperature fitted on the validation pictures. A single sigmoid's last bias is shifted so that 0.5 decides."""
    if not validation:
        return card
    labels = np.array([row.label for row in validation], np.int64)
    found = predict_collection(build_classifier(model, card, Path(card.name)), validation, "calibrating")
    if card.head == "sigmoid" and len(np.unique(labels)) == 2:
        shift = balanced_logit_shift(found[:, 1], labels)
        subtract_from_last_bias(shift, model)
        moved = found + np.float32(shift) * np.array([1, -1], np.float32)
        card = dataclasses.replace(card, notes=(*card.notes, _shift_note(shift, found, moved, labels)))
        found = moved
    return dataclasses.replace(card, temperature=round(fit_temperature(found, labels, card.head), 4))


def _shift_note(shift: float, before: NDArray[np.float32], after: NDArray[np.float32], labels: NDArray[np.int64]) -> str:
    """What was done to the threshold, and what it did on the pictures that it was fitted on."""
    better, worse = (
        compute_validation_metrics(apply_temperature(logits, 1.0, "sigmoid"), labels).balanced_accuracy for logits in (after, before)
    )
    return (
        f"The last bias was moved by {-shift:+.2f}, so that a probability of 0.5 is where both classes, counting the same, are told apart "
        f"best on the validation pictures: there it made the balanced accuracy {better:.3f}, which had been {worse:.3f}."
    )
