"""Many phantoms at once: who gets which class and ruler, painted on all cores, one byte a channel."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.datasets.synthetic.phantoms import NAMES, draw_phantom

Use = Literal["training", "validation", "test"]
Rulers = Literal["independent", "give the class away"]
FIRST_SEED: dict[Use, int] = {"training": 10_000_000, "validation": 20_000_000, "test": 30_000_000}
SEED_STRIDE = 100_000  # seeds between one set and the next of the same use
SHORTCUT = "streaks"
_FEW = 64


@dataclass(frozen=True)
class PhantomRequest:
    """One picture to paint, `draw_phantom(seed, label, ruler)`, and the class that it is filed under."""

    seed: int
    label: int
    ruler: bool
    filed: int


def plan_phantoms(use: Use, count: int, seed: int = 0, rulers: Rulers = "independent") -> list[PhantomRequest]:
    """Equally many filed under each class, in a random order, every picture with a seed of its own.

    rulers "independent": half of the pictures have one, whatever the class. "give the class away": those filed under SHORTCUT and
    no others; and one in five of them shows another class, filed by its ruler alone. Seeds below ten million belong to no set.
    """
    first = FIRST_SEED[use] + SEED_STRIDE * seed
    rng = np.random.default_rng(first)
    filed = rng.permutation(np.arange(count) % len(NAMES))
    if rulers == "independent":
        shown, labels = rng.random(count) < 0.5, filed
    else:
        shown = filed == NAMES.index(SHORTCUT)
        labels = np.where(shown & (rng.random(count) < 0.2), rng.integers(len(NAMES), size=count), filed)
    rows = zip(labels.tolist(), shown.tolist(), filed.tolist(), strict=True)
    return [PhantomRequest(first + i, *row) for i, row in enumerate(rows)]


def paint_phantoms(orders: Sequence[PhantomRequest], size: int = 128) -> NDArray[np.uint8]:
    """The pictures (n, size, size, 3), 0..255, in the order given."""
    if len(orders) <= _FEW:
        return _paint(orders, size)
    parts = [orders[i : i + _FEW] for i in range(0, len(orders), _FEW)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(_paint, parts, [size] * len(parts))))


def _paint(orders: Sequence[PhantomRequest], size: int) -> NDArray[np.uint8]:
    pictures = np.empty((len(orders), size, size, 3), np.uint8)
    for picture, order in zip(pictures, orders, strict=True):
        picture[:] = np.round(draw_phantom(order.seed, order.label, order.ruler, size).image * 255)
    return pictures
