"""Networks whose gradients finite differences can judge."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import keras

from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier


@cache
def in_float64(build: Callable[[], keras.Model]) -> KerasClassifier:
    """The network that `build` makes, in float64, as a classifier without a card."""
    keras.utils.set_random_seed(3)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        return build_classifier(build(), None, Path(f"{build.__name__}.keras"))
    finally:
        keras.config.set_dtype_policy(policy)
