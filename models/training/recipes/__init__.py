"""Recipes: each makes one classifier and its card. A new one is a file here and a line in RECIPES.

A recipe is a module with `HELP`, `add_options(parser)` that adds its command-line options, and `make_classifier(options) -> TrainedModel`;
one that trains on a folder also has `LAYOUT`, the contents that the folder must have. Modules load keras only inside `make_classifier`, so
that the command's help is quick.
"""

import importlib
from argparse import ArgumentParser, Namespace
from typing import Protocol, cast

from models.training.trained_model import TrainedModel

RECIPES = {
    "phantoms": "models.training.recipes.phantoms",
    "phantoms_shortcut": "models.training.recipes.phantoms_shortcut",
    "glass_box": "models.training.recipes.glass_box",
    "dermoscopy": "models.training.recipes.dermoscopy",
    "chest_xray": "models.training.recipes.chest_xray",
    "covid_xray": "models.training.recipes.covid_xray",
    "folder": "models.training.recipes.folder",
}


class TrainingRecipe(Protocol):
    """The interface of a module named in RECIPES."""

    HELP: str

    def add_options(self, parser: ArgumentParser) -> None: ...
    def make_classifier(self, options: Namespace) -> TrainedModel: ...


def training_recipe_by_name(name: str) -> TrainingRecipe:
    """The recipe of that name."""
    return cast(TrainingRecipe, importlib.import_module(RECIPES[name]))
