"""Reads an .npz of others: plain numbers and words alone, of which no more is unpacked than its own header says, within limits."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from errors import UserError
from plain_files import open_plain_file

LARGEST_FILE, LARGEST = 50_000_000, 100_000_000
"""Bytes of the file, and of all its arrays once its reader computes with them: 8 per number, however few it is packed in."""
LARGEST_TEXT = 4_000_000
"""Bytes of all texts, at 4 per letter: each becomes an object of its own."""
MOST_MEMBERS, MOST_DIMENSIONS = 64, 4
_LONGEST_DIRECTORY, _LONGEST_HEADER = 100_000, 10_000
_KINDS = "fiubU"
_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error)


class _Source:
    """While its archive is opened, nothing is read at once that is longer than a list of members may be. Raises UserError."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.opening, self.name, self.seek, self.tell = True, name, file.seek, file.tell
        self.file = file

    def read(self, size: int = -1) -> bytes:
        if self.opening and size > _LONGEST_DIRECTORY:
            raise UserError(
                f"{self.name} lists its arrays in {size / 1e6:.1f} MB; {_LONGEST_DIRECTORY / 1e6:.1f} MB is the most. Make it again."
            )
        return self.file.read(size)

    def seekable(self) -> bool:
        return True


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the .npz at `path` by name. UserError where it is too large, ValueError where it is none or damaged, OSError."""
    with open_plain_file(path, LARGEST_FILE) as file:
        try:
            return _arrays(file, path.name)
        except _DAMAGE as error:
            raise ValueError(str(error)) from error


def _arrays(file: IO[bytes], name: str) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    source = _Source(file, name)
    left, text_left = LARGEST, LARGEST_TEXT
    with zipfile.ZipFile(source) as archive:
        source.opening = False
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise UserError(f"{name} has {len(members):,} arrays; {MOST_MEMBERS} is the most. Make it again.")
        for member in members:
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("packed in a way that is not read here")
            key = member.filename.removesuffix(".npy")
            if key in found:
                raise ValueError(f"'{key[:60]}' twice")
            with archive.open(member) as content:
                array = found[key] = _array(content, left, text_left, name)
            if array.dtype.kind == "U":
                text_left -= array.nbytes
            else:
                left -= _cost(array.size, array.dtype)
    return found


def _cost(count: int, kind: np.dtype[Any]) -> int:
    return count * max(8, kind.itemsize)


def _array(content: IO[bytes], left: int, text_left: int, name: str) -> NDArray[Any]:
    version = npy.read_magic(content)
    if version != (1, 0):  # a header of a later version may have 4 GB
        raise ValueError(f"an array of version {version}")
    shape, turned, kind = npy.read_array_header_1_0(content, _LONGEST_HEADER)
    if kind.kind not in _KINDS or kind.hasobject or kind.itemsize == 0 or len(shape) > MOST_DIMENSIONS or min(shape, default=0) < 0:
        raise ValueError(f"an array of kind {str(kind)[:40]} and shape {str(shape)[:40]}")
    count = math.prod(shape)
    size = count * kind.itemsize
    if kind.kind == "U" and size > text_left:
        raise UserError(f"{name} has more than {LARGEST_TEXT / 1e6:.0f} MB of text, which is the most. Make it again from fewer pictures.")
    if kind.kind != "U" and _cost(count, kind) > left:
        raise UserError(f"{name} takes more than {LARGEST / 1e6:.0f} MB of memory, which is the most. Make it again from fewer pictures.")
    data = content.read(size)
    if len(data) != size or content.read(1):
        raise ValueError(f"{len(data)} bytes where its header says {size}")
    return np.frombuffer(data, kind).reshape(shape, order="F" if turned else "C")
