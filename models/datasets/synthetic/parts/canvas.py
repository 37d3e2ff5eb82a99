"""Drawing surfaces that do not depend on the picture's size: positions run from 0 to 1, x to the right and y down."""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
FINER = 4
_SHIFT = 4


@lru_cache(maxsize=8)
def pixel_centres(size: int) -> tuple[Floats, Floats]:
    """x and y of every pixel's centre, each (size, size)."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = (np.asarray(axis, np.float32) for axis in np.meshgrid(centres, centres))
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


def smooth_random_field(grid: Floats, size: int) -> Floats:
    """A few random numbers (g, g) -> a smooth field (size, size) that runs through them."""
    return np.asarray(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), grid.dtype)


def smoothstep(value: Floats, low: float | Floats, high: float | Floats) -> Floats:
    """0 below `low`, 1 above `high`, a smooth S between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def drawing_surface(size: int) -> NDArray[np.uint8]:
    """An empty drawing surface, finer than the picture so that edges come out smooth."""
    return np.zeros((size * FINER, size * FINER), np.uint8)


def _to_fixed_point(points: Floats, size: int) -> NDArray[np.int32]:
    """Positions 0..1 -> OpenCV's fixed-point pixel coordinates on a `sheet`, to be drawn with `shift=SHIFT`."""
    return np.round((points * size * FINER - 0.5) * (1 << _SHIFT)).astype(np.int32)


def fill_polygon(surface: NDArray[np.uint8], points: Floats, size: int) -> None:
    """Fills the outline `points` (n, 2)."""
    cv2.fillPoly(surface, [_to_fixed_point(points, size)], 255, cv2.LINE_8, _SHIFT)


def draw_curve(surface: NDArray[np.uint8], points: Floats, width: float, size: int) -> None:
    """Draws a line through `points` (n, 2), `width` in picture pixels at 128 px."""
    thickness = max(1, round(width * FINER * size / 128))
    cv2.polylines(surface, [_to_fixed_point(points, size)], False, 255, thickness, cv2.LINE_8, _SHIFT)


def fill_disc(surface: NDArray[np.uint8], centre: Floats, radius: float, size: int) -> None:
    """Fills a circle; `radius` as a share of the picture's side."""
    x, y = _to_fixed_point(centre, size)
    cv2.circle(surface, (int(x), int(y)), round(radius * size * FINER * (1 << _SHIFT)), 255, -1, cv2.LINE_8, _SHIFT)


def pixel_coverage(surface: NDArray[np.uint8], size: int) -> Floats:
    """How much of each pixel is drawn on: (size, size), 0..1."""
    return np.asarray(cv2.resize(surface, (size, size), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
