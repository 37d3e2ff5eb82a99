"""Layers bear exactly the names that Keras gives them, however they are nested, shared or repeated, and no others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers, ops

from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.graph.frozen_graph import load_saved_model

SIDE = 16


def named_by_keras(kit: Any = keras) -> Any:
    """Two convolutions of one shape and a third, all named by Keras alone: conv2d, conv2d_1, conv2d_2."""
    kit.backend.clear_session()
    kit.utils.set_random_seed(0)
    conv, norm = kit.layers.Conv2D, kit.layers.BatchNormalization
    inner = [conv(4, 3, activation="relu"), conv(4, 3, activation="relu"), norm(), kit.layers.MaxPooling2D(), conv(4, 3), norm()]
    return kit.Sequential([kit.layers.InputLayer((SIDE, SIDE, 3)), *inner, kit.layers.GlobalAveragePooling2D(), kit.layers.Dense(3)])


def nested() -> Any:
    """Networks in a network; both call their only convolution conv2d."""
    keras.backend.clear_session()
    parts = []
    for name in ("stem", "body"):
        picture = keras.Input((SIDE, SIDE, 3))
        parts.append(keras.Model(picture, layers.Conv2D(3, 3, padding="same", name="conv2d_1")(picture), name=name))
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(3, 3, padding="same", name="conv2d_1")(parts[1](parts[0](picture)))
    return keras.Model(picture, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))


def repeated() -> Any:
    """One convolution called three times, beside the one whose name Keras' counting of calls would clash with."""
    keras.backend.clear_session()
    picture = keras.Input((SIDE, SIDE, 3))
    again, other = layers.Conv2D(3, 3, padding="same", name="conv2d"), layers.Conv2D(3, 3, padding="same", name="conv2d_1")
    x = again(other(again(again(picture))))
    return keras.Model(picture, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))


def shared() -> Any:
    """A network used for two inputs."""
    keras.backend.clear_session()
    base = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Conv2D(3, 3), layers.Conv2D(4, 3)], name="embed")
    left, right = keras.Input((SIDE, SIDE, 3), name="left"), keras.Input((SIDE, SIDE, 3), name="right")
    distance = ops.abs(layers.GlobalAveragePooling2D()(base(left)) - layers.GlobalAveragePooling2D()(base(right)))
    return keras.Model([left, right], layers.Dense(2)(distance))


class Block(layers.Layer):  # type: ignore[misc]
    """A layer of layers with work of its own between and behind them."""

    def build(self, shape: Any) -> None:
        self.inside = layers.Conv2D(3, 1, name="gate")
        self.inside.build(shape)

    def call(self, x: Any) -> Any:
        return ops.relu(x * self.inside(ops.tanh(x)))


def of_blocks() -> Any:
    """Layers made of layers, an activation given as a layer, and arithmetic between layers."""
    keras.backend.clear_session()
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(3, 3, activation=layers.LeakyReLU(name="leaky"), name="first")(picture)
    x = Block(name="attention")(x) + x
    return keras.Model(picture, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (named_by_keras, ["conv2d", "conv2d_1", "batch_normalization", "max_pooling2d", "conv2d_2", "batch_normalization_1"]),
        (
            lambda: named_by_keras(tf_keras),
            ["conv2d", "conv2d_1", "batch_normalization", "max_pooling2d", "conv2d_2", "batch_normalization_1"],
        ),
        (nested, ["stem/conv2d_1", "body/conv2d_1", "conv2d_1"]),
        (repeated, ["conv2d", "conv2d (use 2)", "conv2d_1", "conv2d (use 3)"]),
        (shared, ["embed/conv2d", "embed/conv2d_1", "embed/conv2d (use 2)", "embed/conv2d_1 (use 2)"]),
        (of_blocks, ["first", "attention/gate", "attention", "add"]),
    ],
)
def test_layers_are_called_as_keras_calls_them(build: Callable[[], Any], names: list[str]) -> None:
    served = build_classifier(build(), None, Path("net.keras"))
    assert [layer.name for layer in served.layers] == names


def test_the_map_of_a_layer_is_that_layers(tmp_path: Path) -> None:
    """Against the same network taken apart layer by layer, in every form that keeps names."""
    model = named_by_keras()
    image = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    model.export(str(tmp_path / "net"), verbose=False)
    for served in (
        build_classifier(model, None, Path("a.keras")),
        build_classifier(load_saved_model(str(tmp_path / "net"), "net"), None, tmp_path / "net"),
    ):
        for name in ("conv2d", "conv2d_1", "conv2d_2"):
            maps, gradients = by_hand(model, image, name)
            (answer,) = served.features(image, [served.layer(name)], Score(0))
            np.testing.assert_allclose(answer.maps, maps, atol=1e-5)
            np.testing.assert_allclose(answer.gradients, gradients, atol=1e-5)


def by_hand(model: Any, image: Any, name: str) -> tuple[Any, Any]:
    """The layer's maps and the gradients of class 0's centred logit, by calling one layer after the other."""
    x, maps = tf.constant(image[None]), None
    with tf.GradientTape() as tape:
        for layer in model.layers:
            x = layer(x, training=False)
            if layer.name == name:
                tape.watch(x)
                maps = x
        score = x[0, 0] - tf.reduce_mean(x[0])
    return maps[0].numpy(), tape.gradient(score, maps)[0].numpy()


def test_a_network_inside_stands_for_its_last_layer_and_its_inner_names_suffice() -> None:
    served: KerasClassifier = build_classifier(shared(), None, Path("net.keras"))
    assert served.layer("embed").name == "embed/conv2d_1 (use 2)"
    assert build_classifier(nested(), None, Path("net.keras")).layer("stem").name == "stem/conv2d_1"


def test_a_model_that_is_traced_twice_keeps_its_names_and_keras_its_methods() -> None:
    model, before = named_by_keras(), keras.Operation.__call__
    first = build_classifier(model, None, Path("net.keras"))
    assert [x.name for x in build_classifier(model, None, Path("net.keras")).layers] == [x.name for x in first.layers]
    assert keras.Operation.__call__ is before
