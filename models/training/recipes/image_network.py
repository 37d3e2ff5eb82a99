"""Puts a recipe's network together, and writes the card of what it takes."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card
from models.cards.metadata import Field
from models.datasets.collection import Collection
from models.networks.backbones import body, default_side, default_weights
from models.networks.heads import classes_of
from models.networks.two_branch import two_branch
from models.training.recipes.dataset_spec import DatasetSpec
from models.training.recipes.image_options import name_of, size_of

if TYPE_CHECKING:
    import keras

STACKED = "stacked"


def build_network(options: Namespace, spec: DatasetSpec, collection: Collection, fields: Sequence[Field]) -> tuple["keras.Model", Card]:
    """The network before it has learnt, and its card, which does not yet say how good it is. UserError for a backbone there is not."""
    import keras

    keras.utils.set_random_seed(options.seed)
    size, weights = size_of(options, default_side(options.backbone)), options.weights or default_weights(options.backbone)
    units = 1 if len(collection.labels) == 2 else len(collection.labels)
    if options.backbone == STACKED:
        if fields:
            raise UserError("--backbone stacked takes the picture alone; leave out --metadata or choose another backbone.")
        model, origin = two_branch(size, units, weights, name_of(options))
        scaling, colour, notes = "0..1", "rgb", ("Each branch scales the picture by itself, in its first layer.",)
    else:
        trunk = body(options.backbone, size, weights, spec.colour)
        model, origin = classes_of(trunk, units, name_of(options), fields), trunk.origin
        scaling, colour, notes = trunk.scaling, trunk.colour, ()
    card = Card(
        name=name_of(options),
        labels=collection.labels,
        size=size,
        colour=colour,
        scaling=scaling,
        fit=spec.fit,
        head="sigmoid" if units == 1 else "softmax",
        metadata=tuple(fields),
        licence=collection.licence,
        data=collection.source,
        notes=(f"Backbone: {origin}.", *notes),
    )
    return model, card
