"""The names of a model's classes, from its file or from the files next to it, by a stated order."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from errors import UserError
from models.cards.card import CardNote, ClassLabel, check_class_count, unique_labels
from models.cards.class_name_formats import UnusableNamesError, parse_class_names
from models.cards.sidecar_files import CLASS_NAME_FILES, LABELS
from models.sandbox.checks.zip_members import open_zip_archive
from plain_files import read_plain_file

_LONGEST = 8_000_000  # bytes
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # methods that unpack no more than requested


@dataclass(frozen=True)
class ClassNames:
    """labels: of the classes in order. notes: which file named them, and which could not be used and why."""

    labels: tuple[ClassLabel, ...]
    notes: tuple[str, ...]


def read_class_names(path: Path, classes: int, inside: Sequence[str] = ()) -> ClassNames:
    """The names for a model without a card, from the first of these that names as many classes as there are: what the model's file holds
    (`inside`, or labels.txt in its archive), then `CLASS_NAME_FILES` in the model's folder or next to it. Else "class 0" and so on.

    A file that cannot be used is a note, and the next one is tried. UserError for more classes than are taken at all.
    """
    check_class_count(classes, path.name)
    notes: list[str] = []
    if len(inside) == classes:
        return ClassNames(unique_labels(list(inside)), (str(CardNote.NAMED_IN_FILE),))
    for name, content in _contents(path, notes):
        try:
            names = parse_class_names(content, name, classes)
        except UnusableNamesError as error:
            notes.append(f"{CardNote.NAMES_NOT_USED} {name}: {error}.")
            continue
        if names is not None:
            return ClassNames(unique_labels(names), (f"{CardNote.NAMED_BY} {name}.", *notes))
    return ClassNames(unique_labels([f"class {number}" for number in range(classes)]), tuple(notes))


def _contents(path: Path, notes: list[str]) -> Iterator[tuple[str, bytes]]:
    """Names of files and what they hold, in the order in which they are tried. notes: takes a sentence for each that cannot be read."""
    if path.is_file() and (packed := _read_packed(path)) is not None:
        yield LABELS, packed
    for name in CLASS_NAME_FILES:
        for file in (path / name, path.parent / name):
            if not os.path.lexists(file):
                continue
            try:
                content = read_plain_file(file, _LONGEST)
            except UserError as error:
                notes.append(f"{CardNote.NAMES_NOT_USED} {name}: {error}")
            except OSError as error:
                notes.append(f"{CardNote.NAMES_NOT_USED} {name}: it cannot be read ({error.strerror}).")
            else:
                yield name, content


def _read_packed(path: Path) -> bytes | None:
    """labels.txt in the archive, before files with a prefix; files added by macOS are ignored."""
    try:
        with open_zip_archive(path) as archive:
            members = [each for each in archive.infolist() if _may_be_labels(each)]
            found = sorted(members, key=lambda each: each.filename.split("/")[-1] != LABELS)
            if not found:
                return None
            with archive.open(found[0]) as content:
                return content.read(_LONGEST)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        return None  # no archive, or a damaged one, which its reader reports


def _may_be_labels(member: zipfile.ZipInfo) -> bool:
    folder, _, name = member.filename.rpartition("/")
    if "__MACOSX" in folder.split("/") or name.startswith("._") or not name.endswith(LABELS):
        return False
    return max(member.file_size, member.compress_size) <= _LONGEST and member.compress_type in _PACKING
