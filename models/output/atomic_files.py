"""Files and folders that appear whole or not at all, and stay once they have appeared, even if the power fails."""

import errno
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from errors import UserError


@contextmanager
def atomic_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write into, which becomes `target` in one step once it has reached the disk. UserError where the disk takes no more.

    It is deleted if anything comes in between; where the process is killed outright, the next that writes `target` deletes it.
    """
    _remove_leftovers(target)
    unfinished = _unfinished(target)
    try:
        with unfinished.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            replace_durably((unfinished, target))  # while it is locked, so that no other writer deletes it
    except OSError as error:
        raise UserError(
            f"{target.name} cannot be written to {target.parent} ({error.strerror or error}); make room there, or choose another folder."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def replace_durably(*files: tuple[Path, Path]) -> None:
    """(finished file, target): puts each in its target's place, in one step that lasts once this returns. OSError.

    Of several, all have reached the disk before the first is put in place, so that only a kill between two calls of the system parts them.
    """
    for unfinished, _ in files:
        _sync(unfinished)
    for unfinished, target in files:
        unfinished.replace(target)
    for folder in dict.fromkeys(target.parent for _, target in files):
        _sync(folder)


def rename_durably(folder: Path, target: Path) -> None:
    """Gives a finished folder the name `target`, which must be free, in one step that lasts once this returns. OSError."""
    for path, _, files in os.walk(folder):
        for name in files:
            _sync(Path(path) / name)
        _sync(Path(path))
    folder.rename(target)
    _sync(target.parent)


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into; it becomes `out` at the end, and is deleted if anything comes in between. UserError."""
    with staging_directory(out) as folder:
        try:
            yield folder
            rename_durably(folder, out)
        except OSError as error:
            raise UserError(f"The results could not be written to {out} ({error.strerror}); nothing was kept.") from error


@contextmanager
def staging_directory(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into and to rename; it is deleted at the end if it is still there. UserError.

    Where the process is killed outright, the next that writes to `out` deletes it.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(out)
        folder = _unfinished(out)
        folder.mkdir()
        lock = _lock(folder)
    except OSError as error:
        raise UserError(f"Nothing can be written to {out.parent} ({error.strerror}); choose another --out.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _sync(path: Path) -> None:
    """Until the file, or the names in the folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a folder, on file systems that know no such thing
            raise
    finally:
        os.close(descriptor)


def _unfinished(target: Path) -> Path:
    return target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"


def _remove_leftovers(target: Path) -> None:
    """Deletes what killed processes left unfinished of `target`; what a running one is writing is locked.

    Earlier versions named a file by its process, with fewer digits.
    """
    with suppress(FileNotFoundError):
        for path in target.parent.iterdir():
            if re.fullmatch(rf"\.{re.escape(target.name)}\.[0-9a-f]{{1,8}}", path.name) and not path.is_symlink():
                lock = _lock(path)
                if lock is not None:
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)
                    os.close(lock)


def _lock(path: Path) -> int | None:
    """A lock on a file or folder, which the system lifts when the process ends however it ends; None where none is to be had."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
