"""The names of a model's classes from labels.txt, next to the model or in its archive."""

import os
import zipfile
from pathlib import Path

from errors import UserError
from models.cards.sidecar_files import LABELS
from models.sandbox.checks.zip_members import open_zip_archive
from plain_files import read_plain_file

_LONGEST = 8_000_000  # bytes
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # methods that unpack no more than requested


def read_label_file(path: Path) -> list[str] | None:
    """The lines of labels.txt in the zip archive or folder `path`, or next to it; None where there is none. UserError.

    A TFLite file with metadata is such an archive, whose labels may have a prefix: probability-labels.txt.
    """
    text = _read_packed(path) if path.is_file() else None
    for file in (path / LABELS, path.parent / LABELS):
        if text is None and os.path.lexists(file):
            try:
                text = read_plain_file(file)
            except OSError as error:
                raise UserError(f"{LABELS} beside {path.name} cannot be read ({error.strerror}); give a file that may be read.") from error
    if text is None:
        return None
    try:
        return [line.strip() for line in text.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"{LABELS} beside {path.name} cannot be read as UTF-8 text; save it as a text file, one line a class.") from error


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
