"""Flags that several commands share, and how flags become options."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from errors import UserError
from models.formats.custom_objects import register_custom_objects
from models.graph.engine.choice import CHOICES
from models.store import bundled_models

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

MODEL_HELP = f"a model file or folder, hf://owner/name, imagenet:MobileNetV2 and the like, or bundled: {', '.join(bundled_models())}"
TRUST_HELP = "run the model in this process: only for a maker you know (else in one that reaches no files, network or programs)"


def options_from_arguments(kind: type[T], chosen: argparse.Namespace) -> T:
    """The dataclass `kind` with what was chosen; its fields bear the names of the flags' destinations. Raises UserError."""
    given = {field.name: getattr(chosen, field.name) for field in fields(kind) if hasattr(chosen, field.name)}
    options = kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
    _register_code(getattr(options, "custom_objects", None), getattr(options, "trust", False))
    return options


def _register_code(file: Path | None, trust: bool) -> None:
    """UserError where the code of a model's own layers is given without --trust, or does not exist."""
    if file is None:
        return
    if not trust:
        raise UserError(f"--custom-objects {file} is code that would run here; it takes --trust, for a model and code that you know.")
    if not file.is_file():
        raise UserError(f"--custom-objects is {file}, which is no file; give the Python file that defines the model's own layers.")
    register_custom_objects(file)


def add_methods_flag(parser: argparse.ArgumentParser) -> None:
    """--methods: names of methods."""
    parser.add_argument("--methods", nargs="+", default=[], metavar="METHOD", help="such as grad_cam lime; all where none is named")


def add_preset_flag(parser: argparse.ArgumentParser, usual: str) -> None:
    """usual: the preset where none is named."""
    parser.add_argument("--preset", default=usual, type=str.capitalize, choices=("Fast", "Balanced", "Thorough"), help="how much to spend")


def add_seed_flag(parser: argparse.ArgumentParser, usual: int) -> None:
    """usual: the seed where none is given."""
    parser.add_argument("--seed", type=int, default=usual, help="of everything that is drawn (0)")


def add_engine_flag(parser: argparse.ArgumentParser) -> None:
    """--engine: what evaluates forward passes."""
    parser.add_argument("--engine", default="auto", choices=CHOICES, help="what evaluates forward passes (auto: the fastest that agrees)")


def add_trust_flag(parser: argparse.ArgumentParser) -> None:
    """--trust: runs the model in this process."""
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.add_argument(
        "--custom-objects", type=Path, metavar="FILE.py", help="with --trust: the code of the model's own layers, which is run"
    )
