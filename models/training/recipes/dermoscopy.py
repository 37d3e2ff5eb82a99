"""Dermoscopy: photographs of skin lesions through a dermatoscope, HAM10000 or ISIC 2019."""

import dataclasses
from argparse import ArgumentParser, Namespace

from models.datasets.layouts import ham10000, isic2019
from models.training.augmentation import DERMOSCOPY
from models.training.recipes import image_options, image_training_recipe
from models.training.recipes.dataset_traits import DatasetTraits
from models.training.trained_model import TrainedModel

HELP = f"skin lesions: HAM10000 (7 classes, {ham10000.LICENCE}) or ISIC 2019 ({isic2019.LICENCE}), divided by lesion"
LAYOUT = f"ham10000: {ham10000.EXPECTED}. isic2019: {isic2019.EXPECTED}"
SPEC = DatasetTraits("ham10000", DERMOSCOPY, "crop")


def add_options(parser: ArgumentParser) -> None:
    """Those of all image recipes, the layout, and whether age, sex and site are a second input."""
    parser.add_argument("--layout", default="ham10000", choices=("ham10000", "isic2019"), help="how the folder is laid out")
    parser.add_argument("--metadata", action="store_true", help="also take age, sex and site, each of which may be missing")
    image_options.add_image_options(parser, backbone="MobileNetV2", epochs=30)


def make_classifier(options: Namespace) -> TrainedModel:
    """Split by lesion, so that no lesion is both trained and evaluated on."""
    return image_training_recipe.train_image_classifier(
        options, dataclasses.replace(SPEC, layout=options.layout, metadata=("age", "sex", "site") if options.metadata else ())
    )
