"""Occlusion hides one part of the picture after another and notes how far the score falls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.explanation_case import Case
from explainers.method import Attribution, Method, ParameterChoice, ParameterRange
from explainers.perturbation.convergence import ENOUGH_AGREEMENT, predict_final_agreement
from explainers.perturbation.occlusion_windows import (
    Window,
    fit_smooth_evidence,
    mean_over_covering_windows,
    score_drops_of_windows,
    sliding_windows,
    window_positions,
    windows_in_pixels,
)

COARSE_TO_FINE, FIXED_WINDOWS = SEARCHES = ("coarse to fine", "fixed windows")
GRIDS = (7, 14, 28)
"""Windows are three cells wide, one cell apart: 3/7 of the picture's side, 3/14, 3/28."""
SMOOTHED, PLAIN = "Occlusion (smoothed)", "Occlusion (plain windows)"
"""The titles of both searches: their maps are not of one kind, so that a library of the one knows nothing of the other."""
ACROSS = 3
PLANS = {"Fast": ((14, 50),), "Balanced": ((14, 50), (14, 50), (14, 44)), "Thorough": ((14, 50), (14, 94), (28, 128), (28, 128))}
"""Preset -> after the large windows, of which grid how many more windows, step by step (docs/estimators.md)."""


@dataclass(frozen=True)
class Occlusion(Method):
    """How much of the score lies where; signed. A fall is S(x) - S(x with the window hidden).

    "coarse to fine": overlapping windows of 3/7 of the side everywhere, then smaller ones where the map so far has most evidence of
    either sign. Values are score per cell: the smooth map whose sums over the windows explain all the falls (`fit_smooth_evidence`), linear
    in the falls of the windows; which are evaluated follows the score. Converged: the map of every window of every size is expected to
    correlate with it at .95 (`predict_final_agreement`: what the other windows may still bring), and the budget covered the whole last
    step. "fixed windows": a pixel's value is the mean of the falls of the windows that cover it, one window on a regular grid of positions,
    those at the border included; values are whole falls.
    """

    title = SMOOTHED
    revision = 1
    family = "occlusion"
    signed = True
    asks = "outputs"
    resolution = "windows"
    source = "Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2 (hiding and fixed windows); the smooth map is this project's own"
    formula = "m with Σ over W of m ≈ S(x) − S(x without W); fixed windows: mean over W ∋ pixel of S(x) − S(x without W)"
    about = (
        "One part of the picture after another is hidden, and the fall of the score is noted. "
        "Where the score falls most, the model saw what it relies on; where it rises, something spoke against the class. "
        "Unless fixed windows are chosen, the map is a smooth one that explains all falls, not the paper's mean over plain windows."
    )
    fails = (
        "Evidence that is there twice is missed: hiding either copy changes nothing. "
        "What the hidden part is replaced by may itself look like something to the model."
    )

    search: Annotated[
        str, ParameterChoice(SEARCHES, "hide large windows, then smaller ones where it matters, or one window everywhere")
    ] = COARSE_TO_FINE
    window: Annotated[int, ParameterRange(4, 128, 4, "side of a fixed window, in pixels")] = 32
    stride: Annotated[int, ParameterRange(2, 128, 2, "pixels from one fixed window to the next; at most the window's side")] = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.search == FIXED_WINDOWS:
            object.__setattr__(self, "title", PLAIN)
        if self.stride > self.window:
            raise UserError(f"{self.title}: stride is {self.stride}; it must be at most window, {self.window}, or pixels are never hidden.")

    def __call__(self, case: Case) -> Iterator[Attribution]:
        return _refined(case) if self.search == COARSE_TO_FINE else self._fixed(case)

    def cost(self, case: Case) -> int:
        if self.search == FIXED_WINDOWS:
            return len(self._windows(case, self._stride(case))) + 1
        return min(1 + len(_large(case)) + sum(count for cells, count in PLANS[case.preset] if cells <= _finest(case)), case.budget)

    def _fixed(self, case: Case) -> Iterator[Attribution]:
        """A quarter of the windows first, then half, then all, as far as neighbours touch."""
        stride = self._stride(case)
        wider = f"Windows every {stride} px, not {self.stride}, to keep within {case.budget} evaluations." if stride != self.stride else ""
        for step in (4 * stride, 2 * stride, stride):
            if step == stride or step <= self.window:
                windows = self._windows(case, step)
                values = mean_over_covering_windows(windows, score_drops_of_windows(case, windows), case.size)
                yield Attribution(values.astype(np.float32), converged=step == self.stride, remark=wider)

    def _windows(self, case: Case, stride: int) -> list[Window]:
        (height, width), side = case.size, self.window
        rows, columns = window_positions(height, side, stride), window_positions(width, side, stride)
        return [(top, left, min(top + side, height), min(left + side, width)) for top in rows for left in columns]

    def _stride(self, case: Case) -> int:
        """The chosen stride, or the next that keeps within the budget; never more than the window's side."""
        strides = range(self.stride, self.window + 1)
        return next((stride for stride in strides if len(self._windows(case, stride)) < case.budget), self.window)


def _refined(case: Case) -> Iterator[Attribution]:
    asked, cells = _large(case), _finest(case)
    values, agreement = _map(case, asked)
    yield Attribution(values, uncertainty=1 - agreement, converged=False, remark="Large windows only.")
    for grid, planned in PLANS[case.preset]:
        count = min(planned, case.budget - 1 - len(asked))
        if grid > cells or count <= 0:
            return
        asked = asked + _telling(grid, asked, values)[:count]
        values, agreement = _map(case, asked)
        remark = _remark(agreement, count, planned, case.preset)
        yield Attribution(values, uncertainty=1 - agreement, converged=not remark, remark=remark)


def _remark(agreement: float, count: int, planned: int, preset: str) -> str:
    """Why the map has not converged; nothing where it has. count: windows of the last step, of which `planned` were meant."""
    if count < planned:
        return f"Not converged: the budget paid {count} of the {planned} windows of this step."
    if agreement < ENOUGH_AGREEMENT:
        more = "no preset asks more" if preset == list(PLANS)[-1] else "choose a more thorough preset"
        return f"Not converged: a map of every window is expected to correlate with it at {agreement:.2f}; {more}."
    return ""


def _finest(case: Case) -> int:
    """Cells a side of the map, none smaller than a pixel."""
    return max([GRIDS[0], *(cells for cells in GRIDS if cells <= min(case.size))])


def _windows_of(grid: int, cells: int, step: int = 1) -> list[Window]:
    """The windows of a grid, in cells of the map."""
    scale = cells // grid
    return [(top * scale, left * scale, bottom * scale, right * scale) for top, left, bottom, right in sliding_windows(grid, ACROSS, step)]


def _large(case: Case) -> list[Window]:
    """25 windows that overlap by two thirds, or nine that touch where the budget allows no more."""
    every = _windows_of(GRIDS[0], _finest(case))
    return every if len(every) < case.budget else _windows_of(GRIDS[0], _finest(case), step=2)


def _telling(grid: int, asked: list[Window], values: NDArray[np.float32]) -> list[Window]:
    """The windows of a grid that were not evaluated, those with the most evidence of either sign first."""
    known = set(asked)
    fresh = [window for window in _windows_of(grid, len(values)) if window not in known]
    return sorted(fresh, key=lambda window: -abs(float(values[window[0] : window[2], window[1] : window[3]].sum(dtype=np.float64))))


def _map(case: Case, asked: list[Window]) -> tuple[NDArray[np.float32], float]:
    """The map, and its expected correlation with that of every window."""
    cells = _finest(case)
    found = score_drops_of_windows(case, windows_in_pixels(asked, cells, case.size))
    return fit_smooth_evidence(asked, found, cells).astype(np.float32), predict_final_agreement(asked, found, _every(cells), cells)


def _every(cells: int) -> list[Window]:
    """The windows of all grids that are no finer than the map."""
    return [window for grid in GRIDS if grid <= cells for window in _windows_of(grid, cells)]
