"""Lists what lies in a folder of pictures, and says it in words where something else was expected."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from errors import UserError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
PARTS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
_SHOWN = 6


class LayoutError(UserError):
    """A folder does not look as a layout says, so that another layout may fit it."""


def pictures(folder: Path) -> list[Path]:
    """Every file at any depth whose name ends as a picture's does, in the order of the paths. Hidden ones do not count."""
    return [file for file in _files(folder) if file.suffix.lower() in SUFFIXES]


def strangers(folder: Path) -> list[Path]:
    """Every other file that is not hidden."""
    return [file for file in _files(folder) if file.suffix.lower() not in SUFFIXES]


def folders(folder: Path) -> dict[str, Path]:
    """The folders in a folder by their names, which `plain_name` makes comparable. UserError where two then have the same name."""
    found: dict[str, Path] = {}
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not _hidden(each.name) and found.setdefault(plain_name(each.name), each) != each:
            twin = found[plain_name(each.name)].name
            raise UserError(f"{folder} has the folders {twin} and {each.name}, which read as the same name; rename or join them.")
    return found


def plain_name(name: str) -> str:
    """`Viral Pneumonia`, `viral_pneumonia` and `VIRAL-PNEUMONIA` are one name."""
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def parts(folder: Path) -> dict[str, list[Path]]:
    """The folders train, val (valid, validation) and test by the part of a split that they are; {"": [folder]} where there is none.

    Beside other folders they are parts only where one of them holds folders in its turn: else a class may be called so.
    """
    inside = folders(folder)
    named = {name: each for name, each in inside.items() if name in PARTS}
    if len(named) < len(inside) and not any(folders(each) for each in named.values()):
        return {"": [folder]}
    found: dict[str, list[Path]] = {}
    for name, each in named.items():
        found.setdefault(PARTS[name], []).append(each)
    return found or {"": [folder]}


def beside_parts(folder: Path) -> tuple[str, ...]:
    """A sentence about folders that lie beside train, val and test, and so are left out."""
    others = [each.name for name, each in folders(folder).items() if name not in PARTS]
    return (f"Left out: {counted('folder', others)} beside the parts.",) if others and "" not in parts(folder) else ()


def wrong(folder: Path, expected: str) -> LayoutError:
    """What to raise where `folder` does not look as `expected`."""
    return LayoutError(f"{folder} holds {contents(folder)}; expected is {expected}.")


def contents(folder: Path) -> str:
    """`2 folders (test, train) and 1 file (notes.txt)`."""
    entries = sorted(each for each in folder.iterdir() if not _hidden(each.name))
    inside = [each.name for each in entries if each.is_dir()]
    files = [each.name for each in entries if not each.is_dir()]
    said = [counted(kind, names) for kind, names in (("folder", inside), ("file", files)) if names]
    return " and ".join(said) or "nothing"


def counted(kind: str, names: Sequence[str]) -> str:
    """`2 files (a.jpg, b.jpg)`, the first few by name."""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names):,} {kind}{'' if len(names) == 1 else 's'} ({', '.join(names[:_SHOWN])}{more})"


def table(file: Path, columns: Iterable[str]) -> list[Mapping[str, str]]:
    """The rows of a CSV file with a header that has at least these columns, by column. UserError names those that it lacks."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows: list[Mapping[str, str]] = list(csv.DictReader(opened, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read as a CSV file ({str(error)[:120]}); give the file as it was published.") from error
    found = list(rows[0]) if rows else []
    missing = [column for column in columns if column not in found]
    if missing:
        seen = ", ".join(map(str, found[:20])) or "no row"
        raise UserError(f"{file} has the columns {seen}; it must also have {', '.join(missing)}.")
    return rows


def _files(folder: Path) -> list[Path]:
    inside = (file for file in folder.rglob("*") if not any(_hidden(part) for part in file.relative_to(folder).parts))
    return sorted(file for file in inside if file.is_file())


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")
