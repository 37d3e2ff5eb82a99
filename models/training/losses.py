"""What training makes small: the cross-entropy, or the focal loss that cares less for pictures already named rightly; with the classes
as frequent as they are, or as if they all were the same.
"""

from typing import TYPE_CHECKING, Any

from models.training.settings import Settings

if TYPE_CHECKING:
    import keras

SMALLEST = 1e-7


def loss_for(settings: Settings, units: int) -> "keras.losses.Loss":
    """For a model of so many units: one sigmoid, or a softmax; targets are (n, units), 0..1.

    Focal loss: -(1 - p)^focus log p of the right class's probability p; Lin et al. 2017, arXiv:1708.02002, eq. 4.
    Balance "logits": the loss of `frequented` probabilities, so that the model itself learns to name rare classes as readily as
    frequent ones; Menon et al. 2021, arXiv:2007.07314, eq. 10, with tau = 1.
    """
    import keras

    plain = _plain(settings, units)
    if settings.balance != "logits":
        return plain

    class Adjusted(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return plain.call(y_true, logit_adjusted(y_pred, settings.shares))

    return Adjusted()


def logit_adjusted(told: Any, shares: tuple[float, ...]) -> Any:
    """(n, units) probabilities for classes that are all as frequent -> for classes of these shares: p_c s_c / sum_k p_k s_k, which is
    the softmax of logits with log s_c added. Of a single sigmoid the shares are those of class 0 and 1."""
    from keras import ops

    if told.shape[-1] == 1:
        right, wrong = told * shares[1], (1 - told) * shares[0]
        return right / ops.maximum(right + wrong, SMALLEST)
    weighed = told * ops.convert_to_tensor(shares, told.dtype)
    return weighed / ops.maximum(ops.sum(weighed, axis=-1, keepdims=True), SMALLEST)


def _plain(settings: Settings, units: int) -> "keras.losses.Loss":
    import keras

    if settings.loss == "focal":
        if units == 1:
            return keras.losses.BinaryFocalCrossentropy(gamma=settings.focus)
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=settings.focus)
    return keras.losses.BinaryCrossentropy() if units == 1 else keras.losses.CategoricalCrossentropy()
