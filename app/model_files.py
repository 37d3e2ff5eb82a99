"""What lies with a model: the digest of its weights, its library of other pictures' maps, and its report card."""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from explainers.metrics.agreement.reference_library import MapLibrary, read_map_library
from explainers.report_card.report_card_file import ReportCard, read_card
from models.cards.card import file_sha256
from models.loading import IMAGENET, find_model_file
from models.store import bundled_models
from plain_files import read_plain_text

if TYPE_CHECKING:
    from models.loading import Served

SUFFIX = ".library.npz"
CARD_SUFFIX = ".report_card.json"


def model_sha256(name: str, classifier: "Served") -> str | None:
    """Of the weights' file; None for a model that lies in no file."""
    if classifier.card.sha256:
        return classifier.card.sha256
    try:
        return file_sha256(find_model_file(Path(name)))
    except (UserError, OSError):
        return None


def map_library_path(model: str) -> Path:
    """The path of a model's library, existing or not: next to the weights."""
    return _path_beside(model, SUFFIX)


def report_card_path(model: str) -> Path:
    """The path of a model's report card, existing or not: next to the weights."""
    return _path_beside(model, CARD_SUFFIX)


def _path_beside(model: str, suffix: str) -> Path:
    if model.startswith(IMAGENET):
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        return home / "models" / f"{model.removeprefix(IMAGENET)}{suffix}"
    return find_model_file(bundled_models().get(model, Path(model))).with_suffix(suffix)


def read_map_library_of_model(model: str) -> MapLibrary | None:
    """The library beside the model, read once; None where there is none. UserError where the file is none."""
    try:
        path = map_library_path(model)
    except UserError:
        return None
    return _read_once(path, path.stat().st_mtime_ns) if path.is_file() else None


def read_report_card_of_model(model: str) -> ReportCard | None:
    """The report card beside the model, read once; None where there is none. UserError where the file is none."""
    try:
        path = report_card_path(model)
    except UserError:
        return None
    return _read_card_once(path, path.stat().st_mtime_ns) if path.is_file() else None


def model_identity(model: str, classifier: "Served") -> str:
    """What a library knows its model by: the weights' sha256, or the name it was given by."""
    return model_sha256(model, classifier) or model


@lru_cache(maxsize=8)
def _read_once(path: Path, _changed: int) -> MapLibrary:
    return read_map_library(path)


@lru_cache(maxsize=8)
def _read_card_once(path: Path, _changed: int) -> ReportCard:
    try:
        return read_card(read_plain_text(path), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name} is no report card ({type(error).__name__}); delete it, or make it again.") from error
