"""What each cell sees, held against which pixels move it."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from models.classifiers.classifier_builder import build_classifier
from models.inspection.receptive_fields import compute_receptive_fields

SIDE = 64


def headed(picture: keras.KerasTensor, grid: keras.KerasTensor) -> keras.Model:
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(grid)))


def windows() -> keras.Model:
    """Strides, dilations, both poolings, a join of two depths, cells enlarged again."""
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, (5, 3), strides=2, padding="same", name="wide")(picture)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="dilated")(x)
    x = layers.AveragePooling2D(2, name="pooled")(x)
    deep = layers.SeparableConv2D(4, 3, padding="same", name="deep")(x)
    x = layers.Add(name="joined")([layers.Conv2D(4, 1, name="short")(x), deep])
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", name="enlarged")(x)
    x = layers.LayerNormalization(name="normed")(layers.Dense(5, name="cellwise")(x))
    return headed(picture, layers.UpSampling2D(2, name="doubled")(x))


def grouped() -> keras.Model:
    """Convolutions in groups, which a function of their own computes."""
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 5, strides=2, padding="same", groups=1, name="first")(picture)
    return headed(picture, layers.Conv2D(4, 3, strides=2, padding="same", groups=2, name="groups")(x))


def skipping() -> keras.Model:
    """Every fourth cell goes on, as in a stem that is cut from the picture by slices."""
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, padding="same", name="before")(picture)[:, ::4, ::4]
    x = layers.Conv2D(4, 3, padding="same", name="after")(x)
    return headed(picture, layers.Conv2D(4, 3, padding="same", name="last")(x))


def support(model: keras.Model, name: str) -> tuple[int, int]:
    """(height, width) of the pixels that move a cell in the middle, over a few pictures and cells beside each other."""
    inner = keras.Model(model.inputs, model.get_layer(name).output)
    most = (0, 0)
    for near in range(3):
        hit = np.zeros((SIDE, SIDE), bool)
        for seed in range(3):
            picture = tf.constant(np.random.default_rng(seed).random((1, SIDE, SIDE, 3), np.float32))
            with tf.GradientTape() as tape:
                tape.watch(picture)
                answer = inner(picture)
                cell = answer[0, answer.shape[1] // 2 + near, answer.shape[2] // 2 + near, :]
                total = tf.reduce_sum(cell * tf.random.stateless_uniform(cell.shape, (seed, near)))
            hit |= np.abs(tape.gradient(total, picture)[0]).max(-1) > 0
        sides = tuple(int(np.ptp(np.flatnonzero(hit.any(axis)))) + 1 for axis in (1, 0))
        most = (max(most[0], sides[0]), max(most[1], sides[1]))
    return most


@pytest.mark.parametrize("build", [windows, grouped, skipping])
def test_a_cell_sees_the_pixels_that_move_it(build: Callable[[], keras.Model]) -> None:
    model = build()
    trace = build_classifier(model, None, Path("windows.keras")).trace
    found = compute_receptive_fields(trace.prepared, trace.head.logits, trace.layers)
    names = [layer.name for layer in model.layers if len(layer.output.shape) == 4 and layer.name in found]
    assert len(names) >= {windows: 7, grouped: 2, skipping: 3}[build]
    assert {name: found[name] for name in names} == {name: support(model, name) for name in names}


def test_what_mixes_all_places_lets_every_cell_see_everything() -> None:
    picture = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, name="before")(picture)
    gate = layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Conv2D(4, 3, name="after")(layers.Multiply(name="excited")([x, gate]))
    trace = build_classifier(headed(picture, x), None, Path("excited.keras")).trace
    found = compute_receptive_fields(trace.prepared, trace.head.logits, trace.layers)
    assert (found["before"], found["excited"], found["after"]) == ((3, 3), None, None)


class Turned(layers.Layer):
    """Each cell takes the place of the one across."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.image.rot90(x)


class Widened(layers.Layer):
    """Each cell takes the greatest of its neighbours, by an operation that few models have."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.dilation2d(x, tf.zeros((3, 3, x.shape[-1])), [1] * 4, "SAME", "NHWC", [1] * 4)


@pytest.mark.parametrize("layer", [Turned, Widened])
def test_of_an_operation_that_it_does_not_know_it_says_nothing(layer: type[layers.Layer]) -> None:
    picture = keras.Input((SIDE, SIDE, 3))
    x = layer(name="odd")(layers.Conv2D(4, 3, name="before")(picture))
    trace = build_classifier(headed(picture, layers.Conv2D(4, 1, name="after")(x)), None, Path("odd.keras")).trace
    found = compute_receptive_fields(trace.prepared, trace.head.logits, trace.layers)
    assert (found["before"], found["after"]) == ((3, 3), None)


def test_a_published_network_has_its_published_field() -> None:
    backbone = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    trace = build_classifier(headed(backbone.input, backbone.output), None, Path("vgg16.keras")).trace
    found = compute_receptive_fields(trace.prepared, trace.head.logits, trace.layers)
    assert found["block5_pool"] == (212, 212), "Araujo, Norris & Sim 2019, distill.pub/2019/computing-receptive-fields"
