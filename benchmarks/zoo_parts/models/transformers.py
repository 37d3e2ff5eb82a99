"""Small Vision Transformers of the usual shapes, with random weights."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

WIDTH, HEADS = 12, 3


@keras.saving.register_keras_serializable("tests")
class ClassToken(layers.Layer):
    """Prepends one trainable token to the patches."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal", name="token")
        super().build(shape)

    def call(self, patches: Any) -> Any:
        return ops.concatenate([ops.repeat(self.token, ops.shape(patches)[0], axis=0), patches], axis=1)


@keras.saving.register_keras_serializable("tests")
class Position(layers.Layer):
    """Adds a trainable position embedding."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.place = self.add_weight(shape=(1, *shape[1:]), initializer="random_normal", name="place")
        super().build(shape)

    def call(self, tokens: Any) -> Any:
        return tokens + self.place


def blocks(tokens: keras.KerasTensor, count: int = 2) -> keras.KerasTensor:
    """Attention and a small network in turn, each added to what it was given."""
    for number in range(count):
        normed = layers.LayerNormalization(name=f"norm{number}a")(tokens)
        mixed = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"attention{number}")(normed, normed)
        tokens = layers.Add(name=f"stream{number}a")([tokens, mixed])
        hidden = layers.Dense(2 * WIDTH, activation="gelu", name=f"hidden{number}")(
            layers.LayerNormalization(name=f"norm{number}b")(tokens)
        )
        tokens = layers.Add(name=f"stream{number}b")([tokens, layers.Dense(WIDTH, name=f"out{number}")(hidden)])
    return layers.LayerNormalization(name="final")(tokens)


def patches(picture: keras.KerasTensor) -> keras.KerasTensor:
    """(n, 24, 16, 3) -> (n, 24, WIDTH): a grid of 6 x 4."""
    return layers.Reshape((24, WIDTH))(layers.Conv2D(WIDTH, 4, strides=4, name="embed")(picture))


def with_class_token() -> keras.Model:
    """The head reads one token that stands for no patch."""
    picture = keras.Input((24, 16, 3))
    tokens = blocks(Position()(ClassToken()(patches(picture))))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(tokens[:, 0]))


def averaged() -> keras.Model:
    """The head reads the mean of all patches."""
    picture = keras.Input((24, 16, 3))
    tokens = blocks(Position()(patches(picture)))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(tokens)))


def flattened() -> keras.Model:
    """As in keras.io's example: patches cut out, a Dense layer embeds them, and the head reads all tokens."""
    picture = keras.Input((24, 16, 3))
    cut = ops.image.extract_patches(picture, (4, 4))
    tokens = blocks(Position()(layers.Dense(WIDTH, name="embed")(layers.Reshape((24, 48))(cut))))
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.Flatten()(tokens)))


def hybrid() -> keras.Model:
    """MobileViT-like: tokens between convolutions, laid back on the grid by the model itself."""
    picture = keras.Input((24, 16, 3))
    tokens = layers.Reshape((6, 4, WIDTH))(blocks(patches(picture), 1))
    maps = layers.Conv2D(8, 3, padding="same", activation="swish", name="last")(tokens)
    return keras.Model(picture, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(maps)))


ALL: tuple[Callable[[], keras.Model], ...] = (with_class_token, averaged, flattened, hybrid)
LAST = {"with_class_token": "stream0b", "averaged": "final", "flattened": "final", "hybrid": "last"}
"""The last layer whose patches, and not the class token alone, speak to the logits: the input of the last block."""
