"""A folder of results that appears whole or not at all."""

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import UserError


@contextmanager
def atomic_directory(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into; it becomes `out` at the end, and is deleted if anything comes in between."""
    with staging_directory(out) as folder:
        try:
            yield folder
            folder.rename(out)
        except OSError as error:
            raise UserError(f"The results could not be written to {out} ({error.strerror}); nothing was kept.") from error


@contextmanager
def staging_directory(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into and to rename; it is deleted at the end if it is still there.

    Where the process is killed outright, the next that writes to `out` deletes it.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        folder = out.parent / f".{out.name}.{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        lock = _locked(folder)
    except OSError as error:
        raise UserError(f"Nothing can be written to {out.parent} ({error.strerror}); choose another --out.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _sweep(out: Path) -> None:
    """Deletes what killed processes left unfinished of `out`; what a living one is writing is locked."""
    for left in out.parent.iterdir():
        if re.fullmatch(rf"\.{re.escape(out.name)}\.[0-9a-f]{{8}}", left.name) and left.is_dir() and not left.is_symlink():
            lock = _locked(left)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """A lock on the folder, which the system lifts when the process ends however it ends; None where none is to be had."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held
