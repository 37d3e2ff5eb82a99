"""What a model does to pixels before its first convolution, and whether its card scales them a second time, or nothing scales them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.cards.card import Card, Scaling
from models.cards.channel_statistics import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN
from models.inspection.inspection_report import InspectionFinding
from models.inspection.model_structure import InputTransform, ModelStructure

_EVIDENCE = "Plain colours were sent through its graph up to the first convolution."
_RANGE: dict[Scaling, float] = {"0..1": 1.0, "-1..1": 2.0, "0..255": 255.0, "imagenet": 4.4, "caffe": 255.0}
"""How far black and white are apart under each scaling."""
_ALONE, _BESIDE = 0.05, 0.5


def find_scaling_problems(structure: ModelStructure, card: Card, proven: bool) -> Iterator[InspectionFinding]:
    """proven: whether images show that the card's preprocessing is right."""
    if structure.runtime_kind:
        yield InspectionFinding(
            "preprocessing", "What it does to pixels inside cannot be seen.", f"It is run from {structure.runtime_kind}."
        )
        return
    if not structure.input_transforms:
        yield InspectionFinding(
            "preprocessing", "What it does to pixels inside is no plain scaling, or there is no convolution.", _EVIDENCE
        )
        return
    for transform in structure.input_transforms:
        yield InspectionFinding("preprocessing", f"{_description(transform)}.", _EVIDENCE)
        yield from _conflicts(transform, card, proven)


def _identify_scaling(transform: InputTransform) -> Scaling | None:
    """The common scaling that the model applies to 0..255 or 0..1; None where it is none of them."""
    slope, offset = np.array(transform.slope), np.array(transform.offset)
    if _close(slope, 1 / 255) and _close(offset, 0):
        return "0..1"
    if (_close(slope, 1 / 127.5) or _close(slope, 2)) and _close(offset, -1):
        return "-1..1"
    if len(slope) == 3:
        deviation, mean = np.array(IMAGENET_DEVIATION), np.array(IMAGENET_MEAN)
        if any(_close(slope * deviation * unit, 1) and _close(offset * deviation + mean, 0) for unit in (1, 255)):
            return "imagenet"
        if _close(slope, 1) and np.allclose(offset, -np.array(CAFFE_MEAN), atol=0.01):
            return "caffe"
    return None


def _is_identity_transform(transform: InputTransform) -> bool:
    """Whether pixels enter the first convolution unchanged."""
    return not transform.reverses_channels and _close(np.array(transform.slope), 1) and _close(np.array(transform.offset), 0)


def _close(values: NDArray[np.float64], expected: float) -> bool:
    return bool(np.allclose(values, expected, rtol=2e-3, atol=2e-3 if expected in (0, -1) else 0))


def _description(transform: InputTransform) -> str:
    if _is_identity_transform(transform):
        return "It takes pixels as they are given: nothing in it scales them"
    known = _identify_scaling(transform)
    swapped = " and turns RGB into BGR" if transform.reverses_channels else ""
    slopes = ", ".join(f"{value:.4g}" for value in dict.fromkeys(transform.slope))
    offsets = ", ".join(f"{value:.4g}" for value in dict.fromkeys(transform.offset))
    usual = f", the usual scaling {known}" if known else ""
    return f"It scales pixels itself: each is multiplied by {slopes} and has {offsets} added{swapped}{usual}"


def _conflicts(transform: InputTransform, card: Card, proven: bool) -> Iterator[InspectionFinding]:
    value_range, slope = _RANGE.get(card.scaling), float(np.mean(np.abs(transform.slope)))
    known = f"{_EVIDENCE} The card says {card.scaling}{' (inferred)' if card.inferred else ''}."
    if value_range is not None and slope < _ALONE and value_range < 10:
        says = (
            f"Scaled twice: the card makes pixels {card.scaling}, and the model divides them by about {1 / slope:.0f} once more, so that "
            f"black and white are {value_range * slope:.2g} apart at the first convolution. Give the card scaling '0..255'."
        )
        yield InspectionFinding("preprocessing", says, known, "warning")
    elif _identify_scaling(transform) and slope > _BESIDE and card.scaling not in ("0..1", "0..255"):
        says = f"Scaled twice: the card makes pixels {card.scaling}, and the model scales them once more. Give the card scaling '0..1'."
        yield InspectionFinding("preprocessing", says, known, "warning")
    elif value_range is not None and _is_identity_transform(transform) and card.scaling == "0..255" and not proven:
        says = (
            "Not scaled at all: neither the card nor the model scales pixels, which reach the first convolution as 0..255. That is right "
            "only for a model that was trained so; show it pictures of known class."
        )
        yield InspectionFinding("preprocessing", says, known, "warning")
