"""Says why a map holds no evidence for the score, and what to do about it, so that noise is never stretched to full colour."""

from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Floats, Score
from explainers.explanation_case import Case
from explainers.grid import sum_into_cells
from explainers.method import Attribution, Method

POSITIVE = 0.01
"""A map whose positive part is under this share of its own total shows no positive evidence."""
FLAT = 1e-5
"""A map that varies by less than this share of its largest value is constant: that is how exact float32 sums are."""
REGIONS = 4
"""A map's credits are summed over 4x4 regions of the picture: as many as an effect is spread over without getting lost in rounding."""

ZERO = {
    "outputs": "No part of the picture that was hidden is credited with a change of the score beyond rounding.",
    "gradients": "Between the fill and the picture nothing moves the score by more than rounding does.",
    "features": "No pattern of this layer moves the score by more than rounding does.",
}
"""What a method asks -> what its map says where it is zero everywhere."""
SATURATED = "Near 0 or 1 a probability no longer reacts (saturated): explain the centred logit instead."
REMEDY = {
    "outputs": "Try another fill, or check that the model's answer depends on the picture.",
    "gradients": "Try another fill, or look at a method that hides parts.",
    "features": "Try another layer or fill, or look at a method that hides parts.",
}
"""What a method asks -> what to do about a zero map of a score that does not saturate."""


class BlankReason(StrEnum):
    """Why a map holds no evidence, where that does not depend on the method; `_zero_map_reason` words what does."""

    NOT_FINITE = "The map holds values that are no numbers: the model overflowed on this picture. Check how its card scales the input."
    CONSTANT = "The map is the same everywhere: it points at no place. Choose an earlier layer, or look at another method."
    NEGATIVE = (
        "No positive evidence: everything that the method found speaks against this class. "
        "Look at the signed map, explain the class that the model prefers, or ask for a contrast of two classes."
    )


def mark_blank_attribution(method: Method, attribution: Attribution, case: Case) -> Attribution:
    """The attribution with `blank` filled in where there is no positive evidence; what is no number or only rounding is set to 0."""
    read = attribution.values if attribution.signed is None else attribution.signed
    if not (np.isfinite(read).all() and np.isfinite(attribution.values).all()):
        signed = None if attribution.signed is None else _finite(attribution.signed)
        branches = tuple((name, _finite(each)) for name, each in attribution.branches)
        return replace(attribution, values=_finite(attribution.values), signed=signed, branches=branches, blank=BlankReason.NOT_FINITE)
    if attribution.blank:
        return attribution
    if _credited(method, read, case) <= case.rounding:
        return _emptied(attribution, _zero_map_reason(method, case.score))
    return replace(attribution, blank=_reason(read.astype(np.float64)))


def _zero_map_reason(method: Method, score: Score) -> str:
    """Why a map is zero everywhere, and what to do about it."""
    return f"{ZERO[method.asks]} {SATURATED if score.kind == 'probability' else REMEDY[method.asks]}"


def _credited(method: Method, read: Floats, case: Case) -> float:
    """The largest change of the score that the map credits one region of the picture with, whatever cells its values are given for."""
    if method.resolution == "windows" and read.shape == case.size:  # fixed windows: every pixel holds a window's whole fall
        return float(np.abs(read).max())
    return float(np.abs(sum_into_cells(read, REGIONS)).max())


def _reason(values: NDArray[np.float64]) -> str:
    largest = np.abs(values).max()
    if np.maximum(values, 0).sum() < POSITIVE * np.abs(values).sum():
        return BlankReason.NEGATIVE
    return BlankReason.CONSTANT if np.ptp(values) <= FLAT * largest else ""


def _emptied(attribution: Attribution, blank: str) -> Attribution:
    halves = attribution.halves and (0 * attribution.halves[0], 0 * attribution.halves[1])
    signed = None if attribution.signed is None else 0 * attribution.signed
    branches = tuple((name, 0 * each) for name, each in attribution.branches)
    return replace(attribution, values=0 * attribution.values, signed=signed, halves=halves, branches=branches, blank=blank)


def _finite(values: Floats) -> Floats:
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
