"""Drawing surfaces that do not depend on the picture's size: positions run from 0 to 1, x to the right and y down."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
FINER = 4
_SHIFT = 4


@lru_cache(maxsize=8)
def positions(size: int) -> tuple[Floats, Floats]:
    """x and y of every pixel's centre, each (size, size)."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = np.meshgrid(centres, centres)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


def smooth(grid: Floats, size: int) -> Floats:
    """A few random numbers (g, g) -> a smooth field (size, size) that runs through them."""
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)


def step(value: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """0 below `low`, 1 above `high`, a smooth S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def sheet(size: int) -> NDArray[np.uint8]:
    """An empty drawing surface, finer than the picture so that edges come out smooth."""
    return np.zeros((size * FINER, size * FINER), np.uint8)


def fixed(points: Floats, size: int) -> NDArray[np.int32]:
    """Positions 0..1 -> OpenCV's fixed-point pixel coordinates on a `sheet`, to be drawn with `shift=SHIFT`."""
    return np.round((points * size * FINER - 0.5) * (1 << _SHIFT)).astype(np.int32)


def polygon(surface: NDArray[np.uint8], points: Floats, size: int) -> None:
    """Fills the outline `points` (n, 2)."""
    cv2.fillPoly(surface, [fixed(points, size)], 255, cv2.LINE_8, _SHIFT)


def curve(surface: NDArray[np.uint8], points: Floats, width: float, size: int) -> None:
    """Draws a line through `points` (n, 2), `width` in picture pixels at 128 px."""
    thickness = max(1, round(width * FINER * size / 128))
    cv2.polylines(surface, [fixed(points, size)], False, 255, thickness, cv2.LINE_8, _SHIFT)


def disc(surface: NDArray[np.uint8], centre: Floats, radius: float, size: int) -> None:
    """Fills a circle; `radius` as a share of the picture's side."""
    x, y = fixed(centre, size)
    cv2.circle(surface, (int(x), int(y)), round(radius * size * FINER * (1 << _SHIFT)), 255, -1, cv2.LINE_8, _SHIFT)


def coverage(surface: NDArray[np.uint8], size: int) -> Floats:
    """How much of each pixel is drawn on: (size, size), 0..1."""
    return cv2.resize(surface, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
