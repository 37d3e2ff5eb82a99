"""Any folder whose folders are classes."""

import dataclasses
from argparse import ArgumentParser, Namespace

from models.datasets import grouping
from models.datasets.layouts import folder
from models.training.augmentation import PHOTOGRAPH
from models.training.recipes import image_options, image_training_recipe
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.trained_model import TrainedModel

HELP = "any folder of class folders; its licence is yours to know"
LAYOUT = folder.EXPECTED
SPEC = DatasetTraits("folder", PHOTOGRAPH)


def add_options(parser: ArgumentParser) -> None:
    """Those of all image recipes, and how to find a picture's person."""
    parser.add_argument("--group", default="", metavar="REGEX", help=grouping.HELP + "; pictures of one person then stay in one part")
    image_options.add_image_options(parser, backbone="MobileNetV2", epochs=20)


def make_classifier(options: Namespace) -> TrainedModel:
    """Folders train, val and test are kept to; else a part of each class is held back."""
    return image_training_recipe.train_image_classifier(options, dataclasses.replace(SPEC, group=options.group))
