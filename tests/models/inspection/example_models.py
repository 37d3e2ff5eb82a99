"""Small models whose right way of preparing pictures is known because it was built in, and pictures that show it."""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from models.cards.card import Card, ClassLabel
from models.inspection.labelled_image import LabelledImage

SIDE = 24
NAMES = ("dark", "bright")


def meter(path: Path, threshold: float, per_unit: float, before: tuple[layers.Layer, ...] = ()) -> Path:
    """Tells bright pictures from dark ones: the logit of "bright" is (mean over colours and places - threshold) / per_unit."""
    mean = layers.Conv2D(1, 3, padding="valid", name="mean")
    answer = layers.Dense(2, activation="softmax", name="answer")
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *before, mean, layers.GlobalAveragePooling2D(), answer])
    mean.set_weights([np.full((3, 3, 3, 1), 1 / 27, np.float32), np.zeros(1, np.float32)])
    answer.set_weights([np.array([[0, 1 / per_unit]], np.float32), np.array([0, -threshold / per_unit], np.float32)])
    model.save(path)
    return path


def carded(path: Path, **fields: object) -> Path:
    """The model with a card of these fields beside it."""
    Card(path.stem, tuple(map(ClassLabel, NAMES)), (SIDE, SIDE), **fields).write(path.with_suffix(".json"))  # type: ignore[arg-type]
    return path


def shades(count: int, names: tuple[str | None, ...] = NAMES, seed: int = 0) -> list[LabelledImage]:
    """Dark and bright pictures in turn, grainy, of a mean from 0.25 to 0.42 and from 0.58 to 0.75."""
    rng = np.random.default_rng(seed)
    means = [rng.uniform(0.25, 0.42) + (number % 2) * 0.33 for number in range(count)]
    grain = rng.normal(0, 0.08, (count, SIDE, SIDE, 3))
    return [LabelledImage(np.clip(mean + grain[i], 0, 1).astype(np.float32), names[i % 2]) for i, mean in enumerate(means)]
