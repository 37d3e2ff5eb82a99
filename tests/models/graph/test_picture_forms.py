"""Pictures in every form in which models take them: as one plane, as a row of numbers, channels first, whole numbers, encoded files."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers

from errors import UserError
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.score import Score
from models.formats.saved_model import SAVED_MODEL
from models.sandbox.checks.saved_model_ops import check_saved_model_operations
from tests.models.classifiers.test_heads_and_pairs import against_differences

SIDE = 12
IMAGE = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
GREY = (IMAGE @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]


def classifier(shape: tuple[int, ...], *before: Any, kit: Any = keras, dtype: str = "float32") -> Any:
    """A small convolutional network behind the layers `before`."""
    kit.utils.set_random_seed(0)
    picture = kit.layers.Input(shape, dtype=dtype)
    x = picture
    for layer in before:
        x = layer(x)
    x = kit.layers.Conv2D(4, 3, activation="tanh")(x)
    return kit.Model(picture, kit.layers.Dense(3, activation="softmax")(kit.layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize(
    ("shape", "before", "given", "layout"),
    [
        ((SIDE, SIDE), [layers.Reshape((SIDE, SIDE, 1))], GREY[..., 0], "plane"),
        ((SIDE * SIDE,), [layers.Reshape((SIDE, SIDE, 1))], GREY.reshape(-1), "flat"),
        ((SIDE * SIDE * 3,), [layers.Reshape((SIDE, SIDE, 3))], IMAGE.reshape(-1), "flat"),
        ((3, SIDE, SIDE), [layers.Permute((2, 3, 1))], np.moveaxis(IMAGE, -1, 0), "first"),
    ],
)
def test_a_picture_is_arranged_as_the_model_takes_it(shape: tuple[int, ...], before: list[Any], given: Any, layout: str) -> None:
    model = classifier(shape, *before)
    served = build_classifier(model, None, Path("net.keras"))
    assert served.size == (SIDE, SIDE)
    np.testing.assert_allclose(served.predict(IMAGE), model(given[None])[0], rtol=1e-4)
    assert [layer.grid for layer in served.layers][-1] == (SIDE - 2, SIDE - 2)
    assert any("taken for a" in note for note in served.card.notes) == (layout == "flat")
    against_differences(served, Score(0))


def test_numbers_that_make_no_square_are_no_picture() -> None:
    model = keras.Sequential([keras.Input((150,)), layers.Dense(2, activation="softmax")])
    with pytest.raises(UserError, match=r"takes input '.*' of shape \(None, 150\); a picture has shape"):
        build_classifier(model, None, Path("net.keras"))


@pytest.mark.parametrize("kit", [keras, tf_keras], ids=["keras 3", "keras 2"])
def test_a_keras_input_of_whole_numbers_has_gradients(kit: Any) -> None:
    model = classifier((SIDE, SIDE, 3), kit.layers.Rescaling(1 / 255), kit=kit, dtype="uint8")
    served = build_classifier(model, None, Path("net.keras"))
    whole = np.rint(IMAGE * 255).astype(np.uint8)
    assert served.card.scaling == "0..255"
    np.testing.assert_allclose(served.predict(whole / np.float32(255)), model(whole[None])[0], rtol=1e-4)
    against_differences(served, Score(0))


class Served(tf.Module):  # type: ignore[misc]
    """A network behind a cast, and behind a decoder."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model, self.kept = model, model.variables

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8)])  # type: ignore[misc]
    def whole(self, image: Any) -> Any:
        return {"scores": self.model(tf.cast(image, tf.float32), training=False)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])  # type: ignore[misc]
    def encoded(self, files: Any) -> Any:
        def one(file: Any) -> Any:
            return tf.ensure_shape(tf.image.resize(tf.io.decode_jpeg(file, channels=3), (SIDE, SIDE)), (SIDE, SIDE, 3))

        return {"scores": self.model(tf.map_fn(one, files, fn_output_signature=tf.float32), training=False)}

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.float32)])  # type: ignore[misc]
    def numbers(self, image: Any) -> Any:
        return {"scores": self.model(image, training=False)}

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3], tf.uint8)])  # type: ignore[misc]
    def counted(self, image: Any) -> Any:
        return {"scores": tf.cast(tf.reduce_sum(tf.cast(image, tf.int32), (1, 2)), tf.float32)}


class Reader(Served):
    """Reads the file that it is given the path of."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])  # type: ignore[misc]
    def reads(self, path: Any) -> Any:
        return {"scores": self.model(tf.io.decode_jpeg(tf.io.read_file(path), channels=3)[None, :SIDE, :SIDE], training=False)}


def test_saved_models_that_take_whole_numbers_or_files(tmp_path: Path) -> None:
    model = classifier((SIDE, SIDE, 3), layers.Rescaling(1 / 255))
    module = Served(model)
    whole = np.rint(IMAGE * 255)
    wanted = model(whole[None].astype(np.float32))[0]
    signatures = {
        "whole": {"serving_default": module.whole},
        "encoded": {"serving_default": module.encoded},
        "both": {"serving_default": module.encoded, "raw": module.numbers},
    }
    for name, each in signatures.items():
        tf.saved_model.save(module, str(tmp_path / name), signatures=each)
        check_saved_model_operations(tmp_path / name)
        served = build_classifier(SAVED_MODEL.open(tmp_path / name), None, tmp_path / name)
        assert served.card.scaling == "0..255"
        np.testing.assert_allclose(served.predict((whole / 255).astype(np.float32)), wanted, rtol=1e-4)
        against_differences(served, Score(0))
        assert [layer.grid for layer in served.layers] == [(SIDE - 2, SIDE - 2)]
        assert not any(op.type.startswith("Decode") for op in served.trace._graph.graph.get_operations()), "no decoder is in reach"


def test_a_graph_that_never_makes_real_numbers_of_a_picture_is_refused(tmp_path: Path) -> None:
    module = Served(classifier((SIDE, SIDE, 3)))
    tf.saved_model.save(module, str(tmp_path / "net"), signatures={"serving_default": module.counted})
    with pytest.raises(UserError, match=r"takes uint8 \('image'\) and nowhere makes real numbers of a whole picture"):
        SAVED_MODEL.open(tmp_path / "net")


def test_a_graph_that_reads_files_is_still_refused(tmp_path: Path) -> None:
    module = Reader(classifier((SIDE, SIDE, 3)))
    tf.saved_model.save(module, str(tmp_path / "net"), signatures={"serving_default": module.reads})
    with pytest.raises(UserError, match="uses TensorFlow's operation 'ReadFile'"):
        SAVED_MODEL.open(tmp_path / "net")
