"""A grid of answers is refused in the same sentence whatever file it comes from; axes of length 1 are no grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from errors import UserError
from models.classifiers.classifier_builder import build_classifier
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.network_input import NetworkInput
from models.graph.output_shape import classes_in_output_shape
from models.graph.runtime_network import RuntimeNetwork


class Canned(RuntimeNetwork):
    """Answers zeros of one shape."""

    kind = "canned"

    def __init__(self, *shape: int) -> None:
        self.shape = shape
        super().__init__("net", [NetworkInput("picture", (None, 8, 8, 3))], [("out", 0.0)])

    @property
    def engine(self) -> InferenceEngineState:
        return InferenceEngineState(InferenceEngine.TFLITE, 1, "0")

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        return [np.zeros((len(arrays[0]), *self.shape), np.float32)]


def test_every_format_refuses_a_grid_in_the_same_words() -> None:
    picture = keras.Input((8, 8, 3))
    with pytest.raises(UserError) as of_keras:
        build_classifier(keras.Model(picture, layers.Conv2D(5, 3, activation="softmax")(picture)), None, Path("net"))
    with pytest.raises(UserError) as of_runtime:
        Canned(6, 6, 5)
    assert str(of_keras.value) == str(of_runtime.value)
    assert str(of_keras.value).startswith("net gives a grid of answers for each picture, 6 x 6 x 5 numbers")
    with pytest.raises(UserError, match="grid of answers for each picture, 5 x 6 x 6 numbers"):
        Canned(5, 6, 6)


def test_axes_of_length_one_are_no_grid() -> None:
    assert [classes_in_output_shape(shape, "net") for shape in ((None, 4), (2, 1, 1, 4), (None, 4, 1, 1), (3,), (None, 1))] == [
        4,
        4,
        4,
        1,
        1,
    ]
    assert Canned(1, 1, 4).units == 4
    with pytest.raises(UserError, match="how many numbers"):
        classes_in_output_shape((None, None), "net")
