"""Says why a map holds no evidence for the score, and what to do about it, so that noise is never stretched to full colour."""

from dataclasses import replace

import numpy as np

from explainers.method import Attribution, Method

POSITIVE = 0.01
"""A map whose positive part is under this share of its own total shows no positive evidence."""
FLAT = 1e-5
"""A map that varies by less than this share of its largest value is constant: that is how exact float32 sums are."""
NOTHING = 1e-10
"""Largest absolute value that counts as zero: what rounding leaves of a sum that should vanish."""

NAN = "The map holds values that are no numbers: the model overflowed on this picture. Check how its card scales the input."
ZERO = {
    "outputs": (
        "Hiding parts of the picture does not change the score at all. "
        "Try another fill, or check that the model's answer depends on the picture."
    ),
    "gradients": (
        "The gradient is zero everywhere: the score no longer reacts to small changes (saturated). "
        "Explain the centred logit instead of the probability, or look at a method that hides parts."
    ),
    "features": (
        "No pattern of this layer moves the score: the gradient is zero (saturated), or no pattern alone lifts it above the fill's. "
        "Explain the centred logit instead of the probability, try another fill, or look at a method that hides parts."
    ),
}
"""What a method asks -> why its map is zero everywhere."""
CONSTANT = "The map is the same everywhere: it points at no place. Choose an earlier layer, or look at another method."
NEGATIVE = (
    "No positive evidence: everything that the method found speaks against this class. "
    "Look at the signed map, explain the class that the model prefers, or ask for a contrast of two classes."
)


def diagnosed(method: Method, attribution: Attribution) -> Attribution:
    """The attribution with `blank` filled in where there is no positive evidence, and values that are no numbers set to 0."""
    read = attribution.values if attribution.signed is None else attribution.signed
    if not (np.isfinite(read).all() and np.isfinite(attribution.values).all()):
        signed = None if attribution.signed is None else _finite(attribution.signed)
        return replace(attribution, values=_finite(attribution.values), signed=signed, blank=NAN)
    return replace(attribution, blank=attribution.blank or _reason(method, read.astype(np.float64)))


def _reason(method: Method, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    largest = np.abs(values).max()
    if largest <= NOTHING:
        return ZERO[method.asks]
    if np.maximum(values, 0).sum() < POSITIVE * np.abs(values).sum():
        return NEGATIVE
    return CONSTANT if np.ptp(values) <= FLAT * largest else ""


def _finite(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
