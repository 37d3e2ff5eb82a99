"""Integrated gradients walks from a picture without information to the real one and adds up what each pixel contributed on the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from explainers.baselines import FILLS
from explainers.explanation_case import Case
from explainers.grid import sum_map_onto_grid
from explainers.method import Attribution, Method, ParameterChoice, ParameterRange

SAME_AS_FILL = "same as fill"
GAP = 0.02
"""Largest difference between the map's sum and the score's change, as a share of that change, of a converged map."""
OVERLAP = 0.9
"""Smallest overlap of the strongest tenth of cells of successive maps, once converged."""
FIRST = 8
LAST = {"Fast": 16, "Balanced": 32, "Thorough": 64}
"""Preset -> points of the last map."""


@dataclass(frozen=True)
class IntegratedGradients(Method):
    """(x - b) times the integral from 0 to 1 of dS/dx at b + t (x - b), summed over the channels; signed, in the score's units.

    Gauss-Legendre points, 8, 16, 32, 64, until the map's sum is within 2 % of S(x) - S(b) and the strongest tenth of the
    cells of two successive maps overlap by 0.9. The first alone is not enough: the sum is right long before the map is.
    """

    title = "Integrated Gradients"
    revision = 1
    family = "gradient"
    signed = True
    asks = "gradients"
    resolution = "pixels"
    source = "Sundararajan, Taly & Yan 2017, arXiv:1703.01365, eq. 1"
    formula = "(x − b) · ∫₀¹ ∂S/∂x (b + t(x − b)) dt"
    about = (
        "The picture is faded in from one without information, and at each step the model is asked which pixels would raise the score. "
        "What each pixel contributed on the way adds up to exactly the score's change."
    )
    fails = (
        "A pixel that equals the baseline gets nothing, whatever it means: a black lesion vanishes on a black baseline. "
        "Deep networks' gradients are noisy, so maps look grainy, and edges light up for any class."
    )

    baseline: Annotated[str, ParameterChoice((SAME_AS_FILL, *FILLS), "the picture without information that the path starts from")] = (
        SAME_AS_FILL
    )
    points: Annotated[int, ParameterRange(0, 256, 8, "most points of one map; 0 takes the preset's 16, 32 or 64")] = 0

    def __call__(self, case: Case) -> Iterator[Attribution]:
        fill = case.fill if self.baseline == SAME_AS_FILL else self.baseline
        change = case.image_value - float(case.values(case.fill_logits(fill))[0])
        steps = self._steps(case)
        last: NDArray[np.float32] | None = None
        for points in steps:
            values = _path_integral(case, case.filled(fill), points)
            gap = abs(float(values.sum(dtype=np.float64)) - change) / max(abs(change), 1e-6)
            overlap, error = (0.0, gap) if last is None else _difference(case, last, values)
            converged = gap < GAP and overlap >= OVERLAP
            remark = f"{points} points; the map's sum is off by {gap:.1%} of the score's change"
            remark += "." if last is None else f"; its strongest cells overlap by {overlap:.2f} with the map's before."
            if points == steps[-1] and not converged:
                remark = f"Not converged: {remark} {self._more(case, points)}"
            yield Attribution(values, uncertainty=error, converged=converged, remark=remark)
            if converged:
                return
            last = values

    def cost(self, case: Case) -> int:
        return _spent(self._steps(case))

    def _steps(self, case: Case) -> list[int]:
        """Points of each map, within what the case may spend; at least the first."""
        steps = _doublings(self.points or LAST[case.preset])
        return [points for i, points in enumerate(steps) if i == 0 or _spent(steps[: i + 1]) <= case.budget]

    def _more(self, case: Case, points: int) -> str:
        """What to raise, and how far, for a better map than one of `points`: the number of points, the budget, or both."""
        asked, bounds = self.points or LAST[case.preset], self.parameters()["points"]
        most = int(bounds.high) if isinstance(bounds, ParameterRange) else asked
        further = asked if points < asked else min(2 * points, most)
        if further == points:
            return f"More than {most} points are not offered; compare another method."
        needed = _spent(_doublings(further))
        raised = [f"points to {further}"] if further > asked else []
        raised += [f"the budget to {needed:,} evaluations"] if needed > case.budget else []
        return f"Raise {' and '.join(raised)}."


def _doublings(most: int) -> list[int]:
    """Points of each map up to `most`."""
    return [points for points in (FIRST, 16, 32, 64, 128) if points < most] + [most]


def _spent(steps: list[int]) -> int:
    """Evaluations of maps of so many points, the picture's and the baseline's own answers included."""
    return sum(steps) + 2


def _path_integral(case: Case, baseline: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    """(H, W): the path's contribution of each pixel, channels summed, by Gauss-Legendre; one gradient is kept at a time."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    step = case.image - baseline
    path = (baseline + np.float32((node + 1) / 2) * step for node in nodes)
    total = np.zeros(case.image.shape)
    for weight, gradient in zip(weights / 2, case.gradients(path), strict=True):
        total += float(weight) * gradient
    return np.asarray((total * step).sum(-1), np.float32)


def _difference(case: Case, last: NDArray[np.float32], values: NDArray[np.float32]) -> tuple[float, float]:
    """Overlap of the strongest tenth of cells, and the largest difference of a cell as a share of the map's range."""
    before, now = (sum_map_onto_grid(reading, case.size).ravel() for reading in (last, values))
    top = max(1, round(before.size / 10))
    strongest = [set(np.argsort(-cells, kind="stable")[:top].tolist()) for cells in (before, now)]
    spread = max(float(np.ptp(now)), 1e-12)
    return len(strongest[0] & strongest[1]) / top, float(np.abs(now - before).max()) / spread
