"""The common preprocessing candidates, and images that reach a model preprocessed by one of them whatever its card states."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.cards.card import Card, Colour, Scaling
from models.cards.channel_statistics import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN
from models.graph.preprocessing import preprocess_images

Floats = NDArray[np.float32]

_CHANNEL_ORDERS: tuple[Colour, ...] = ("rgb", "bgr")
CHANNEL_UNIFORM: tuple[Scaling, ...] = ("0..1", "-1..1", "0..255")
"""Scalings that treat every channel alike."""
SCALINGS: tuple[Scaling, ...] = (*CHANNEL_UNIFORM, "imagenet", "caffe", "per-picture")


@dataclass(frozen=True)
class PreprocessingScheme:
    """A scaling and a channel order, as cards name them."""

    scaling: Scaling
    colour: Colour

    def __str__(self) -> str:
        return f"{self.scaling} {self.colour.upper() if self.colour != 'grey' else 'grey'}"


def _card_preprocessing(card: Card) -> PreprocessingScheme:
    """What the card states."""
    return PreprocessingScheme(card.scaling, card.colour)


def is_preprocessing_invertible(card: Card) -> bool:
    """Whether the card's preprocessing can be inverted, so that the model can be given another one."""
    return card.scaling in (CHANNEL_UNIFORM if card.colour == "grey" else SCALINGS[:-1])


def list_preprocessing_candidates(card: Card, images: Floats) -> tuple[PreprocessingScheme, ...]:
    """The current one first, then every other that differs for these images (n, H, W, 3): grey ones have no channel order.

    The current one alone where it cannot be inverted.
    """
    if card.colour == "grey":
        found = [PreprocessingScheme(scaling, "grey") for scaling in (*CHANNEL_UNIFORM, "per-picture")]
    else:
        found = [PreprocessingScheme(scaling, colour) for scaling, colour in product(SCALINGS, _CHANNEL_ORDERS)]
        if float(np.ptp(images, axis=-1).max(initial=0)) < 1 / 255:
            found = [each for each in found if each.colour == "rgb" or each.scaling in ("imagenet", "caffe")]
        else:
            found += [PreprocessingScheme(scaling, "grey") for scaling in CHANNEL_UNIFORM]
    current = _card_preprocessing(card)
    if not is_preprocessing_invertible(card):
        return (current,)
    return (current, *(each for each in found if each != current))


def apply_preprocessing(images: Floats, card: Card, preprocessing: PreprocessingScheme) -> Floats:
    """(n, H, W, 3) RGB 0..1 -> the images that the card's preprocessing turns into what `preprocessing` makes of the given ones."""
    if preprocessing == _card_preprocessing(card):
        return images
    prepared = preprocess_images(tf.constant(images), replace(card, scaling=preprocessing.scaling, colour=preprocessing.colour), 3).numpy()
    return np.asarray(_inverted(prepared[..., ::-1] if card.colour == "bgr" else prepared, card.scaling), np.float32)


def _inverted(prepared: Floats, scaling: Scaling) -> Floats:
    match scaling:
        case "0..1":
            return prepared
        case "-1..1":
            return np.asarray((prepared + 1) / 2, np.float32)
        case "0..255":
            return np.asarray(prepared / 255, np.float32)
        case "imagenet":
            return np.asarray(prepared * np.array(IMAGENET_DEVIATION) + np.array(IMAGENET_MEAN), np.float32)
        case "caffe":
            return np.asarray((prepared + np.array(CAFFE_MEAN)) / 255, np.float32)
    raise AssertionError(scaling)
