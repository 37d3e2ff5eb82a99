"""What a model format is: how its files are recognised, checked and opened, and what a model of it can provide."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from errors import UserError


class Provides(StrEnum):
    """What the classifier of a model provides, each in the sentence for users."""

    EVERYTHING = "everything"
    GRADIENTS = "maps of every method; its weights cannot be re-initialised, which one of the sanity checks requires"
    OUTPUTS = "outputs only: methods that hide parts of the picture work, the others say why they cannot"
    AS_INSIDE = "as the model in it"


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format. Its module is imported without TensorFlow: `open` imports what it needs.

    title: what it is, for users, in Markdown. example: how lists of formats name it. suffixes: of its files; a format of folders has
    none, and `marker` names the file that makes a folder one.
    recognise: path and the file's first bytes (none for a folder) -> whether it is of this format.
    check: the static check before anything is opened; raises UserError. It builds nothing and imports no TensorFlow.
    open: -> a Keras model or a `Network`; raises UserError.
    open_bytes: as `open`, of a file inside a zip archive: its content, its member's name, the archive's. None where it may not be in one.
    open_members: the same of a folder: the archive, the folder's name in it, the archive's.
    check_bytes: as `check`, of a file inside a zip archive: its content, and the archive's path.
    folder_files: what belongs to a folder of it, as paths from there. upload: whether visitors of the page may upload it.
    """

    title: str
    example: str
    provides: Provides
    recognise: Callable[[Path, bytes], bool]
    check: Callable[[Path], None]
    open: Callable[[Path], Any]
    suffixes: tuple[str, ...] = ()
    marker: str = ""
    folder_files: re.Pattern[str] | None = None
    open_bytes: Callable[[bytes, str, str], Any] | None = None
    open_members: Callable[[zipfile.ZipFile, str, str], Any] | None = None
    check_bytes: Callable[[bytes, Path], None] | None = None
    upload: bool = True

    def matches(self, path: str) -> bool:
        """Whether a path, with slashes, is called as files of this format, or as the marker of a folder of it, are."""
        return path.endswith(self.suffixes) if self.suffixes else path.rpartition("/")[2] == self.marker


def file_content(path: Path) -> bytes:
    """UserError where it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise UserError(f"{path.name} cannot be read ({type(error).__name__}); give a file that may be read.") from error
