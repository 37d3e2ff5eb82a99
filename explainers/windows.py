"""Rectangles of a picture that are hidden one at a time, and the fall of the score that each causes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explainers.case import Case
from explainers.protocol import Floats

Window = tuple[int, int, int, int]
"""top, left, bottom, right in pixels; bottom and right lie outside."""


def blocks(cells: int, size: tuple[int, int]) -> list[Window]:
    """The picture (H, W) cut into cells x cells blocks, row by row."""
    rows, columns = (np.round(np.linspace(0, side, cells + 1)).astype(int).tolist() for side in size)
    return [(rows[r], columns[c], rows[r + 1], columns[c + 1]) for r in range(cells) for c in range(cells)]


def positions(side: int, window: int, stride: int) -> list[int]:
    """Starts of windows every `stride` pixels, and one that ends with the picture."""
    last = max(side - window, 0)
    return [*range(0, last, stride), last]


def falls(case: Case, windows: Sequence[Window]) -> NDArray[np.float64]:
    """(n,): S(x) - S(x with the window hidden); the answers are kept, so that other scores cost nothing."""

    def mask(window: Window) -> Floats:
        top, left, bottom, right = window
        shown = np.ones(case.size, np.float32)
        shown[top:bottom, left:right] = 0
        return shown

    return case.image_value - case.values(case.recall(windows, mask))


def mean_over_cover(windows: Sequence[Window], numbers: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """(H, W): the mean of the numbers (n,) over the windows that cover a pixel; 0 where none does."""
    total, count = (np.zeros((size[0] + 1, size[1] + 1)) for _ in range(2))
    for (top, left, bottom, right), number in zip(windows, numbers, strict=True):
        for target, step in ((total, number), (count, 1.0)):
            target[top, left] += step
            target[bottom, right] += step
            target[top, right] -= step
            target[bottom, left] -= step
    total, count = (np.cumsum(np.cumsum(array, 0), 1)[:-1, :-1] for array in (total, count))
    return np.asarray(np.where(count > 0.5, total / np.maximum(count, 1), 0))
