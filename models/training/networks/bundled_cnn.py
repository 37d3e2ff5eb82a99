"""The small convolutional network that the bundled classifiers are: blocks of convolutions, the mean over the picture, a softmax."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

WIDTHS = (16, 24, 32, 48, 64)


def build_small_cnn(name: str, size: int, classes: int, widths: tuple[int, ...] = WIDTHS) -> "keras.Model":
    """(size, size, 3) 0..1 -> probabilities; the last convolution's grid is an eighth of the picture, 16 x 16 at 128 px.

    The last convolution mixes channels only, so that a cell sees no more of the picture than the evidence needs: 39 px.
    """
    import keras
    from keras import layers

    picture = keras.Input((size, size, 3), name="picture")
    maps = picture
    for number, width in enumerate(widths, 1):
        side, stride = (5, 2) if number == 1 else (1 if number == len(widths) else 3, 1)
        maps = layers.Conv2D(width, side, stride, "same", use_bias=False, name=f"conv{number}")(maps)
        maps = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(maps)
        maps = layers.ReLU(name=f"relu{number}")(maps)
        if number in (2, 3):
            maps = layers.MaxPooling2D(name=f"pool{number}")(maps)
    mean = layers.GlobalAveragePooling2D(name="mean")(maps)
    return keras.Model(picture, layers.Dense(classes, activation="softmax", name="classes")(mean), name=name)
