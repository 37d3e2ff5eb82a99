"""Occlusion hides one part of the picture after another and notes how far the score falls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.case import Case
from explainers.method import Attribution, Choice, Method, Range
from explainers.windows import Window, blocks, falls, mean_over_cover, positions

SEARCHES = ("coarse to fine", "fixed windows")
LEVELS = (4, 8, 16)
SPLITS = {"Fast": (6, 0), "Balanced": (16, 16), "Thorough": (16, 64)}
"""Preset -> how many blocks of the 4x4, and then of the 8x8, are split in four.

On photographs 6 and 8 splits (72 evaluations) agreed with all 80 (336) at a Spearman of .65, 16 and 16 (144) at .87.
"""
FINEST = LEVELS[-1]
LARGE = 0.25
"""A block that was not split though its fall is over this share of the largest is told of."""


@dataclass(frozen=True)
class Occlusion(Method):
    """A pixel's value is the mean of S(x) - S(x with the window hidden) over the windows that cover it; signed.

    "coarse to fine": 4x4 blocks, then those with the largest falls (of either sign) split to 8x8, then to 16x16. Every
    fall is shared evenly over its block, so that large and small blocks count alike: values are falls per 1/256 of the
    picture. (The plain mean of the falls smears the large blocks: .57 of its energy lay near the evidence of phantoms, not .77.)
    "fixed windows": one window on a regular grid of positions, those at the border included; values are whole falls.
    """

    title = "Occlusion"
    family = "occlusion"
    signed = True
    asks = "outputs"
    resolution = "windows"
    source = "Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2"
    formula = "mean over windows W ∋ pixel of S(x) − S(x without W)"
    about = (
        "One part of the picture after another is hidden, and the fall of the score is noted. "
        "Where the score falls most, the model saw what it relies on; where it rises, something spoke against the class."
    )
    fails = (
        "Evidence that is there twice is missed: hiding either copy changes nothing. "
        "What the hidden part is replaced by may itself look like something to the model."
    )

    search: Annotated[str, Choice(SEARCHES, "hide large blocks and split those that matter, or one window everywhere")] = "coarse to fine"
    window: Annotated[int, Range(4, 128, 4, "side of a fixed window, in pixels")] = 32
    stride: Annotated[int, Range(2, 128, 2, "pixels from one fixed window to the next; at most the window's side")] = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride > self.window:
            raise UserError(f"{self.title}: stride is {self.stride}; it must be at most window, {self.window}, or pixels are never hidden.")

    def __call__(self, case: Case) -> Iterator[Attribution]:
        return _refined(case) if self.search == "coarse to fine" else self._fixed(case)

    def cost(self, case: Case) -> int:
        if self.search == "fixed windows":
            return len(self._windows(case, self._stride(case))) + 1
        return 17 + 4 * sum(SPLITS[case.preset])

    def _fixed(self, case: Case) -> Iterator[Attribution]:
        """A quarter of the windows first, then half, then all, as far as neighbours touch."""
        stride = self._stride(case)
        wider = f"Windows every {stride} px, not {self.stride}, to keep within {case.budget} evaluations." if stride != self.stride else ""
        for step in (4 * stride, 2 * stride, stride):
            if step == stride or step <= self.window:
                windows = self._windows(case, step)
                values = mean_over_cover(windows, falls(case, windows), case.size)
                yield Attribution(values.astype(np.float32), converged=step == self.stride, remark=wider)

    def _windows(self, case: Case, stride: int) -> list[Window]:
        (height, width), side = case.size, self.window
        rows, columns = positions(height, side, stride), positions(width, side, stride)
        return [(top, left, min(top + side, height), min(left + side, width)) for top in rows for left in columns]

    def _stride(self, case: Case) -> int:
        """The asked stride, or the next that keeps within the budget; never more than the window's side."""
        strides = range(self.stride, self.window + 1)
        return next((stride for stride in strides if len(self._windows(case, stride)) < case.budget), self.window)


def _refined(case: Case) -> Iterator[Attribution]:
    levels = [cells for cells in LEVELS if cells <= min(case.size)]
    asked, spent = np.arange(levels[0] ** 2), 1
    readings: list[NDArray[np.float64]] = []
    for level, cells in enumerate(levels):
        found = falls(case, [blocks(cells, case.size)[i] for i in asked])
        readings.append(_reading(found, asked, cells))
        spent += len(asked)
        affordable = min((*SPLITS[case.preset], 0)[level], (case.budget - spent) // 4)
        splits = affordable if cells < levels[-1] else len(asked)
        order = np.argsort(-np.abs(found), kind="stable")
        left = int((np.abs(found[order[splits:]]) > LARGE * np.abs(found).max()).sum())
        yield Attribution(_mean(readings), converged=left == 0, remark=_remark(cells, left) if affordable == 0 else "")
        if affordable <= 0 or cells == levels[-1]:
            return
        asked = _children(asked[order[:splits]], cells)


def _reading(found: NDArray[np.float64], asked: NDArray[np.intp], cells: int) -> NDArray[np.float64]:
    """(cells, cells): each asked block's fall per finest cell, no number where nothing was asked."""
    reading = np.full(cells**2, np.nan)
    reading[asked] = found * cells**2 / FINEST**2
    return reading.reshape(cells, cells)


def _mean(readings: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """(n, n) of the finest level: the mean over the levels that were asked there."""
    finest = len(readings[-1])
    layers = [np.kron(reading, np.ones((finest // len(reading),) * 2)) for reading in readings]
    return np.asarray(np.nanmean(layers, axis=0), np.float32)


def _children(chosen: NDArray[np.intp], cells: int) -> NDArray[np.intp]:
    """Flat indices of the four quarters of each chosen block, on the grid of twice as many cells."""
    corner = 2 * (chosen // cells) * 2 * cells + 2 * (chosen % cells)
    return np.sort((corner[:, None] + np.array([0, 1, 2 * cells, 2 * cells + 1])).ravel())


def _remark(cells: int, left: int) -> str:
    return f"{left} of the {cells}x{cells} blocks with a large fall were not looked into further; a larger preset does." if left else ""
