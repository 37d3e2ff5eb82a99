"""The usual ways of preparing a picture, and how a classifier is shown each of them though its card says another."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.cards.card import Card, Colour, Scaling
from models.images.preprocessing import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, prepare

Floats = NDArray[np.float32]

_ORDERS: tuple[Colour, ...] = ("rgb", "bgr")
EVEN: tuple[Scaling, ...] = ("0..1", "-1..1", "0..255")
"""Scalings that do the same to every channel."""
SCALINGS: tuple[Scaling, ...] = (*EVEN, "imagenet", "caffe", "per-picture")


@dataclass(frozen=True)
class Preprocessing:
    """A scaling and an order of colours, as cards name them."""

    scaling: Scaling
    colour: Colour

    def __str__(self) -> str:
        return f"{self.scaling} {self.colour.upper() if self.colour != 'grey' else 'grey'}"


def of(card: Card) -> Preprocessing:
    """What the card says."""
    return Preprocessing(card.scaling, card.colour)


def can_be_undone(card: Card) -> bool:
    """Whether what the card does to a picture can be taken back, so that the model can be shown it prepared in another way."""
    return card.scaling in (EVEN if card.colour == "grey" else SCALINGS[:-1])


def usual_candidates(card: Card, images: Floats) -> tuple[Preprocessing, ...]:
    """Today's first, then every other way that differs for such pictures (n, H, W, 3): grey ones have no order of colours to mistake.

    Today's alone where it cannot be undone.
    """
    if card.colour == "grey":
        found = [Preprocessing(scaling, "grey") for scaling in (*EVEN, "per-picture")]
    else:
        found = [Preprocessing(scaling, colour) for scaling, colour in product(SCALINGS, _ORDERS)]
        if float(np.ptp(images, axis=-1).max(initial=0)) < 1 / 255:
            found = [each for each in found if each.colour == "rgb" or each.scaling in ("imagenet", "caffe")]
        else:
            found += [Preprocessing(scaling, "grey") for scaling in EVEN]
    today = of(card)
    if not can_be_undone(card):
        return (today,)
    return (today, *(each for each in found if each != today))


def apply_preprocessing(images: Floats, card: Card, wanted: Preprocessing) -> Floats:
    """(n, H, W, 3) RGB 0..1 -> the pictures which, prepared as the card says, are the given ones prepared as wanted."""
    if wanted == of(card):
        return images
    prepared = prepare(tf.constant(images), replace(card, scaling=wanted.scaling, colour=wanted.colour), 3).numpy()
    return np.asarray(_undone(prepared[..., ::-1] if card.colour == "bgr" else prepared, card.scaling), np.float32)


def _undone(prepared: Floats, scaling: Scaling) -> Floats:
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
