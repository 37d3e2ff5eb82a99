"""Writes the card that a model should have beside it; the one that was there is kept."""

import os
import shutil
from itertools import count
from pathlib import Path

from errors import UserError
from models.cards.card import Card
from models.cards.sidecar_files import card_path, holds_architecture
from models.loading import HUB, IMAGENET, path_of
from models.store import bundled


def card_file(model: str) -> Path:
    """Where the card of a model lies or belongs. UserError where it is not one's own to write."""
    if model in bundled() or model.startswith((IMAGENET, HUB)):
        raise UserError(f"{model} is not yours to mend; give the path of a copy of the model.")
    file = card_path(path_of(model))
    if file.exists() and holds_architecture(file):
        raise UserError(f"{file} holds the model's architecture and cannot be its card; save the model whole, as .keras.")
    return file


def write_card(file: Path, card: Card) -> Path | None:
    """Writes the card whole or not at all. The copy of the one that was there, NAME.json.bak or .bak2 and so on; None where none was."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        kept = _kept(file) if file.exists() else None
        card.write(unfinished)
        os.replace(unfinished, file)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(f"{file} cannot be written ({error.strerror}); the card that was there is untouched.") from error
    return kept


def _kept(file: Path) -> Path:
    names = (file.with_name(f"{file.name}.bak{number if number > 1 else ''}") for number in count(1))
    copy = next(name for name in names if not name.exists())
    shutil.copy2(file, copy)
    return copy
