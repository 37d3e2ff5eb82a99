"""The published networks with random weights, at small pictures."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from models.cards.card import Scaling

SIDE, LEAST = 64, {"Xception": 71}
SCALING: dict[str, Scaling] = {
    "MobileNetV2": "-1..1",
    "MobileNetV3Small": "0..255",
    "EfficientNetB0": "0..255",
    "ResNet50": "caffe",
    "DenseNet121": "imagenet",
    "ConvNeXtTiny": "0..255",
    "VGG16": "caffe",
    "Xception": "-1..1",
}
"""What each was published for; those of 0..255 scale their input themselves."""


def network(name: str) -> Callable[[], keras.Model]:
    """The builder of that network with a softmax over four classes, its layers in one chain with the head's."""

    def build() -> Any:
        side = LEAST.get(name, SIDE)
        body = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(side, side, 3))
        head = layers.Dense(4, activation="softmax", name="head")(layers.GlobalAveragePooling2D(name="pooled")(body.output))
        return keras.Model(body.inputs, head, name=name.lower())

    build.__name__ = name
    return build


def two_branches() -> keras.Model:
    """Two of them on the same picture, with one sigmoid over both."""
    shape = (LEAST["Xception"], LEAST["Xception"], 3)
    picture = keras.Input(shape)
    light = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=shape, alpha=0.35)
    deep = keras.applications.Xception(weights=None, include_top=False, input_shape=shape)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(body(picture)) for body in (light, deep)])
    x = layers.Dense(16, activation="relu")(layers.Dropout(0.5)(layers.BatchNormalization()(x)))
    return keras.Model(picture, layers.Dense(1, activation="sigmoid")(x))
