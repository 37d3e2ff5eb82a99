"""Learns from the training pictures how each field of metadata is to be encoded."""

from collections.abc import Sequence

import numpy as np

from models.datasets.collection import Collection, Row
from models.metadata import Category, Field, Number

_UNITS = {"age": "years"}


def fitted(collection: Collection, training: Sequence[Row]) -> tuple[Field, ...]:
    """A number's mean and deviation are of the training pictures; a category's values are all that the collection has."""
    names = dict.fromkeys(name for row in collection.rows for name, _ in row.metadata)
    return tuple(field for name in names if (field := _fitted(name, collection, training)))


def _fitted(name: str, collection: Collection, training: Sequence[Row]) -> Field | None:
    """None where nothing is known of the field."""
    values = [value for row in collection.rows for key, value in row.metadata if key == name and value is not None]
    words = sorted({value for value in values if isinstance(value, str)})
    if words:
        return Category(name, tuple(words))
    numbers = [value for row in training for key, value in row.metadata if key == name and isinstance(value, float)]
    if not numbers:
        return None
    return Number(name, round(float(np.mean(numbers)), 4), round(float(np.std(numbers)), 4) or 1.0, _UNITS.get(name, ""))
