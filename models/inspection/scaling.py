"""What a model does to pixels before its first convolution, in words, and whether its card does the same once more, or nobody does."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.cards.card import Card, Scaling
from models.images.preprocessing import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN
from models.inspection.report import Finding
from models.inspection.structure import InputTransform, ModelStructure

_KNOWN = "Plain colours were sent through its graph up to the first convolution."
_GROWTH: dict[Scaling, float] = {"0..1": 1.0, "-1..1": 2.0, "0..255": 255.0, "imagenet": 4.4, "caffe": 255.0}
"""By how much what each scaling gives grows from black to white."""
_ALONE, _BESIDE = 0.05, 0.5


def inside(anatomy: ModelStructure, card: Card, proven: bool) -> Iterator[Finding]:
    """proven: whether pictures show that the card's way is the right one."""
    if anatomy.kind:
        yield Finding("preprocessing", "What it does to pixels inside cannot be seen.", f"It is run from {anatomy.kind}.")
        return
    if not anatomy.inner:
        yield Finding("preprocessing", "What it does to pixels inside is no plain scaling, or there is no convolution.", _KNOWN)
        return
    for inner in anatomy.inner:
        yield Finding("preprocessing", f"{_said(inner)}.", _KNOWN)
        yield from _clash(inner, card, proven)


def recipe(inner: InputTransform) -> Scaling | None:
    """What the model makes of 0..255, or of 0..1, where it is one of the usual ways; None where it is none."""
    slope, offset = np.array(inner.slope), np.array(inner.offset)
    if _near(slope, 1 / 255) and _near(offset, 0):
        return "0..1"
    if (_near(slope, 1 / 127.5) or _near(slope, 2)) and _near(offset, -1):
        return "-1..1"
    if len(slope) == 3:
        deviation, mean = np.array(IMAGENET_DEVIATION), np.array(IMAGENET_MEAN)
        if any(_near(slope * deviation * unit, 1) and _near(offset * deviation + mean, 0) for unit in (1, 255)):
            return "imagenet"
        if _near(slope, 1) and np.allclose(offset, -np.array(CAFFE_MEAN), atol=0.01):
            return "caffe"
    return None


def identity(inner: InputTransform) -> bool:
    """Whether pixels enter the first convolution as they are given."""
    return not inner.backwards and _near(np.array(inner.slope), 1) and _near(np.array(inner.offset), 0)


def _near(values: NDArray[np.float64], wanted: float) -> bool:
    return bool(np.allclose(values, wanted, rtol=2e-3, atol=2e-3 if wanted in (0, -1) else 0))


def _said(inner: InputTransform) -> str:
    if identity(inner):
        return "It takes pixels as they are given: nothing in it scales them"
    known = recipe(inner)
    turned = " and turns RGB into BGR" if inner.backwards else ""
    slopes = ", ".join(f"{value:.4g}" for value in dict.fromkeys(inner.slope))
    offsets = ", ".join(f"{value:.4g}" for value in dict.fromkeys(inner.offset))
    usual = f", the usual scaling {known}" if known else ""
    return f"It scales pixels itself: each is multiplied by {slopes} and has {offsets} added{turned}{usual}"


def _clash(inner: InputTransform, card: Card, proven: bool) -> Iterator[Finding]:
    growth, slope = _GROWTH.get(card.scaling), float(np.mean(np.abs(inner.slope)))
    known = f"{_KNOWN} The card says {card.scaling}{' (inferred)' if card.inferred else ''}."
    if growth is not None and slope < _ALONE and growth < 10:
        says = (
            f"Scaled twice: the card makes pixels {card.scaling}, and the model divides them by about {1 / slope:.0f} once more, so that "
            f"black and white are {growth * slope:.2g} apart at the first convolution. Give the card scaling '0..255'."
        )
        yield Finding("preprocessing", says, known, "warning")
    elif recipe(inner) and slope > _BESIDE and card.scaling not in ("0..1", "0..255"):
        says = f"Scaled twice: the card makes pixels {card.scaling}, and the model scales them once more. Give the card scaling '0..1'."
        yield Finding("preprocessing", says, known, "warning")
    elif growth is not None and identity(inner) and card.scaling == "0..255" and not proven:
        says = (
            "Not scaled at all: neither the card nor the model scales pixels, which reach the first convolution as 0..255. That is right "
            "only for a model that was trained so; show it pictures of known class."
        )
        yield Finding("preprocessing", says, known, "warning")
