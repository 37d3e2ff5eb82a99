"""Chest X-rays: normal or pneumonia, or normal, bacterial or viral."""

import dataclasses
from argparse import ArgumentParser, Namespace

from models.augmentation import XRAY
from models.datasets.layouts import chest_xray
from models.recipes import Made, picture_options
from models.recipes.pictures import Subject
from models.recipes.pictures import make as made

HELP = "chest X-rays of children: normal or pneumonia (Kermany, Zhang & Goldbaum 2018, CC BY 4.0)"
LAYOUT = chest_xray.EXPECTED
SUBJECT = Subject("chest_xray", XRAY, "letterbox", "grey")


def options(parser: ArgumentParser) -> None:
    """Those of all picture recipes, and which classes to tell apart."""
    parser.add_argument("--classes", default="binary", choices=("binary", "causes"), help="causes: normal, bacterial or viral")
    picture_options.add(parser, backbone="small_cnn", epochs=20)


def make(options: Namespace) -> Made:
    """From train/, with part of its people for validation; judged on test/."""
    layout = "chest_xray" if options.classes == "binary" else "chest_xray_causes"
    return made(options, dataclasses.replace(SUBJECT, layout=layout))
