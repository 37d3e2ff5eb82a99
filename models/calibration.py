"""Whether a classifier's confidence can be taken at its word: the expected calibration error, and the temperature that mends it."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Floats = NDArray[np.float32]


def calibration_error(probabilities: Floats, targets: NDArray[np.int64], bins: int = 15) -> float:
    """sum over bins of (share of pictures in it) * |accuracy - mean confidence|; Guo et al. 2017, arXiv:1706.04599, eq. 3.

    probabilities: (n, classes); targets: (n,) right classes. The bins are equally wide, over the confidence of the answer given.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(targets))


def fit_temperature(logits: Floats, targets: NDArray[np.int64]) -> float:
    """The T, 0.05 to 20, whose softmax(logits / T) has the least cross-entropy to the right classes; arXiv:1706.04599, sec. 4.2.

    n pictures that are all named rightly would drive T to 0; so a right class counts (n + 1) / (n + classes) and every other
    1 / (n + classes), as Platt did: a classifier never seen to err may still be wrong about once in n.
    """
    number, classes = logits.shape
    wanted = np.full(logits.shape, 1 / (number + classes))
    wanted[np.arange(number), targets] = (number + 1) / (number + classes)

    def loss(log_temperature: float) -> float:
        return -float((wanted * log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)).sum(1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def tempered(logits: Floats, temperature: float) -> Floats:
    """softmax(logits / temperature), (n, classes)."""
    return softmax(logits.astype(np.float64) / temperature, axis=1).astype(np.float32)
