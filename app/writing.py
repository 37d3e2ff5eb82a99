"""A folder of results that appears whole or not at all, and the maps in it."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.appearing import appearing

__all__ = ["MapsFile", "appearing"]


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
