"""Fits a picture to a classifier's input size, and gives its position in the result."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING = 0.5  # letterbox bars are mid-grey: neither dark nor bright, and 0 for models that take -1..1


def fit_to_size(picture: NDArray[np.float32], size: tuple[int, int], how: Literal["letterbox", "crop", "stretch"]) -> NDArray[np.float32]:
    """(h, w, 3) in 0..1 -> (H, W, 3) in 0..1, for size (H, W) in pixels.

    letterbox: the whole picture, centred, between mid-grey bars. crop: fills the size, the excess cut off evenly at both
    ends. stretch: each side by itself. Downscaling averages over areas, upscaling is half-pixel bilinear.
    """
    if how == "stretch":
        return _resize(picture, size)
    if how == "crop":
        return _crop(picture, size)
    top, left, height, width = letterbox_content_box(picture.shape[:2], size)
    framed = np.full((*size, 3), PADDING, np.float32)
    framed[top : top + height, left : left + width] = _resize(picture, (height, width))
    return framed


@dataclass(frozen=True)
class PicturePlacement:
    """How the result of `fit` corresponds to the picture, so that a map can be overlaid on it. Boxes: top, left, height, width.

    content: the picture in the result, in its pixels; the rest is bars. source: the part of the picture shown there, in the
    picture's pixels.
    """

    content: tuple[int, int, int, int]
    source: tuple[int, int, int, int]


def compute_placement(shape: tuple[int, ...], size: tuple[int, int], how: Literal["letterbox", "crop", "stretch"]) -> PicturePlacement:
    """The placement of a picture of shape (h, w) that is fitted to `size` (H, W)."""
    whole = (0, 0, shape[0], shape[1])
    if how == "letterbox":
        return PicturePlacement(letterbox_content_box(shape, size), whole)
    return PicturePlacement((0, 0, *size), _centre_crop(shape, size) if how == "crop" else whole)


def letterbox_content_box(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box of a letterboxed picture of shape (h, w) inside `size` (H, W): top, left, height, width in pixels."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    height, width = (min(full, max(1, round(side * scale))) for side, full in zip(shape[:2], size, strict=True))
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width


def _crop(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    top, left, rows, columns = _centre_crop(picture.shape, size)
    return _resize(picture[top : top + rows, left : left + columns], size)


def _centre_crop(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The centre crop of a picture (h, w) with the aspect ratio of `size`: top, left, height, width."""
    height, width = shape[:2]
    scale = max(size[0] / height, size[1] / width)
    rows, columns = (min(side, max(1, round(full / scale))) for side, full in zip((height, width), size, strict=True))
    return (height - rows) // 2, (width - columns) // 2, rows, columns


def _resize(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    # OpenCV averages areas only where both sides shrink, so a picture with one side shrinking and the other growing takes two steps.
    smaller = tuple(min(side, full) for side, full in zip(picture.shape[:2], size, strict=True))
    if smaller != picture.shape[:2]:
        picture = cv2.resize(picture, smaller[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if size != picture.shape[:2]:
        picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return np.clip(picture, 0, 1).astype(np.float32, copy=False)
