"""Colour patches on grey: pictures for the glass box, a classifier whose evidence in every pixel follows from a formula.

The formula is written here with its own constants, apart from the weights in `models/training/recipes/glass_box.py`, so that each
checks the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.synthetic.parts.canvas import Floats, drawing_surface, fill_polygon, pixel_coverage, smooth_random_field

LABELS = (
    ClassLabel("red", "Most of the coloured area is red."),
    ClassLabel("green", "Most of the coloured area is green."),
    ClassLabel("blue", "Most of the coloured area is blue."),
    ClassLabel("yellow", "Most of the coloured area is yellow."),
)
NAMES = tuple(label.name for label in LABELS)
BIAS = np.array([0.125, 0.0, -0.125, 0.25])
_PAINTS = np.array([[0.84, 0.16, 0.15], [0.14, 0.66, 0.25], [0.14, 0.27, 0.83], [0.92, 0.80, 0.14]], np.float32)


@dataclass(frozen=True)
class ColourPatchPicture:
    """image: (H, W, 3) 0..1 in steps of 1/255. evidence: (H, W), where the label's colour is."""

    image: Floats
    label: str
    evidence: NDArray[np.bool_]
    seed: int


def exact_pixel_evidence(image: Floats) -> NDArray[np.float64]:
    """e_c(p) = sum_k W_kc a_k(p) / Z with Z the number of pixels: (H, W, 3) -> (H, W, classes), float64.

    Its sum over the picture is each class's logit less BIAS. a_k are the detectors' answers, zero on grey.
    """
    red, green, blue = np.moveaxis(np.asarray(image, np.float64), -1, 0)
    reddish = np.maximum(0.0, 2 * (red - green) - blue - 0.1875)
    greenish = np.maximum(0.0, 2 * (green - red) - blue / 2 - 0.1875)
    bluish = np.maximum(0.0, 2 * blue - red - green - 0.1875)
    yellowish = np.maximum(0.0, red + green - 2 * blue - 0.1875)
    dark = np.maximum(0.0, 0.3125 - red - green - blue)
    per_class = (
        90 * reddish - 20 * yellowish - 5 * dark,
        90 * greenish - 20 * yellowish - 5 * dark,
        70 * bluish - 10 * reddish - 5 * dark,
        70 * yellowish - 60 * reddish - 60 * greenish - 5 * dark,
    )
    return np.asarray(np.stack(per_class, -1) / red.size)


def draw_colour_patches(seed: int, label: str, size: int = 128) -> ColourPatchPicture:
    """The picture that `seed` and `label` stand for: large patches of the label's colour, small ones of other colours."""
    if label not in NAMES:
        raise UserError(f"The glass box knows no {label!r}; its classes are {', '.join(NAMES)}.")
    rng = np.random.default_rng(seed)
    target = NAMES.index(label)
    image = _background(rng, size)
    evidence: Floats = np.zeros((size, size), np.float32)
    large = int(rng.integers(1, 4))
    others = rng.permutation([c for c in range(len(NAMES)) if c != target])[: int(rng.integers(1, 4))]
    places = _places(rng)
    for colour, place in zip([*others, *[target] * large], places, strict=False):
        radius = rng.uniform(0.105, 0.14) if colour == target else rng.uniform(0.045, 0.058)
        cover = _blob(rng, place, radius, size)
        shade = rng.uniform(0.85, 1.08) * (1 + smooth_random_field(rng.normal(0, 0.12, (5, 5)).astype(np.float32), size))
        image += cover[..., None] * (_PAINTS[colour] * shade[..., None] - image)
        evidence = np.maximum(evidence, cover) if colour == target else evidence * (1 - cover)
    image = np.round(np.clip(image + rng.normal(0, 0.008, image.shape), 0, 1) * 255) / 255
    return ColourPatchPicture(image.astype(np.float32), label, evidence > 0.5, seed)


def _background(rng: np.random.Generator, size: int) -> Floats:
    grey = rng.uniform(0.35, 0.75) + smooth_random_field(rng.normal(0, 0.07, (5, 5)).astype(np.float32), size)
    grey += smooth_random_field(rng.normal(0, 0.025, (24, 24)).astype(np.float32), size)
    return np.repeat(grey.astype(np.float32)[..., None], 3, -1)


def _places(rng: np.random.Generator) -> Floats:
    """Six places far from each other, on a jittered 3 x 3 lattice."""
    rows, columns = np.divmod(rng.permutation(9)[:6], 3)
    return np.stack([columns, rows], -1) * 0.31 + 0.19 + rng.uniform(-0.025, 0.025, (6, 2))


def _blob(rng: np.random.Generator, place: Floats, radius: float, size: int) -> Floats:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = sum(rng.normal(0, 0.10) * np.cos(n * turn + rng.uniform(0, 2 * np.pi)) for n in (2, 3, 4))
    reach = radius * np.clip(1 + waves, 0.75, 1.25)
    surface = drawing_surface(size)
    fill_polygon(surface, place + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1), size)
    return pixel_coverage(surface, size)
