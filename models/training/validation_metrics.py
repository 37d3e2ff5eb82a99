"""How well a model in training does on the validation pictures: the figures by which the best epoch is chosen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

EPSILON = 1e-7


@dataclass(frozen=True)
class ValidationMetrics:
    """loss: the cross-entropy averaged over pictures of each class, then over classes, so that rare classes count as much as frequent
    ones. accuracy, balanced accuracy: shares from 0 to 1, the second the mean of the classes' own."""

    loss: float
    accuracy: float
    balanced_accuracy: float

    def to_json(self) -> dict[str, float]:
        return {"loss": self.loss, "accuracy": self.accuracy, "balanced_accuracy": self.balanced_accuracy}


def predict_batches(model: "keras.Model", batches: Iterable[Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The model's answers (n, classes) to batches of (inputs, labels), a single sigmoid as two classes; and the labels (n,)."""
    answers, labels = [], []
    for inputs, truth in batches:
        answers.append(np.asarray(model.predict_on_batch(inputs), np.float32))
        labels.append(np.asarray(truth, np.int64))
    probabilities = np.concatenate(answers)
    return np.concatenate([1 - probabilities, probabilities], axis=1) if probabilities.shape[1] == 1 else probabilities, np.concatenate(
        labels
    )


def compute_validation_metrics(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> ValidationMetrics:
    """probabilities: (n, classes); truth: (n,) true classes. Classes without pictures do not count."""
    surprise = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], EPSILON, 1))
    right = probabilities.argmax(1) == truth
    present = np.unique(truth)
    return ValidationMetrics(
        loss=float(np.mean([surprise[truth == label].mean() for label in present])),
        accuracy=float(right.mean()),
        balanced_accuracy=float(np.mean([right[truth == label].mean() for label in present])),
    )
