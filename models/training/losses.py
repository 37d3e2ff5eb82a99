"""Losses: the cross-entropy, or the focal loss that gives less weight to pictures already predicted correctly; with class frequencies
as they are, or adjusted as if all classes were equally frequent.
"""

from typing import TYPE_CHECKING, Any

from models.training.training_settings import TrainingSettings

if TYPE_CHECKING:
    import keras

EPSILON = 1e-7


def build_loss(settings: TrainingSettings, units: int) -> "keras.losses.Loss":
    """For a model of so many units: one sigmoid, or a softmax; targets are (n, units), 0..1.

    Focal loss: -(1 - p)^focus log p of the right class's probability p; Lin et al. 2017, arXiv:1708.02002, eq. 4.
    Balance "logits": the loss of `frequented` probabilities, so that the model itself learns to name rare classes as readily as
    frequent ones; Menon et al. 2021, arXiv:2007.07314, eq. 10, with tau = 1.
    """
    import keras

    plain = _base_loss(settings, units)
    if settings.balance != "logits":
        return plain

    class Adjusted(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return plain.call(y_true, _adjust_for_class_frequencies(y_pred, settings.shares))

    return Adjusted()


def _adjust_for_class_frequencies(probabilities: Any, shares: tuple[float, ...]) -> Any:
    """(n, units) probabilities for classes that are all as frequent -> for classes of these shares: p_c s_c / sum_k p_k s_k, which is
    the softmax of logits with log s_c added. Of a single sigmoid the shares are those of class 0 and 1."""
    from keras import ops

    if probabilities.shape[-1] == 1:
        right, wrong = probabilities * shares[1], (1 - probabilities) * shares[0]
        return right / ops.maximum(right + wrong, EPSILON)
    weighted = probabilities * ops.convert_to_tensor(shares, probabilities.dtype)
    return weighted / ops.maximum(ops.sum(weighted, axis=-1, keepdims=True), EPSILON)


def _base_loss(settings: TrainingSettings, units: int) -> "keras.losses.Loss":
    import keras

    if settings.loss == "focal":
        if units == 1:
            return keras.losses.BinaryFocalCrossentropy(gamma=settings.focus)
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=settings.focus)
    return keras.losses.BinaryCrossentropy() if units == 1 else keras.losses.CategoricalCrossentropy()
