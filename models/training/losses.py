"""What training makes small: the cross-entropy, or the focal loss that cares less for pictures already named rightly."""

from typing import TYPE_CHECKING

from models.training.settings import Settings

if TYPE_CHECKING:
    import keras


def loss_for(settings: Settings, units: int) -> "keras.losses.Loss":
    """For a model of so many units: one sigmoid, or a softmax; targets are (n, units), 0..1.

    Focal loss: -(1 - p)^focus log p of the right class's probability p; Lin et al. 2017, arXiv:1708.02002, eq. 4.
    """
    import keras

    if settings.loss == "focal":
        if units == 1:
            return keras.losses.BinaryFocalCrossentropy(gamma=settings.focus)
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=settings.focus)
    return keras.losses.BinaryCrossentropy() if units == 1 else keras.losses.CategoricalCrossentropy()
