"""After training, the classifier is asked as the page would ask it, and validation pictures set its confidence right."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.cards.card import Card
from models.classifiers.build import build_classifier
from models.datasets.collection import Row
from models.evaluation.calibration import apply_temperature, fit_temperature
from models.evaluation.predictions import predict_collection
from models.training.threshold import fold, shift_for
from models.training.validation import measure_validation

if TYPE_CHECKING:
    import keras


def calibrate(model: "keras.Model", card: Card, validation: Sequence[Row]) -> Card:
    """The card with the temperature that the validation pictures ask for. A single sigmoid's last bias is moved so that 0.5 decides."""
    if not validation:
        return card
    labels = np.array([row.label for row in validation], np.int64)
    found = predict_collection(build_classifier(model, card, Path(card.name)), validation, "calibrating")
    if card.head == "sigmoid" and len(np.unique(labels)) == 2:
        shift = shift_for(found[:, 1], labels)
        fold(shift, model)
        moved = found + np.float32(shift) * np.array([1, -1], np.float32)
        card = dataclasses.replace(card, notes=(*card.notes, _said(shift, found, moved, labels)))
        found = moved
    return dataclasses.replace(card, temperature=round(fit_temperature(found, labels, card.head), 4))


def _said(shift: float, before: NDArray[np.float32], after: NDArray[np.float32], labels: NDArray[np.int64]) -> str:
    """What was done to the threshold, and what it did on the pictures that it was fitted on."""
    better, worse = (measure_validation(apply_temperature(logits, 1.0, "sigmoid"), labels).balanced_accuracy for logits in (after, before))
    return (
        f"The last bias was moved by {-shift:+.2f}, so that a probability of 0.5 is where both classes, counting the same, are told apart "
        f"best on the validation pictures: there it made the balanced accuracy {better:.3f}, which had been {worse:.3f}."
    )
