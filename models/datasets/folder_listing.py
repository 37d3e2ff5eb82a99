"""Lists the contents of a folder of pictures, and describes them where something else was expected."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".dcm", ".dicom"}
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_SHOWN = 6


class LayoutMismatchError(UserError):
    """A folder does not match a layout, so that another layout may fit."""


def list_pictures(folder: Path) -> list[Path]:
    """Every file at any depth whose name ends as a picture's does, in the order of the paths. Hidden ones do not count."""
    return [file for file in _files(folder) if file.suffix.lower() in SUFFIXES]


def list_non_picture_files(folder: Path) -> list[Path]:
    """Every other file that is not hidden."""
    return [file for file in _files(folder) if file.suffix.lower() not in SUFFIXES]


def list_folders(folder: Path) -> dict[str, Path]:
    """The folders in a folder by their names, which `normalise_name` makes comparable. UserError where two then have the same name."""
    found: dict[str, Path] = {}
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not _is_hidden(each.name) and found.setdefault(normalise_name(each.name), each) != each:
            twin = found[normalise_name(each.name)].name
            raise UserError(f"{folder} has the folders {twin} and {each.name}, which read as the same name; rename or join them.")
    return found


def normalise_name(name: str) -> str:
    """`Viral Pneumonia`, `viral_pneumonia` and `VIRAL-PNEUMONIA` are one name."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def find_split_folders(folder: Path) -> dict[str, list[Path]]:
    """The folders train, val (valid, validation) and test by part of the split; {"": [folder]} where there are none.

    With other folders next to them they are parts only if one of them contains folders: otherwise a class may have such a name.
    """
    inside = list_folders(folder)
    named = {name: each for name, each in inside.items() if name in SPLIT_NAMES}
    if len(named) < len(inside) and not any(list_folders(each) for each in named.values()):
        return {"": [folder]}
    found: dict[str, list[Path]] = {}
    for name, each in named.items():
        found.setdefault(SPLIT_NAMES[name], []).append(each)
    return found or {"": [folder]}


def ignored_folders_sentence(folder: Path) -> tuple[str, ...]:
    """A sentence about folders next to train, val and test, which are ignored."""
    others = [each.name for name, each in list_folders(folder).items() if name not in SPLIT_NAMES]
    return (
        (f"Left out: {summarise_file_names('folder', others)} beside the parts.",)
        if others and "" not in find_split_folders(folder)
        else ()
    )


def layout_mismatch_error(folder: Path, expected: str) -> LayoutMismatchError:
    """What to raise where `folder` does not look as `expected`."""
    return LayoutMismatchError(f"{folder} holds {_describe_folder_contents(folder)}; expected is {expected}.")


def _describe_folder_contents(folder: Path) -> str:
    """`2 folders (test, train) and 1 file (notes.txt)`."""
    entries = sorted(each for each in folder.iterdir() if not _is_hidden(each.name))
    inside = [each.name for each in entries if each.is_dir()]
    files = [each.name for each in entries if not each.is_dir()]
    described = [summarise_file_names(kind, names) for kind, names in (("folder", inside), ("file", files)) if names]
    return " and ".join(described) or "nothing"


def summarise_file_names(kind: str, names: Sequence[str]) -> str:
    """`2 files (a.jpg, b.jpg)`, the first few by name."""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names):,} {kind}{'' if len(names) == 1 else 's'} ({', '.join(names[:_SHOWN])}{more})"


def read_csv_rows(file: Path, columns: Iterable[str]) -> list[Mapping[str, str]]:
    """The rows of a CSV file with a header that has at least these columns, by column. UserError names those that it lacks."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows: list[Mapping[str, str]] = list(csv.DictReader(opened, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read as a CSV file ({str(error)[:120]}); give the file as it was published.") from error
    found = list(rows[0]) if rows else []
    missing = [column for column in columns if column not in found]
    if missing:
        columns_found = ", ".join(map(str, found[:20])) or "no row"
        raise UserError(f"{file} has the columns {columns_found}; it must also have {', '.join(missing)}.")
    return rows


def _files(folder: Path) -> list[Path]:
    inside = (file for file in folder.rglob("*") if not any(_is_hidden(part) for part in file.relative_to(folder).parts))
    return sorted(file for file in inside if file.is_file())


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")
