"""Shows a classifier the same pictures prepared in every usual way, and once more after changes that should not matter."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from models.answering import Answering
from models.doctor.preparing import Preparing, shown_as, usual
from models.doctor.ranking import Answers

Floats = NDArray[np.float32]

CHANGED = 16
"""Pictures that are changed, too: each in four ways, for every way of preparing."""
_AT_ONCE = 8
_SHIFT, _DARKER, _BLUR = 0.04, 0.9, 0.7  # of the sides; times; pixels


def answers(served: Answering[Any], images: Floats) -> list[Answers]:
    """images: (n, H, W, 3) as the classifier takes them. The way that its card says comes first."""
    return [_answers(served, images, each) for each in usual(served.card, images)]


def _answers(served: Answering[Any], images: Floats, preparing: Preparing) -> Answers:
    some = images[:CHANGED]
    changed = [probabilities(served, shown_as(each, served.card, preparing)) for each in harmless(some)]
    return Answers(preparing, probabilities(served, shown_as(images, served.card, preparing)), np.stack(changed))


def probabilities(served: Answering[Any], images: Floats) -> NDArray[np.float64]:
    """(n, H, W, 3) -> (n, classes), a few pictures at a time; 0 for every class where an answer is no number."""
    logits = [served.outputs(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    with np.errstate(invalid="ignore", over="ignore"):
        found = served.probabilities(np.concatenate(logits)).astype(np.float64)
    return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, 0.0)


def harmless(images: Floats) -> tuple[Floats, ...]:
    """(n, H, W, 3) -> the same mirrored, shifted, darker, and blurred: what they show stays the same."""
    height, width = images.shape[1:3]
    moved = shift(images, (0, round(_SHIFT * height), round(_SHIFT * width), 0), order=0, mode="nearest")
    blurred = gaussian_filter(images, (0, _BLUR, _BLUR, 0), mode="nearest")
    return images[:, :, ::-1], moved, images * np.float32(_DARKER), blurred
