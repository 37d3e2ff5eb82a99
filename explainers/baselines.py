"""What a hidden part of a picture is replaced by, so that the classifier no longer sees what was there."""

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.classifier_protocol import Floats


class BaselineFill(StrEnum):
    """The choices of a user; their values stand in flags, manifests and libraries."""

    BLUR = "blur"
    MEAN_COLOUR = "mean colour"
    BLACK = "black"
    SEGMENT_MEAN = "segment mean"


FILLS: tuple[str, ...] = tuple(str(fill) for fill in BaselineFill)
BLUR = 0.1
"""The blur's standard deviation as a share of the picture's shorter side: shapes go, the light and colour of a place stay."""
NARROW = "blur of 11 px"
"""What insertion starts from by custom (RISE): a window of 11 px, standard deviation 5 px. No choice for hiding; it leaves shapes."""


def make_baseline_image(image: Floats, fill: str, segments: NDArray[np.int64] | None = None) -> Floats:
    """The picture (H, W, 3) that shows through where `image` (H, W, 3) is hidden. Only "segment mean" reads `segments` (H, W)."""
    if fill == BaselineFill.BLUR:
        return _blurred(image)
    if fill == NARROW:
        return np.clip(cv2.GaussianBlur(image, (11, 11), 5, borderType=cv2.BORDER_REFLECT), 0, 1).astype(np.float32)
    if fill == BaselineFill.MEAN_COLOUR:
        return np.broadcast_to(image.mean((0, 1), dtype=np.float64).astype(np.float32), image.shape).copy()
    if fill == BaselineFill.BLACK:
        return np.zeros(image.shape, np.float32)
    if fill == BaselineFill.SEGMENT_MEAN and segments is not None:
        return _segment_means(image, segments)
    raise UserError(f"The fill is {fill!r}; it must be one of {', '.join(FILLS)}.")


def _blurred(image: Floats) -> Floats:
    sigma = BLUR * min(image.shape[:2])
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.clip(blurred, 0, 1).astype(np.float32)


def _segment_means(image: Floats, segments: NDArray[np.int64]) -> Floats:
    labels = segments.ravel()
    sizes = np.maximum(np.bincount(labels), 1)
    means = np.stack([np.bincount(labels, image[..., c].ravel()) / sizes for c in range(image.shape[2])], axis=-1)
    return means[segments].astype(np.float32)
