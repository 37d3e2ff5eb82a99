"""Which layers of a network are trained: counted by those with weights, including layers of nested networks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

HEAD = "head"


def layers_without_head(model: "keras.Model") -> list[Any]:
    """The model's own layers, without inputs and without the head's, whose names begin with `head`."""
    import keras

    return [each for each in model.layers if not isinstance(each, keras.layers.InputLayer) and not each.name.startswith(HEAD)]


def layers_with_weights(layers: Iterable[Any]) -> list[Any]:
    """Those that hold weights, in their order; a network that is a layer counts by the layers inside it."""
    import keras

    found = []
    for layer in layers:
        if isinstance(layer, keras.Model):
            found += layers_with_weights(layer.layers)
        elif layer.weights:
            found.append(layer)
    return found


def unfreeze_last_layers(model: "keras.Model", number: int | None) -> None:
    """Lets the head learn and of the body the last `number` layers that hold weights, or all for None.

    Where only the last layers do, batch normalisation keeps its statistics and does not learn, inside networks too.
    """
    import keras

    for layer in model.layers:
        layer.trainable = True
    for place, layer in enumerate(reversed(layers_with_weights(layers_without_head(model)))):
        layer.trainable = number is None or (place < number and not isinstance(layer, keras.layers.BatchNormalization))
