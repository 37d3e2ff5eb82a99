"""Chest X-rays with COVID-19 among them, as the folders of the published collections are laid out."""

import dataclasses
from argparse import ArgumentParser, Namespace

from models.datasets import grouping
from models.datasets.layouts import covid_xray
from models.training.augmentation import XRAY
from models.training.recipes import image_options, image_training_recipe
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.trained_model import TrainedModel

HELP = f"chest X-rays, COVID-19 among them ({covid_xray.LICENCE})"
LAYOUT = covid_xray.EXPECTED
SPEC = DatasetTraits("covid_xray", XRAY, "letterbox", "grey")


def add_options(parser: ArgumentParser) -> None:
    """Those of all image recipes, and how to find a picture's person."""
    parser.add_argument("--group", default="", metavar="REGEX", help=grouping.HELP + "; pictures of one person then stay in one part")
    image_options.add_image_options(parser, backbone="small_cnn", epochs=20)


def make_classifier(options: Namespace) -> TrainedModel:
    """Such collections are put together from several hospitals: the classifier may learn where a picture came from."""
    return image_training_recipe.train_image_classifier(options, dataclasses.replace(SPEC, group=options.group))
