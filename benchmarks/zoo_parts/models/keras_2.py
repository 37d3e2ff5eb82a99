"""Networks of Keras 2, which is what most model files on the net were written by."""

import warnings
from pathlib import Path

import tf_keras
from tf_keras import layers

SIDE = 64


def plain() -> tf_keras.Model:
    """A chain with a depthwise convolution, whose `groups` Keras 3 does not read."""
    picture = layers.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, activation="swish", name="first")(picture)
    x = layers.BatchNormalization(name="normal")(x)
    x = layers.Activation("relu", name="bent")(layers.DepthwiseConv2D(3, name="depthwise")(x))
    return tf_keras.Model(picture, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def sequential() -> tf_keras.Model:
    """Convolutions, pooling, Flatten and dense layers: the network of every tutorial."""
    body = [
        layers.Conv2D(8, 3, activation="relu", name="first"),
        layers.MaxPooling2D(),
        layers.Conv2D(12, 3, activation="relu", name="last"),
    ]
    return tf_keras.Sequential(
        [layers.Input((32, 32, 3)), *body, layers.Flatten(), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )


def transfer() -> tf_keras.Model:
    """MobileNetV2 as one layer of a Sequential model."""
    backbone = tf_keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    return tf_keras.Sequential([backbone, layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")])


def two_branches() -> tf_keras.Model:
    """Two networks, each a layer of the model, see the same picture."""
    picture = layers.Input((32, 32, 3), name="picture")
    means = []
    for name, width, stride in (("light", 6, 2), ("heavy", 8, 4)):
        inner = layers.Input((32, 32, 3))
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_first")(inner)
        x = layers.Conv2D(width, 3, stride, activation="relu", name=f"{name}_last")(x)
        means.append(layers.GlobalAveragePooling2D()(tf_keras.Model(inner, x, name=name)(picture)))
    return tf_keras.Model(picture, layers.Dense(1, activation="sigmoid")(layers.Concatenate()(means)))


def teachable_machine() -> tf_keras.Model:
    """As Teachable Machine exports it: two Sequential models in one, the first around MobileNetV2 of 0.35 width."""
    backbone = tf_keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3), alpha=0.35)
    seen = tf_keras.Sequential([backbone, layers.GlobalAveragePooling2D()])
    head = tf_keras.Sequential([layers.Dense(100, activation="relu"), layers.Dense(2, use_bias=False, activation="softmax")])
    return tf_keras.Sequential([seen, head])


def saved(model: tf_keras.Model, path: Path) -> Path:
    """path: .h5, .keras or a folder. Keras 2 advises its own successor's format, which is not the point here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(str(path))
    return path
