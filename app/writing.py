"""A folder of results that appears whole or not at all, and the maps in it."""

import fcntl
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into; it becomes `out` at the end, and is deleted if anything comes in between.

    Where the process is killed outright, the next that writes to `out` deletes it.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        unfinished = out.parent / f".{out.name}.{uuid.uuid4().hex[:8]}"
        unfinished.mkdir()
        lock = _locked(unfinished)
    except OSError as error:
        raise UserError(f"Nothing can be written to {out.parent} ({error.strerror}); choose another --out.") from error
    try:
        yield unfinished
        unfinished.rename(out)
    except OSError as error:
        raise UserError(f"The results could not be written to {out} ({error.strerror}); nothing was kept.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
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


class MapsFile:
    """An .npz written one array after the other, so that a thousand pictures need no more memory than one."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def add(self, name: str, values: NDArray[Any]) -> None:
        """`np.load(path)[name]` gives `values` back."""
        with self._archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)

    def __enter__(self) -> "MapsFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()
