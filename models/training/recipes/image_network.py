"""Puts a recipe's network together, and writes the card of what it takes."""

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card, Colour, Scaling
from models.cards.metadata import Field
from models.datasets.picture_collection import PictureCollection
from models.training.networks.backbones import build_backbone, default_backbone_weights, default_input_side
from models.training.networks.heads import add_classification_head
from models.training.networks.two_branch_network import build_two_branch_model
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.recipes.image_options import parse_classifier_name, parse_image_size

if TYPE_CHECKING:
    import keras

TWO_BRANCH = "stacked"


def build_image_network(
    options: Namespace, spec: DatasetTraits, collection: PictureCollection, fields: Sequence[Field]
) -> tuple["keras.Model", Card]:
    """The untrained network, and its card without figures. UserError for an unknown backbone."""
    import keras

    keras.utils.set_random_seed(options.seed)
    size, weights = (
        parse_image_size(options, default_input_side(options.backbone)),
        options.weights or default_backbone_weights(options.backbone),
    )
    units = 1 if len(collection.labels) == 2 else len(collection.labels)
    scaling: Scaling = "0..1"
    colour: Colour = "rgb"
    notes: tuple[str, ...] = ()
    if options.backbone == TWO_BRANCH:
        if fields:
            raise UserError("--backbone stacked takes the picture alone; leave out --metadata or choose another backbone.")
        model, origin = build_two_branch_model(size, units, weights, parse_classifier_name(options))
        notes = ("Each branch scales the picture by itself, in its first layer.",)
    else:
        trunk = build_backbone(options.backbone, size, weights, spec.colour)
        model, origin = add_classification_head(trunk, units, parse_classifier_name(options), fields), trunk.origin
        scaling, colour = trunk.scaling, trunk.colour
    card = Card(
        name=parse_classifier_name(options),
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
