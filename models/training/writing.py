"""Writes a file whole or not at all, and leaves nothing beside it where the disk is full or the run is killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from errors import UserError


@contextmanager
def atomic_file(kept: Path) -> Iterator[BinaryIO]:
    """A file to write into, which becomes `kept` in one step once it has reached the disk. UserError where the disk takes no more.

    It is deleted if anything comes in between; where the process is killed outright, the next that writes `kept` deletes it.
    """
    _sweep(kept)
    beside = kept.with_name(f".{kept.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(kept)
    except OSError as error:
        raise UserError(
            f"{kept.name} cannot be written to {kept.parent} ({error.strerror or error}); make room there, or choose another folder."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _sweep(kept: Path) -> None:
    """Deletes what killed processes left unfinished of `kept`; what a living one is writing is locked."""
    for left in kept.parent.glob(f".{kept.name}.*"):
        try:
            with left.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink(missing_ok=True)
        except OSError:
            continue
