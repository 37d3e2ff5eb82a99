"""What belongs to a model beside its own file: the card, labels.txt, and the architecture where the file holds weights alone."""

import json
import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.checks.zip_members import opened

LABELS = "labels.txt"
_LONGEST = 8_000_000  # bytes of a JSON file or of labels
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of which no more is unpacked than is asked for
_USUAL_ARCHITECTURES = ("model.json", "architecture.json")


def card_path(path: Path) -> Path:
    """Where the card of the model at `path` lies, a file or a SavedModel's folder."""
    return path.with_name(path.name + ".json") if path.is_dir() else path.with_suffix(".json")


def sidecar_files(path: Path) -> list[Path]:
    """Every file beside the model that is read with it, whether it is there or not."""
    architectures = [path.with_name(name) for name in _architectures(path)] if path.suffix in (".h5", ".hdf5") else []
    return [card_path(path), path.parent / LABELS, *architectures]


def architecture_of(path: Path) -> str | None:
    """The text of the architecture beside a file of weights, as model.to_json() gives it; None where there is none."""
    for name in _architectures(path):
        file = path.with_name(name)
        if (text := _short_text(file)) and is_architecture(text):
            return text
    return None


def is_architecture(text: str) -> bool:
    """Whether the JSON text is a Keras model's architecture."""
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and "class_name" in raw and "config" in raw


def holds_architecture(file: Path) -> bool:
    """Whether a JSON file is an architecture, and no card."""
    text = _short_text(file)
    return text is not None and is_architecture(text)


def read_labels(path: Path) -> list[str] | None:
    """The lines of labels.txt in the zip archive or folder that `path` is, or beside it; None where there is none. UserError.

    A TFLite file with metadata is such an archive, whose labels may be called after what they are: probability-labels.txt.
    """
    text = _packed(path) if path.is_file() else None
    for file in (path / LABELS, path.parent / LABELS):
        if text is None and file.is_file():
            try:
                text = file.read_bytes()
            except OSError as error:
                raise UserError(f"{LABELS} beside {path.name} cannot be read ({error.strerror}); give a file that may be read.") from error
    if text is None:
        return None
    try:
        return [line.strip() for line in text.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"{LABELS} beside {path.name} cannot be read as UTF-8 text; save it as a text file, one line a class.") from error


def _architectures(path: Path) -> list[str]:
    stem = path.name.removesuffix(path.suffix).removesuffix(".weights")
    return list(dict.fromkeys([f"{stem}.json", *_USUAL_ARCHITECTURES]))


def _short_text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8-sig") if file.stat().st_size <= _LONGEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _packed(path: Path) -> bytes | None:
    """labels.txt in the archive, before what only ends so; what macOS adds is passed over."""
    try:
        with opened(path) as archive:
            members = [each for each in archive.infolist() if _may_be_labels(each)]
            found = sorted(members, key=lambda each: each.filename.split("/")[-1] != LABELS)
            if not found:
                return None
            with archive.open(found[0]) as content:
                return content.read(_LONGEST)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        return None  # no archive, or a damaged one, about which whoever opens it says more


def _may_be_labels(member: zipfile.ZipInfo) -> bool:
    folder, _, name = member.filename.rpartition("/")
    if "__MACOSX" in folder.split("/") or name.startswith("._") or not name.endswith(LABELS):
        return False
    return max(member.file_size, member.compress_size) <= _LONGEST and member.compress_type in _PACKING
