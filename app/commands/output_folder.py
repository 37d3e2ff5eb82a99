"""The output folder: names of its subfolders, and the file of maps."""

import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.output.atomic_files import atomic_directory
from models.sandbox.checks.safe_text import printable_text

__all__ = ["MapsArchive", "atomic_directory", "printable_file_name", "unique_folder_names"]


RESERVED = ("maps.npz", "manifest.json")
"""What lies in the folder beside one folder for each picture."""
LONGEST = 200  # bytes of a folder's name; file systems take 255, and a number may follow


def unique_folder_names(paths: Sequence[Path]) -> list[str]:
    """A folder name per picture: the file's stem, with a number where the name is taken.

    Characters that some file systems refuse become `_`.
    """
    names: list[str] = []
    taken = {name.casefold() for name in RESERVED}
    for path in paths:
        plain, number = _plain(path.stem), 1
        name = plain
        while name.casefold() in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def printable_file_name(name: object) -> str:
    """A file's name as printable text: bytes that are not UTF-8 as \\xff, control characters as ?."""
    plain = str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return printable_text(plain, len(plain))


def _plain(stem: str) -> str:
    known = unicodedata.normalize("NFC", stem).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    plain = "".join(letter if letter.isprintable() and letter not in '\ufffd\\/:*?"<>|' else "_" for letter in known)
    return plain.encode()[:LONGEST].decode("utf-8", "ignore").strip(". ") or "picture"


class MapsArchive:
    """An .npz file written picture by picture, so that a thousand pictures need no more memory than one."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._waiting: dict[str, NDArray[Any]] = {}

    def add(self, name: str, values: NDArray[Any]) -> None:
        """`np.load(path)[name]` gives `values` back, once they are kept."""
        self._waiting[name] = values

    def keep(self) -> None:
        """Writes what was added since the last call."""
        for name, values in self._waiting.items():
            with self._archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
        self._waiting.clear()

    def drop(self) -> None:
        """Discards what was added since the last call."""
        self._waiting.clear()

    def __enter__(self) -> "MapsArchive":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()
