"""What belongs to a model beside its own file: the card, labels.txt, and the architecture where the file holds weights alone."""

import json
from pathlib import Path
from typing import Any

from errors import UserError
from plain_files import read_plain_text

LABELS = "labels.txt"
WEIGHT_SUFFIXES = (".h5", ".hdf5")
"""Of files that may hold weights alone; their architecture lies beside them."""

_USUAL_ARCHITECTURES = ("model.json", "architecture.json")


def card_path(path: Path) -> Path:
    """Where the card of the model at `path` lies, a file or a SavedModel's folder."""
    return path.with_name(path.name + ".json") if path.is_dir() else path.with_suffix(".json")


def sidecar_files(path: Path) -> list[Path]:
    """Every file beside the model that is read with it, whether it is there or not."""
    architectures = [path.with_name(name) for name in _architectures(path)] if path.suffix in WEIGHT_SUFFIXES else []
    return [card_path(path), path.parent / LABELS, *architectures]


def architecture_of(path: Path) -> str | None:
    """The text of the architecture beside a file of weights, as model.to_json() gives it; None where there is none."""
    for name in _architectures(path):
        file = path.with_name(name)
        if (text := _short_text(file)) and is_architecture(text):
            return text
    return None


def is_architecture(text: str) -> bool:
    """Whether the JSON text is a Keras model's architecture."""
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and "class_name" in raw and "config" in raw


def holds_architecture(file: Path) -> bool:
    """Whether a JSON file is an architecture, and no card."""
    text = _short_text(file)
    return text is not None and is_architecture(text)


def _architectures(path: Path) -> list[str]:
    stem = path.name.removesuffix(path.suffix).removesuffix(".weights")
    return list(dict.fromkeys([f"{stem}.json", *_USUAL_ARCHITECTURES]))


def _short_text(file: Path) -> str | None:
    try:
        return read_plain_text(file, encoding="utf-8-sig")
    except (OSError, UserError, UnicodeDecodeError):
        return None
