"""Learns from the training pictures how each field of metadata is to be encoded."""

from collections.abc import Sequence

import numpy as np

from errors import UserError
from models.cards.metadata import CategoryField, Field, NumberField
from models.datasets.picture_collection import CollectionRow, PictureCollection

_UNITS = {"age": "years"}


def fit_metadata_encoding(collection: PictureCollection, training: Sequence[CollectionRow], names: Sequence[str]) -> tuple[Field, ...]:
    """A field for each of the names. A number's mean and deviation are those of the training pictures; a deviation of 0 becomes 1.
    A category's values are all that the collection has. UserError where no training picture has a value.
    """
    return tuple(_fit_field(name, collection, training) for name in names)


def _fit_field(name: str, collection: PictureCollection, training: Sequence[CollectionRow]) -> Field:
    known = _values(name, training)
    if not known:
        raise UserError(f"None of the {len(training):,} training pictures has the metadata '{name}'; leave out --metadata.")
    words = {value for value in (*known, *_values(name, collection.rows)) if isinstance(value, str)}
    if words:
        return CategoryField(name, tuple(sorted(words)))
    numbers = [float(value) for value in known]
    return NumberField(name, round(float(np.mean(numbers)), 4), round(float(np.std(numbers)), 4) or 1.0, _UNITS.get(name, ""))


def _values(name: str, rows: Sequence[CollectionRow]) -> list[float | str]:
    return [value for row in rows for key, value in row.metadata if key == name and value is not None]
