"""After training, the classifier is asked as the page would ask it, and validation pictures set its confidence right."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.calibration import fit_temperature
from models.card import Card
from models.datasets.collection import Row
from models.evaluation.asking import ask
from models.loading import classifier
from models.training.threshold import fold, shift_for

if TYPE_CHECKING:
    import keras


def calibrated(model: "keras.Model", card: Card, validation: Sequence[Row]) -> Card:
    """The card with the temperature that the validation pictures ask for. A single sigmoid's last bias is moved so that 0.5 decides."""
    if not validation:
        return card
    labels = np.array([row.label for row in validation], np.int64)
    found = ask(classifier(model, card, Path(card.name)), validation, "calibrating")
    if card.head == "sigmoid" and len(np.unique(labels)) == 2:
        shift = shift_for(found[:, 1], labels)
        fold(shift, model)
        found = found + np.float32(shift) * np.array([1, -1], np.float32)
        said = f"The validation pictures asked for {shift:+.2f} to be taken off the logit, which the last bias holds, so that 0.5 decides."
        card = dataclasses.replace(card, notes=(*card.notes, said))
    return dataclasses.replace(card, temperature=round(fit_temperature(found, labels, card.head), 4))
