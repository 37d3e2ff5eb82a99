"""Checks the members of a .keras file, which is a zip archive, before anything is unpacked."""

import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import UserError
from models.sandbox.checks.safe_text import printable_text

MOST_MEMBERS = 64
LARGEST = 2_000_000_000  # bytes of all members unpacked
SMALL = 16_000_000  # bytes up to which any compression ratio is accepted: a configuration alone packs 40 to 1
MAX_EXPANSION = 20
LONGEST_DIRECTORY = 100_000  # bytes of the archive's central directory


class _File(io.FileIO):
    """While its archive is being opened, no single read may exceed the limit on the central directory. Raises UserError."""

    opening = True

    def read(self, size: int | None = -1, /) -> bytes:
        if self.opening and size is not None and size > LONGEST_DIRECTORY:
            raise UserError(
                f"{Path(str(self.name)).name} is or carries an archive whose list of members has {size / 1e6:.1f} MB; "
                f"{LONGEST_DIRECTORY / 1e6:.1f} MB is the most. Save it again without."
            )
        return super().read(size) or b""


@contextmanager
def open_zip_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive that a file is or contains; UserError where its central directory is so long that reading it takes seconds."""
    with _File(path) as file, zipfile.ZipFile(file) as archive:
        file.opening = False
        yield archive


@contextmanager
def open_checked_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive at `path`, its members checked; UserError where opening or using it shows that it is damaged."""
    try:
        with open_zip_archive(path) as archive:
            _check_members(archive, path.name)
            yield archive
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{path.name} is a damaged or truncated .keras file; save or download it again.") from error


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    """Raises UserError for too many members, duplicates, paths outside the archive, links, or a zip bomb."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UserError(
            f"{name} has {len(members)} members; a saved model has 3, and {MOST_MEMBERS} is the most. Save it again by model.save."
        )
    if before := min((member.header_offset for member in members), default=0):
        raise UserError(f"{name} has {before:,} bytes before its first member, perhaps another file; save it again by model.save.")
    seen: set[str] = set()
    for member in members:
        if member.filename in seen:
            raise UserError(
                f"{name} holds '{printable_text(member.filename)}' twice, so that it is not clear which one is meant; "
                "save it again by model.save."
            )
        seen.add(member.filename)
        _check_member(member, name)
    total = sum(member.file_size for member in members)
    if total > LARGEST:
        raise UserError(f"{name} unpacks to {total / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")
    packed, stored = sum(member.compress_size for member in members), _size(archive)
    if packed > stored:
        raise UserError(
            f"{name} says that its members take {packed / 1e6:.1f} MB, but has {stored / 1e6:.1f} MB in all; save it again by model.save."
        )


def single_model_in_zip(archive: zipfile.ZipFile, name: str, is_model: Callable[[str], bool], examples: str) -> str:
    """The only member for which `is_model` holds. UserError unless there is exactly one. examples: its possible formats, for messages."""
    _check_members(archive, name)
    members = [each for each in archive.namelist() if not each.endswith("/") and "__MACOSX" not in each]
    kept_apart = {"config.json", "model.weights.h5"}
    if kept_apart & set(members):
        missing = " and ".join(sorted(kept_apart - set(members)))
        raise UserError(f"{name} is a zip archive without {missing}; give a file saved by model.save('name.keras').")
    if any(each.endswith("data.pkl") for each in members):
        raise UserError(
            f"{name} is a model of PyTorch, which holds pickled code; export it with torch.onnx.export and give the .onnx file."
        )
    found = [each for each in members if is_model(each)]
    if len(found) == 1:
        return found[0]
    seen = printable_text(", ".join(found or members), 120) or "nothing"
    raise UserError(
        f"{name} is a zip archive without config.json and model.weights.h5, so no .keras file, and of models it must hold one "
        f"({examples}); it holds: {seen}."
    )


def _size(archive: zipfile.ZipFile) -> int:
    """Bytes on disk."""
    file = archive.fp
    assert file is not None
    place = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(place)
    return size


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    parts = member.filename.replace("\\", "/").split("/")
    if parts[0] == "" or ".." in parts or ":" in parts[0]:
        raise UserError(
            f"{name} holds a member called '{printable_text(member.filename)}', a path out of the archive; save it again by model.save."
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"{name} holds a link, '{printable_text(member.filename)}', which no saved model has; save it again by model.save.")
    if member.flag_bits & 1:
        raise UserError(f"{name} holds '{printable_text(member.filename)}' under a password; save it again by model.save.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(
            f"{name} packs '{printable_text(member.filename)}' by method {member.compress_type}, not deflate; save it again by model.save."
        )
    if member.file_size > SMALL and member.file_size > MAX_EXPANSION * member.compress_size:
        times = member.file_size // max(member.compress_size, 1)
        raise UserError(
            f"{name} holds '{printable_text(member.filename)}' packed {times} to 1, as only a zip bomb is; save it again by model.save."
        )
