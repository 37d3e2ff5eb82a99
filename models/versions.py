"""Keeps every version of a model: OUT/NAME/v1, v2, ... each whole and never overwritten, and which is the latest.

`python -m models.versions OUT/NAME` lists them.
"""

import errno
import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from errors import UserError
from models.cards.card import file_sha256
from models.formats.format_registry import KERAS_SUFFIXES
from models.output.atomic_files import atomic_file, rename_durably, staging_directory
from plain_files import read_plain_text

ABOUT, LATEST = "version.json", "latest.json"


@dataclass(frozen=True)
class ModelVersion:
    """version: the folder's name. name: the model file's, without its ending. date: when it was kept, ISO 8601, UTC."""

    version: str
    name: str
    sha256: str
    date: str

    def to_json(self) -> dict[str, str]:
        return {"version": self.version, "name": self.name, "sha256": self.sha256, "date": self.date}

    @classmethod
    def from_json(cls, raw: Mapping[str, str]) -> "ModelVersion":
        """What `to_json` gave. Raises KeyError, TypeError for anything else."""
        return cls(version=raw["version"], name=raw["name"], sha256=raw["sha256"], date=raw["date"])


@contextmanager
def create_version(folder: Path) -> Iterator[Path]:
    """A folder to write a model file, its card and whatever belongs to it into; at the end it becomes the next version and the latest.

    If anything comes in between, nothing is kept. Two that write at once become two versions.
    """
    with staging_directory(folder / "version") as made:
        yield made
        weights = [file for file in made.iterdir() if file.suffix in KERAS_SUFFIXES]
        if len(weights) != 1:
            names = ", ".join(file.name for file in weights) or "none"
            raise UserError(f"A version of {folder.name} holds one .keras or .h5 file; found: {names}.")
        try:
            _publish(made, weights[0], folder)
        except OSError as error:
            raise UserError(f"The version could not be written to {folder} ({error.strerror}); nothing was kept.") from error


def list_model_versions(folder: Path) -> tuple[ModelVersion, ...]:
    """The versions of a model, the first one first. UserError where one cannot be read."""
    return tuple(_read_version(path) for path in _paths(folder))


def latest_version_folder(folder: Path) -> Path | None:
    """The folder of the version that latest.json names, or of the highest where it names none; None where `folder` holds no versions."""
    paths = _paths(folder)
    try:
        named = str(json.loads(read_plain_text(folder / LATEST))["version"])
    except (UserError, OSError, RecursionError, ValueError, KeyError, TypeError):
        named = ""
    return next((path for path in paths if path.name == named), paths[-1] if paths else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a model's versions, the latest marked; 2 after a mistake in the arguments."""
    parser = ArgumentParser("python -m models.versions", description="Lists the versions of a model.")
    parser.add_argument("folder", type=Path, metavar="OUT/NAME", help="the folder that holds v1, v2, ...")
    folder = parser.parse_args(arguments).folder
    try:
        found, last = list_model_versions(folder), latest_version_folder(folder)
        if last is None:
            raise UserError(f"{folder} holds no versions of a model (v1, v2, ...); give the folder that training wrote, OUT/NAME.")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    for each in found:
        print(f"{each.version:>6}  {each.date}  {each.sha256[:12]}  {each.name}{'  latest' if each.version == last.name else ''}")
    return 0


def _publish(made: Path, weights: Path, folder: Path) -> None:
    sha256, date = file_sha256(weights), datetime.now(UTC).isoformat(timespec="seconds")
    number = max((_number(path) for path in folder.iterdir()), default=0)
    while True:
        number += 1
        about = ModelVersion(f"v{number}", weights.stem, sha256, date)
        (made / ABOUT).write_text(json.dumps(about.to_json(), indent=1) + "\n", encoding="utf-8")
        try:
            rename_durably(made, folder / about.version)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
    with atomic_file(folder / LATEST) as file:
        file.write(f"{json.dumps({'version': about.version})}\n".encode())


def _paths(folder: Path) -> list[Path]:
    """The folders of versions, by number."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _number(path) and (path / ABOUT).is_file()), key=_number)


def _number(path: Path) -> int:
    """3 for v3, and 0 for what is no version."""
    return int(path.name[1:]) if re.fullmatch(r"v[1-9]\d{0,8}", path.name) else 0


def _read_version(path: Path) -> ModelVersion:
    try:
        return ModelVersion.from_json(json.loads(read_plain_text(path / ABOUT)))
    except (UserError, OSError, RecursionError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path / ABOUT} cannot be read ({str(error)[:80]}); the folder {path} is no whole version.") from error


if __name__ == "__main__":
    sys.exit(main())
