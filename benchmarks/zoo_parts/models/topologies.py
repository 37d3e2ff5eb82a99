"""Small Keras models of every shape that the graph reader must serve, with random weights."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers


def flat() -> keras.Model:
    """One chain of layers that end in softmax."""
    picture = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="gelu")(picture)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="swish", name="last")(x)
    return keras.Model(picture, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def sequential() -> keras.Model:
    """The shortest there is."""
    conv = layers.Conv2D(6, 3, activation="tanh", name="last")
    return keras.Sequential([keras.Input((24, 24, 3)), conv, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])


def nested() -> keras.Model:
    """A published backbone as one layer of a model: transfer learning as most people write it."""
    backbone = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(64, 64, 3))
    picture = keras.Input((64, 64, 3))
    return keras.Model(picture, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(backbone(picture, training=False))))


def nested_twice() -> keras.Model:
    """Networks in networks in a model."""
    picture = keras.Input((32, 32, 3))
    inner = keras.Sequential([flat_backbone(), layers.Conv2D(6, 1, activation="relu", name="last")], name="inner")
    head = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")], name="head")
    return keras.Model(picture, head(inner(picture)))


def flat_backbone() -> keras.Model:
    """The innermost of `nested_twice`."""
    picture = keras.Input((32, 32, 3))
    return keras.Model(picture, layers.Conv2D(8, 3, strides=4, activation="elu", name="first")(picture), name="backbone")


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A network as a class."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(8, 3, strides=2, activation="relu", name="first")
        self.last = layers.Conv2D(10, 3, strides=2, activation="relu", name="last")
        self.head = layers.Dense(3, activation="softmax")

    def call(self, pictures: Any, training: bool = False) -> Any:
        x = self.last(self.first(pictures))
        return self.head(keras.ops.mean(x, axis=(1, 2)))


def subclassed() -> keras.Model:
    """Layers that only its own code puts together."""
    model = Subclassed()
    model(keras.Input((32, 32, 3)))
    return model


class AsFunction(Subclassed):
    """Its call is a `tf.function`, which is one operation in the caller's graph."""

    @tf.function
    def call(self, pictures: Any, training: bool = False) -> Any:
        return self.head(keras.ops.mean(self.last(self.first(pictures)), axis=(1, 2)))


def as_function() -> keras.Model:
    """As `subclassed`, but one operation hides the others."""
    model = AsFunction()
    model(keras.Input((32, 32, 3)))
    return model


def two_branches() -> keras.Model:
    """Two published backbones that see the same picture, and one sigmoid."""
    shape = (64, 64, 3)
    light = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=shape)
    dense = keras.applications.DenseNet169(weights=None, include_top=False, input_shape=shape)
    picture = keras.Input(shape)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(light(picture)), layers.GlobalAveragePooling2D()(dense(picture))])
    x = layers.Dense(16, activation="relu")(layers.Dropout(0.5)(layers.BatchNormalization()(x)))
    return keras.Model(picture, layers.Dense(1, activation="sigmoid")(x))


def flatten_head() -> keras.Model:
    """A head that knows each cell's position."""
    conv = layers.Conv2D(5, 5, strides=3, activation="relu", name="last")
    return keras.Sequential([keras.Input((20, 20, 3)), conv, layers.Flatten(), layers.Dense(3, activation="softmax")])


def ends_in_logits() -> keras.Model:
    """No activation at its end."""
    conv = layers.Conv2D(5, 5, strides=3, activation="relu", name="last")
    return keras.Sequential([keras.Input((20, 20, 3)), conv, layers.GlobalMaxPooling2D(), layers.Dense(3)])


def efficientnet() -> keras.Model:
    """A backbone that scales its input itself."""
    return keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=4)


def convnext() -> keras.Model:
    """A backbone with layer normalisation."""
    return keras.applications.ConvNeXtTiny(weights=None, input_shape=(64, 64, 3), classes=4)


def vgg16() -> keras.Model:
    """A backbone with two large dense layers."""
    return keras.applications.VGG16(weights=None, input_shape=(48, 48, 3), classes=4)


def without_a_grid() -> keras.Model:
    """No convolution at all."""
    dense = layers.Dense(12, activation="tanh")
    return keras.Sequential([keras.Input((12, 12, 3)), layers.Flatten(), dense, layers.Dense(3, activation="softmax")])


def multi_label() -> keras.Model:
    """A sigmoid for each class."""
    conv = layers.Conv2D(6, 3, activation="relu", name="last")
    return keras.Sequential([keras.Input((16, 16, 3)), conv, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="sigmoid")])


def grey() -> keras.Model:
    """One channel, and two units for two classes."""
    conv = layers.Conv2D(6, 3, activation="relu", name="last")
    return keras.Sequential([keras.Input((16, 16, 1)), conv, layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")])


ALL: tuple[Callable[[], keras.Model], ...] = (
    flat,
    sequential,
    nested,
    nested_twice,
    subclassed,
    as_function,
    two_branches,
    flatten_head,
    ends_in_logits,
    efficientnet,
    convnext,
    vgg16,
    without_a_grid,
    multi_label,
    grey,
)
