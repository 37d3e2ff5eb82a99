"""The files next to a model that belong to it: the card, the names of its classes, and the architecture of weights alone."""

import json
from pathlib import Path
from typing import Any

from errors import UserError
from plain_files import read_plain_text

LABELS = "labels.txt"
CLASS_NAME_FILES = (
    *(LABELS, "class_names.txt", "classes.txt", "class_indices.json", "classes.json", "labels.csv", "config.json", "metadata.json"),
    *("class_names.json", "labels.json"),
)
"""Files that may name a model's classes, in the order in which they are tried."""
PREPROCESSOR = "preprocessor_config.json"
WEIGHT_SUFFIXES = (".h5", ".hdf5")
"""Suffixes of files that may hold weights alone, with the architecture next to them."""

_USUAL_ARCHITECTURES = ("model.json", "architecture.json")


def model_card_path(path: Path) -> Path:
    """The path of the card of the model at `path`, a file or a SavedModel's folder."""
    return path.with_name(path.name + ".json") if path.is_dir() else path.with_suffix(".json")


def list_sidecar_files(path: Path) -> list[Path]:
    """Every sidecar file that may be read with the model, existing or not."""
    architectures = [path.with_name(name) for name in _architectures(path)] if path.suffix in WEIGHT_SUFFIXES else []
    return [model_card_path(path), *(path.parent / name for name in (*CLASS_NAME_FILES, PREPROCESSOR)), *architectures]


def read_architecture(path: Path) -> str | None:
    """The text of the architecture next to a file of weights, as written by model.to_json(); None where there is none."""
    for name in _architectures(path):
        file = path.with_name(name)
        if (text := _short_text(file)) and _is_architecture_json(text):
            return text
    return None


def _is_architecture_json(text: str) -> bool:
    """Whether the JSON text is a Keras model's architecture."""
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and "class_name" in raw and "config" in raw


def is_architecture_file(file: Path) -> bool:
    """Whether a JSON file is an architecture and not a card."""
    text = _short_text(file)
    return text is not None and _is_architecture_json(text)


def _architectures(path: Path) -> list[str]:
    stem = path.name.removesuffix(path.suffix).removesuffix(".weights")
    return list(dict.fromkeys([f"{stem}.json", *_USUAL_ARCHITECTURES]))


def _short_text(file: Path) -> str | None:
    try:
        return read_plain_text(file, encoding="utf-8-sig")
    except (OSError, UserError, UnicodeDecodeError):
        return None
