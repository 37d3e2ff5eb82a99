"""Chest X-rays: normal or pneumonia, or normal, bacterial or viral."""

import dataclasses
from argparse import ArgumentParser, Namespace

from models.datasets.layouts import chest_xray
from models.training.augmentation import XRAY
from models.training.recipes import image_options, image_training_recipe
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.trained_model import TrainedModel

HELP = "chest X-rays of children: normal or pneumonia (Kermany, Zhang & Goldbaum 2018, CC BY 4.0)"
LAYOUT = chest_xray.EXPECTED
SPEC = DatasetTraits("chest_xray", XRAY, "letterbox", "grey")


def add_options(parser: ArgumentParser) -> None:
    """Those of all image recipes, and the set of classes."""
    parser.add_argument("--classes", default="binary", choices=("binary", "causes"), help="causes: normal, bacterial or viral")
    image_options.add_image_options(parser, backbone="small_cnn", epochs=20)


def make_classifier(options: Namespace) -> TrainedModel:
    """From train/, with part of its people for validation; evaluated on test/."""
    layout = "chest_xray" if options.classes == "binary" else "chest_xray_causes"
    return image_training_recipe.train_image_classifier(options, dataclasses.replace(SPEC, layout=layout))
