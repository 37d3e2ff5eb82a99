"""Whether a classifier's confidence can be taken at its word: the expected calibration error, and the temperature that mends it."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from models.cards.card import Head

Floats = NDArray[np.float32]
SMALLEST = 1e-7
_OF_THEIR_OWN = ("sigmoid", "multi-label")  # heads whose units do not share one sum


def calibration_error(probabilities: Floats, targets: NDArray[np.int64], bins: int = 15) -> float:
    """sum over bins of (share of pictures in it) * |accuracy - mean confidence|; Guo et al. 2017, arXiv:1706.04599, eq. 3.

    probabilities: (n, classes); targets: (n,) right classes. The bins are equally wide, over the confidence of the answer given.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == targets
    gaps = np.bincount(bin_of(confidence, bins), right - confidence, bins)
    return float(np.abs(gaps).sum() / len(targets))


def bin_of(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """(n,) confidences -> (n,) which of the equally wide bins each falls in; 1 falls in the last."""
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def fit_temperature(logits: Floats, targets: NDArray[np.int64], head: Head = "softmax") -> float:
    """The T, 0.05 to 20, whose probabilities of logits / T have the least cross-entropy to the right classes; arXiv:1706.04599, sec. 4.2.

    logits: (n, classes), of a single sigmoid -z and z. targets: (n,) right classes; for head "multi-label" also (n, classes) of 0 and 1.
    n pictures that are all named rightly would drive T to 0; so a right class counts (n + 1) / (n + classes) and every other
    1 / (n + classes), as Platt did: a classifier never seen to err may still be wrong about once in n. Where every unit speaks for
    itself, it tells two classes apart.
    """
    number, classes = logits.shape
    if head not in _OF_THEIR_OWN:
        return _fitted(logits.astype(np.float64), targets, number)
    truth = targets if targets.ndim == 2 else np.eye(classes, dtype=np.int64)[targets]
    units, truth = (logits[:, 1:], truth[:, 1:]) if head == "sigmoid" else (logits, truth)
    halves = units.astype(np.float64).ravel() / 2  # softmax([-z / 2, z / 2]) is sigmoid(z)
    return _fitted(np.stack([-halves, halves], 1), truth.ravel(), number)


def tempered(logits: Floats, temperature: float, head: Head = "softmax") -> Floats:
    """(n, classes) logits -> (n, classes): softmax of logits / temperature, or each unit's sigmoid as the head says."""
    warm = logits.astype(np.float64) / temperature
    return (expit(warm) if head in _OF_THEIR_OWN else softmax(warm, axis=1)).astype(np.float32)


def logits_of(probabilities: Floats, head: Head) -> Floats:
    """(n, classes) probabilities, clipped to 1e-7 -> logits that `tempered` at 1 turns back into them."""
    held = np.clip(probabilities.astype(np.float64), SMALLEST, 1 - SMALLEST)
    return (np.log(held) - (np.log1p(-held) if head in _OF_THEIR_OWN else 0)).astype(np.float32)


def _fitted(logits: NDArray[np.float64], targets: NDArray[np.int64], number: int) -> float:
    classes = logits.shape[1]
    wanted = np.full(logits.shape, 1 / (number + classes))
    wanted[np.arange(len(logits)), targets] = (number + 1) / (number + classes)

    def loss(log_temperature: float) -> float:
        return -float((wanted * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded").x))
