"""Calibration: the expected calibration error, and the temperature that reduces it."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from models.cards.card import Head

Floats = NDArray[np.float32]
EPSILON = 1e-7
_INDEPENDENT_UNITS = ("sigmoid", "multi-label")  # heads without a softmax


def expected_calibration_error(probabilities: Floats, targets: NDArray[np.int64], bins: int = 15) -> float:
    """sum over bins of (share of pictures in it) * |accuracy - mean confidence|; Guo et al. 2017, arXiv:1706.04599, eq. 3.

    probabilities: (n, classes); targets: (n,) true classes. The bins are equally wide, over the confidence of the predicted class.
    """
    confidence = probabilities.max(1)
    correct = probabilities.argmax(1) == targets
    gaps = np.bincount(confidence_bin_indices(confidence, bins), correct - confidence, bins)
    return float(np.abs(gaps).sum() / len(targets))


def confidence_bin_indices(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """(n,) confidences -> (n,) index of the equally wide bin of each; 1 falls in the last."""
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def fit_temperature(logits: Floats, targets: NDArray[np.int64], head: Head = "softmax") -> float:
    """The T, 0.05 to 20, that minimises the cross-entropy of logits / T with the true classes; arXiv:1706.04599, sec. 4.2.

    logits: (n, classes), of a single sigmoid -z and z. targets: (n,) true classes; for head "multi-label" also (n, classes) of 0 and 1.
    n pictures that are all predicted correctly would drive T to 0; so the target of a true class is (n + 1) / (n + classes) and of
    every other 1 / (n + classes), as in Platt scaling: a classifier without an observed error may still be wrong about once in n. Heads
    with independent units are fitted as many two-class problems.
    """
    number, classes = logits.shape
    if head not in _INDEPENDENT_UNITS:
        return _minimise(logits.astype(np.float64), targets, number)
    truth = targets if targets.ndim == 2 else np.eye(classes, dtype=np.int64)[targets]
    units, truth = (logits[:, 1:], truth[:, 1:]) if head == "sigmoid" else (logits, truth)
    halves = units.astype(np.float64).ravel() / 2  # softmax([-z / 2, z / 2]) is sigmoid(z)
    return _minimise(np.stack([-halves, halves], 1), truth.ravel(), number)


def apply_temperature(logits: Floats, temperature: float, head: Head = "softmax") -> Floats:
    """(n, classes) logits -> (n, classes): softmax of logits / temperature, or each unit's sigmoid as the head says."""
    scaled = logits.astype(np.float64) / temperature
    return np.asarray(expit(scaled) if head in _INDEPENDENT_UNITS else softmax(scaled, axis=1), np.float32)


def logits_from_probabilities(probabilities: Floats, head: Head) -> Floats:
    """(n, classes) probabilities, clipped to 1e-7 -> logits whose `apply_temperature` at 1 are these probabilities."""
    clipped = np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
    return (np.log(clipped) - (np.log1p(-clipped) if head in _INDEPENDENT_UNITS else 0)).astype(np.float32)


def _minimise(logits: NDArray[np.float64], targets: NDArray[np.int64], number: int) -> float:
    classes = logits.shape[1]
    smoothed = np.full(logits.shape, 1 / (number + classes))
    smoothed[np.arange(len(logits)), targets] = (number + 1) / (number + classes)

    def loss(log_temperature: float) -> float:
        return -float((smoothed * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))
