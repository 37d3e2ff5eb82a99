"""Brings a picture to the size that a classifier takes, and says where in the result the picture lies."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING = 0.5  # letterbox bars are mid-grey: neither dark nor bright evidence, and 0 for models that take -1..1


def fit(picture: NDArray[np.float32], size: tuple[int, int], how: Literal["letterbox", "crop", "stretch"]) -> NDArray[np.float32]:
    """(h, w, 3) in 0..1 -> (H, W, 3) in 0..1, for size (H, W) in pixels.

    letterbox: the whole picture, centred, between mid-grey bars. crop: fills the size, the overhang cut off evenly at both
    ends. stretch: each side on its own. Shrinking averages over areas, enlarging is half-pixel bilinear.
    """
    if how == "stretch":
        return _resize(picture, size)
    if how == "crop":
        return _crop(picture, size)
    top, left, height, width = content_box(picture.shape[:2], size)
    framed = np.full((*size, 3), PADDING, np.float32)
    framed[top : top + height, left : left + width] = _resize(picture, (height, width))
    return framed


@dataclass(frozen=True)
class Placement:
    """Where what `fit` makes of a picture comes from, so that a map can be laid on the picture. Boxes: top, left, height, width.

    content: the picture in the result, in its pixels; the rest is bars. shown: the part of the picture that lies there, in the
    picture's pixels.
    """

    content: tuple[int, int, int, int]
    shown: tuple[int, int, int, int]


def placement(shape: tuple[int, ...], size: tuple[int, int], how: Literal["letterbox", "crop", "stretch"]) -> Placement:
    """Of a picture of shape (h, w) that is brought to `size` (H, W)."""
    whole = (0, 0, shape[0], shape[1])
    if how == "letterbox":
        return Placement(content_box(shape, size), whole)
    return Placement((0, 0, *size), _cut(shape, size) if how == "crop" else whole)


def content_box(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a letterboxed picture of shape (h, w) lies inside `size` (H, W): top, left, height, width in pixels."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    height, width = (min(full, max(1, round(side * scale))) for side, full in zip(shape[:2], size, strict=True))
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width


def _crop(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    top, left, rows, columns = _cut(picture.shape, size)
    return _resize(picture[top : top + rows, left : left + columns], size)


def _cut(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The middle of a picture (h, w) that has the shape of `size`: top, left, height, width."""
    height, width = shape[:2]
    scale = max(size[0] / height, size[1] / width)
    rows, columns = (min(side, max(1, round(full / scale))) for side, full in zip((height, width), size, strict=True))
    return (height - rows) // 2, (width - columns) // 2, rows, columns


def _resize(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    # OpenCV averages areas only where both sides shrink, so a picture that shrinks one way and grows the other takes two steps.
    smaller = tuple(min(side, full) for side, full in zip(picture.shape[:2], size, strict=True))
    if smaller != picture.shape[:2]:
        picture = cv2.resize(picture, smaller[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if size != picture.shape[:2]:
        picture = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return np.clip(picture, 0, 1).astype(np.float32, copy=False)
