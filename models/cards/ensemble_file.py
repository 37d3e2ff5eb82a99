"""Reads a file that lists the members of an ensemble: a JSON object with `members` and an optional `name`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from errors import UserError
from models.store import bundled_models
from plain_files import read_plain_text

USUAL_NAME = "ensemble.json"
MOST = 16
LONGEST_NAME, LONGEST_MEMBER = 200, 4_096


@dataclass(frozen=True)
class EnsembleMemberList:
    """name: what the ensemble is called. members: paths, bundled names or `imagenet:NAME`, as `load_classifier` takes them."""

    name: str
    members: tuple[str, ...]


def read_ensemble_file(path: Path) -> EnsembleMemberList | None:
    """The list in the file `path`, or in ensemble.json of the folder `path`; None where there is none. UserError if damaged.

    Paths in it are relative to its own folder.
    """
    file = path / USUAL_NAME if os.path.isdir(path) else path  # unlike Path.is_dir, treats an invalid name as a missing file
    if file.suffix != ".json" or not os.path.lexists(file) or os.path.isdir(file):
        return None
    try:
        raw = json.loads(read_plain_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file.name} cannot be read as JSON ({str(error)[:120]}); it should list an ensemble's members.") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("members"), list) or not set(raw) <= {"name", "members"}:
        raise UserError(
            f'{file.name} lists no members; an ensemble is a JSON object such as {{"members": ["a.keras", "b.keras"]}}, '
            'with a "name" if you like, and a model is given by its own file.'
        )
    members, name = raw["members"], raw.get("name", path.stem)
    if not isinstance(name, str) or not all(isinstance(member, str) and member for member in members) or not 2 <= len(members) <= MOST:
        raise UserError(f"{file.name}: 'members' must be a list of 2 to {MOST} paths or names, and 'name' a text.")
    if len(name) > LONGEST_NAME or max(map(len, members)) > LONGEST_MEMBER:
        raise UserError(
            f"{file.name} has a name of {len(name):,} characters and a member of {max(map(len, members)):,}; "
            f"{LONGEST_NAME} and {LONGEST_MEMBER:,} are the most. Shorten them."
        )
    return EnsembleMemberList(name, tuple(_resolve(member, file.parent) for member in members))


def _resolve(member: str, folder: Path) -> str:
    return member if member in bundled_models() or ":" in member.split("/")[0] else str(folder / member)
