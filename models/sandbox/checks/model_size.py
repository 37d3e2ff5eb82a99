"""Limits on a model's size, and on what its folder may hold."""

from itertools import islice
from pathlib import Path

from errors import UserError
from models.sandbox.checks.safe_text import printable_text
from models.sandbox.checks.zip_members import LARGEST, MOST_MEMBERS


def check_model_size(path: Path) -> None:
    """UserError where the file exceeds the limit."""
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path.name} has {path.stat().st_size / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def check_saved_model_folder(folder: Path) -> None:
    """Checks a SavedModel's folder. UserError for too many files, links, or more bytes than the limit."""
    files = sorted(islice(folder.rglob("*"), MOST_MEMBERS + 1))
    if len(files) > MOST_MEMBERS:
        raise UserError(f"{folder.name} has more than {MOST_MEMBERS} files; a SavedModel has about 4. Export it again.")
    for file in files:
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise UserError(
                f"{folder.name} holds '{printable_text(file.name)}', a link or no plain file, as no SavedModel does; export it again."
            )
    total = sum(file.stat().st_size for file in files if file.is_file())
    if total > LARGEST:
        raise UserError(f"{folder.name} has {total / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")
