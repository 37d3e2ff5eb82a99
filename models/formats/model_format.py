"""A model format: how its files are recognised, checked and opened, and what its models provide."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from errors import UserError


class ModelCapabilities(StrEnum):
    """What the classifier of a model provides; the values are sentences for users."""

    EVERYTHING = "everything"
    GRADIENTS = "maps of every method; its weights cannot be re-initialised, which one of the sanity checks requires"
    OUTPUTS = "outputs only: methods that hide parts of the picture work, the others say why they cannot"
    AS_INSIDE = "as the model in it"


@dataclass(frozen=True, kw_only=True)
class ModelFormat:
    """One format. Its module imports no TensorFlow: `open` imports what it needs.

    title: for users, in Markdown. example: its name in lists of formats. suffixes: of its files; a folder format has none, and
    `marker` names the file that identifies its folders, together with `companions`.
    recognise: path and the file's first bytes (none for a folder) -> whether it is of this format.
    check: the static check before anything is opened; raises UserError. Builds nothing and imports no TensorFlow.
    open: -> a Keras model or a `Network`; raises UserError.
    open_bytes: as `open`, for a file inside a zip archive: its content, its member's name, the archive's. None where unsupported.
    open_members: the same for a folder: the archive, the folder's name in it, the archive's.
    check_bytes: as `check`, for a file inside a zip archive: its content, and the archive's path.
    folder_files: matches the relative paths that belong to its folder. upload: whether visitors of the page may upload it.
    """

    title: str
    example: str
    provides: ModelCapabilities
    recognise: Callable[[Path, bytes], bool]
    check: Callable[[Path], None]
    open: Callable[[Path], Any]
    suffixes: tuple[str, ...] = ()
    marker: str = ""
    companions: tuple[str, ...] = ()
    folder_files: re.Pattern[str] | None = None
    open_bytes: Callable[[bytes, str, str], Any] | None = None
    open_members: Callable[[zipfile.ZipFile, str, str], Any] | None = None
    check_bytes: Callable[[bytes, Path], None] | None = None
    upload: bool = True

    def matches(self, path: str) -> bool:
        """Whether a path, with slashes, has a suffix of this format, or is its marker."""
        return path.endswith(self.suffixes) if self.suffixes else path.rpartition("/")[2] == self.marker


def read_file_content(path: Path) -> bytes:
    """UserError where it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise UserError(f"{path.name} cannot be read ({type(error).__name__}); give a file that may be read.") from error
