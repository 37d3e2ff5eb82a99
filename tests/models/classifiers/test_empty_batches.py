"""A classifier asked about no pictures answers with no numbers, of the right shape, and asks its model nothing."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from keras import layers
from onnx import TensorProto, helper

from errors import UserError
from models.classifiers.base_classifier import BaseClassifier
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.ensemble import EnsembleClassifier
from models.classifiers.forward_only import ForwardOnlyClassifier
from models.classifiers.score import Score
from models.loading import load_classifier
from tests.models import hostile_files


def direct(folder: Path) -> BaseClassifier:
    return build_classifier(network(12), None, folder / "net.keras")


def ensemble(folder: Path) -> BaseClassifier:
    """Of different sizes, so that a member's pictures are resized one by one."""
    return EnsembleClassifier("both", [build_classifier(network(side), None, folder / f"{side}.keras") for side in (8, 12)])


def onnx_file(folder: Path) -> BaseClassifier:
    shapes = (("picture", TensorProto.FLOAT, ["N", 3, 12, 12]), ("answer", TensorProto.FLOAT, ["N", 3]))
    nodes = [
        helper.make_node("ReduceMax", ["picture"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Softmax", ["mean"], ["answer"]),
    ]
    inputs, outputs = ([helper.make_tensor_value_info(*each)] for each in shapes)
    onnx.save(
        helper.make_model(helper.make_graph(nodes, "small", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        folder / "net.onnx",
    )
    return load_classifier(folder / "net.onnx")


def guarded(folder: Path) -> BaseClassifier:
    """Closed, so that nobody is there who could be asked."""
    made = load_classifier(hostile_files.copied(folder / "net.keras"), trust=False)
    made.close()
    return made


def network(side: int) -> keras.Model:
    picture = keras.Input((side, side, 3))
    maps = layers.Conv2D(4, 3, activation="relu")(picture)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(maps)))


@pytest.mark.parametrize("build", [direct, ensemble, onnx_file, guarded])
def test_no_pictures_get_no_answers_of_the_right_shape(tmp_path: Path, build: Callable[[Path], BaseClassifier]) -> None:
    made = build(tmp_path)
    none, classes = np.zeros((0, *made.size, 3), np.float32), len(made.labels)
    picture = hostile_files.noise((*made.size, 3))
    before = made.traces
    assert made.outputs(none).shape == (0, classes)
    assert made.masked(picture, np.zeros((0, 4, 4), np.float32), picture).shape == (0, classes)
    assert made.probabilities(made.outputs(none)).shape == (0, classes)
    if isinstance(made, ForwardOnlyClassifier):
        with pytest.raises(UserError, match="has no gradients"):
            made.gradients(none, Score(0))
    else:
        assert made.gradients(none, Score(0)).shape == made.pullback(none, np.ones((1, classes), np.float32)).shape == none.shape
    assert made.traces == before


def test_no_pictures_of_a_wrong_size_or_about_a_wrong_class_are_refused(tmp_path: Path) -> None:
    made = direct(tmp_path)
    with pytest.raises(UserError, match="takes pictures of"):
        made.outputs(np.zeros((0, 9, 9, 3), np.float32))
    with pytest.raises(UserError, match="There is no class 7"):
        made.gradients(np.zeros((0, *made.size, 3), np.float32), Score(7))
