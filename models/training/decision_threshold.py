"""Puts the decision of a single sigmoid at a probability of one half, where the page and the evaluation take it to be."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_expit

if TYPE_CHECKING:
    import keras

MAX_SHIFT = 10.0


def balanced_logit_shift(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The s, at most 10 either way, for which sigmoid(z - s) has the least cross-entropy when both classes count the same.

    logits: (n,) of class 1. labels: (n,) of 0 and 1, both present.
    """
    wide = logits.astype(np.float64)

    def loss(shift: float) -> float:
        return -float(log_expit(wide[labels == 1] - shift).mean() + log_expit(shift - wide[labels == 0]).mean())

    return float(minimize_scalar(loss, bounds=(-MAX_SHIFT, MAX_SHIFT), method="bounded").x)


def subtract_from_last_bias(shift: float, model: "keras.Model") -> None:
    """Takes `shift` off the last layer's bias."""
    last = model.layers[-1]
    weights, bias = last.get_weights()
    last.set_weights([weights, bias - np.float32(shift)])
