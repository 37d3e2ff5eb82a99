"""Rectangles of a picture that are hidden one at a time, and the fall of the score that each causes."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case

Window = tuple[int, int, int, int]
"""top, left, bottom, right in pixels; bottom and right lie outside."""


def sliding_windows(cells: int, across: int, step: int) -> list[Window]:
    """Square windows of `across` cells a side on a grid of cells x cells, every `step` cells, row by row; in cells, not pixels."""
    starts = range(0, cells - across + 1, step)
    return [(top, left, top + across, left + across) for top in starts for left in starts]


def windows_in_pixels(windows: Sequence[Window], cells: int, size: tuple[int, int]) -> list[Window]:
    """Windows in cells of a grid of cells x cells -> in pixels of a picture (H, W)."""
    rows, columns = (np.round(np.linspace(0, side, cells + 1)).astype(int).tolist() for side in size)
    return [(rows[top], columns[left], rows[bottom], columns[right]) for top, left, bottom, right in windows]


def window_positions(side: int, window: int, stride: int) -> list[int]:
    """Starts of windows every `stride` pixels, and one that ends with the picture."""
    last = max(side - window, 0)
    return [*range(0, last, stride), last]


def score_drops_of_windows(case: Case, windows: Sequence[Window]) -> NDArray[np.float64]:
    """(n,): S(x) - S(x with the window hidden); the answers are kept, so that other scores cost nothing."""

    def mask(window: Window) -> Floats:
        top, left, bottom, right = window
        shown = np.ones(case.size, np.float32)
        shown[top:bottom, left:right] = 0
        return shown

    return case.image_value - case.values(case.recall(windows, mask))


def mean_over_covering_windows(windows: Sequence[Window], numbers: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
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


LENGTH = 1 / 14
"""Of the picture's side: how far apart two places are whose evidence is hardly alike."""
NOISE = 0.8
"""Variance of a score drop not due to the hidden evidence, as a share of the variance of the evidence in a large window."""


def window_coverage(windows: Sequence[Window], cells: int) -> NDArray[np.float64]:
    """(n, cells^2): 1 for each cell of a window, in cells."""
    cover = np.zeros((len(windows), cells, cells))
    for row, (top, left, bottom, right) in zip(cover, windows, strict=True):
        row[top:bottom, left:right] = 1
    return cover.reshape(len(windows), -1)


def fit_smooth_evidence(windows: Sequence[Window], numbers: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """(cells, cells): evidence whose sums over the windows, in cells, explain the falls (n,); kriging, or ridge regression on smooth maps.

    m = K A' (A K A' + s I)^-1 f: A is `covered`, K_pq = exp(-|p - q|^2 / 2 LENGTH^2), s = NOISE max diag(A K A').
    It minimises |A m - f|^2 / s + m' K^-1 m, is linear in the falls, and a small window's noise weighs no more than a large one's.
    """
    cover = window_coverage(windows, cells)
    spread = smoothness_kernel(cells) @ cover.T
    between = cover @ spread
    noise = NOISE * between.diagonal().max() * np.eye(len(windows))
    return np.asarray((spread @ np.linalg.solve(between + noise, numbers)).reshape(cells, cells))


@cache
def smoothness_kernel(cells: int) -> NDArray[np.float64]:
    """(cells^2, cells^2): exp(-|p - q|^2 / 2 LENGTH^2) between the middles of cells, for a picture of side 1."""
    away = np.subtract.outer(np.arange(cells), np.arange(cells)) / cells
    along = np.exp(-((away / LENGTH) ** 2) / 2)
    return np.asarray(np.kron(along, along), np.float64)
