"""A folder of results that appears whole or not at all, and the maps in it."""

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
    """A hidden folder beside `out` to write into; it becomes `out` at the end, and is deleted if anything comes in between."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.parent / f".{out.name}.{uuid.uuid4().hex[:8]}"
        unfinished.mkdir()
    except OSError as error:
        raise UserError(f"Nothing can be written to {out.parent} ({error.strerror}); choose another --out.") from error
    try:
        yield unfinished
        unfinished.rename(out)
    except OSError as error:
        raise UserError(f"The results could not be written to {out} ({error.strerror}); nothing was kept.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


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
