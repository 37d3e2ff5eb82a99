"""Where a model lies: its file or folder by path, by bundled name, or by its name on the Hugging Face Hub."""

import os
from pathlib import Path

from errors import UserError
from models.checks.unsupported import refuse_folder
from models.formats.hub import HUB, fetched
from models.formats.imagenet import IMAGENET
from models.formats.registry import TAKEN, TAKEN_IN_FOLDER, is_model
from models.formats.saved_model import MARKER, is_saved_model
from models.store import bundled
from models.versions import latest

__all__ = ["HUB", "IMAGENET", "model_file", "path_of"]


def path_of(name: str | Path) -> Path:
    """The file or folder of a model that is none of ImageNet's; what lies on the Hub is fetched. UserError."""
    if str(name).startswith(HUB):
        return fetched(str(name))
    return model_file(bundled().get(str(name), Path(name)))


def model_file(path: Path) -> Path:
    """The model that `path` is, a file or a SavedModel's folder, or the one in that folder; of a folder of versions the latest's."""
    if not os.path.exists(path):  # which, unlike Path.exists, takes an impossible name for a missing one
        raise UserError(f"There is no file or folder {str(path)[:200]}; give the path of {TAKEN}.")
    if path.is_file():
        return path.parent if path.name == MARKER else path
    if not path.is_dir():
        raise UserError(f"{path} is neither a file nor a folder; give the path of {TAKEN}.")
    if is_saved_model(path):
        return path
    path = latest(path) or path
    found = sorted(each for each in path.iterdir() if is_model(each))
    if len(found) != 1:
        refuse_folder(path, found)
        names = ", ".join(each.name for each in found) or "none"
        raise UserError(f"The folder {path} must hold one model ({TAKEN_IN_FOLDER}); found: {names}.")
    return found[0]
