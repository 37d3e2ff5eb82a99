"""Reads small files that may come from others: a plain file, of at most so many bytes, or a sentence about it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from errors import UserError

JSON_BYTES = 8_000_000
"""The most of a card, a list of labels, an ensemble, a version or an architecture."""

_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def open_plain_file(path: Path, most: int) -> Iterator[BinaryIO]:
    """The plain file at `path`, of at most `most` bytes; what is checked is what is open. UserError for anything else, OSError.

    Opening never waits, as it would on a FIFO. A link may lead to another file of its folder, or to where the Hub's cache keeps what its
    snapshots link to, and nowhere else.
    """
    try:
        folder, found = path.parent.resolve(), path.resolve(strict=True)
    except RuntimeError as error:  # which Python 3.11 and 3.12 raise for links in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
    if path.is_symlink() and not is_within(found, folder):
        raise UserError(f"{path.name} is a link out of its folder; put the file itself there.")
    descriptor = os.open(found, os.O_RDONLY | _NO_WAITING | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise UserError(f"{path.name} is {_kind(seen.st_mode)}, no plain file; put the file itself there.")
        if seen.st_size > most:
            raise UserError(f"{path.name} has {seen.st_size / 1e6:.1f} MB; {most / 1e6:.3g} MB is the most. Take a smaller file.")
        yield file


def read_plain_file(path: Path, most: int = JSON_BYTES) -> bytes:
    """The content of the plain file at `path`, however it grows meanwhile. UserError for anything else, OSError."""
    with open_plain_file(path, most) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UserError(f"{path.name} has more than {most / 1e6:.3g} MB, which is the most. Take a smaller file.")
    return content


def read_plain_text(path: Path, most: int = JSON_BYTES, encoding: str = "utf-8") -> str:
    """As `read_plain_file`; UnicodeDecodeError, a ValueError, where it is no text."""
    return read_plain_file(path, most).decode(encoding)


def is_within(found: Path, folder: Path) -> bool:
    """Whether a resolved file lies in a resolved folder, or where the Hub's cache keeps what its snapshots link to."""
    caches = [each.parent / "blobs" for each in folder.parents if each.name == "snapshots"]
    return any(found.is_relative_to(each) for each in (folder, *caches))


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFIFO: "a FIFO",
        stat.S_IFDIR: "a folder",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "a special file")
