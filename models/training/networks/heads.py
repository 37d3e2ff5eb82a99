"""Heads: what turns a backbone's grid of features into classes, alone or together with metadata."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from models.cards.metadata import Field, metadata_encoding_names
from models.training.networks.backbones import Backbone

if TYPE_CHECKING:
    import keras

DROPOUT = 0.3
METADATA_UNITS = 32


def add_classification_head(body: Backbone, units: int, name: str, fields: Sequence[Field] = ()) -> "keras.Model":
    """Mean over the picture, dropout, and a softmax over `units` classes, or a sigmoid where units is 1.

    fields: metadata that the model takes as a second input; a small dense layer of it joins the mean.
    """
    import keras
    from keras import layers

    inputs, features = [body.picture], layers.GlobalAveragePooling2D(name="head_mean")(body.maps)
    if fields:
        inputs.append(keras.Input((len(metadata_encoding_names(fields)),), name="metadata"))
        embedded = layers.Dense(METADATA_UNITS, activation="relu", name="head_metadata")(inputs[1])
        features = layers.Concatenate(name="head_both")([features, embedded])
    features = layers.Dropout(DROPOUT, name="head_dropout")(features)
    return keras.Model(inputs if fields else inputs[0], class_probability_layer(features, units), name=name)


def class_probability_layer(features: Any, units: int) -> Any:
    """(n, k) -> (n, units) probabilities, in float32 also where the rest of the network is in float16."""
    from keras import layers

    return layers.Dense(units, activation="sigmoid" if units == 1 else "softmax", dtype="float32", name="head_classes")(features)
