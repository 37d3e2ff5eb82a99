"""Writes a model's card; the previous one is kept as a backup."""

import os
import shutil
from itertools import count
from pathlib import Path

from errors import UserError
from models.cards.card import Card
from models.cards.sidecar_files import is_architecture_file, model_card_path
from models.loading import HUB, IMAGENET, resolve_model_path
from models.output.atomic_files import replace_durably
from models.store import bundled_models


def writable_card_path(model: str) -> Path:
    """The path of a model's card, existing or not. UserError where the model's card may not be written."""
    if model in bundled_models() or model.startswith((IMAGENET, HUB)):
        raise UserError(f"{model} is not yours to fix; give the path of a copy of the model.")
    file = model_card_path(resolve_model_path(model))
    if file.exists() and is_architecture_file(file):
        raise UserError(f"{file} holds the model's architecture and cannot be its card; save the model whole, as .keras.")
    return file


def write_card(file: Path, card: Card) -> Path | None:
    """Writes the card atomically; returns the backup of the previous one, NAME.json.bak or .bak2 and so on, or None."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        backup = _backup(file) if file.exists() else None
        card.write(unfinished)
        replace_durably((unfinished, file))
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(f"{file} cannot be written ({error.strerror}); the card that was there is untouched.") from error
    return backup


def _backup(file: Path) -> Path:
    names = (file.with_name(f"{file.name}.bak{number if number > 1 else ''}") for number in count(1))
    copy = next(name for name in names if not name.exists())
    shutil.copy2(file, copy)
    return copy
