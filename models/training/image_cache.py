"""Decodes the pictures of a collection once, in parallel, and keeps them at the model's size in a file that is mapped into memory."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.datasets.batch_decode import each, picture, unreadable
from models.images.placement import fit

Fit = Literal["letterbox", "crop", "stretch"]
_FORMAT = 1  # another number makes every cache anew


def decoded(files: Sequence[Path], size: tuple[int, int], how: Fit, folder: Path) -> NDArray[np.uint8]:
    """(n, H, W, 3) uint8 RGB: what serving sees, rounded to 1/255. Made anew in `folder` where a file or the size is another.

    UserError names the pictures that cannot be read.
    """
    kept = folder / f"{key(files, (size, how))}.npy"
    if (found := mapped(kept)) is not None:
        return found
    _make(kept, files, size, how)
    made = mapped(kept)
    if made is None:
        raise UserError(f"The decoded pictures in {kept} cannot be read back; name another folder.")
    return made


def mapped(kept: Path) -> NDArray[Any] | None:
    """The array in a file, left on the disk until it is read; None where there is no file, or a damaged one."""
    try:
        return np.asarray(np.load(kept, mmap_mode="r"))
    except (OSError, ValueError, EOFError):
        return None


def _make(kept: Path, files: Sequence[Path], size: tuple[int, int], how: Fit) -> None:
    """Writes beside, then renames, so that a cache that is there is whole."""
    needed = len(files) * size[0] * size[1] * 3
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(kept.parent).free  # a mapped file on a full disk would end the process
        handle, name = tempfile.mkstemp(suffix=".part", dir=kept.parent)
    except OSError as error:
        raise UserError(f"Decoded pictures cannot be kept in {kept.parent} ({error.strerror}); name another folder.") from error
    os.close(handle)
    unfinished = Path(name)
    try:
        if needed > free:
            raise UserError(
                f"Decoded pictures take {needed / 1e9:.1f} GB; {kept.parent} has {free / 1e9:.1f} GB free. Name another folder."
            )
        _fill(np.lib.format.open_memmap(name, "w+", np.uint8, (len(files), *size, 3)), files, how)
        os.replace(unfinished, kept)
    except OSError as error:
        raise UserError(f"Decoded pictures cannot be kept in {kept.parent} ({error.strerror}); name another folder.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(pictures: "np.memmap[tuple[int, ...], np.dtype[np.uint8]]", files: Sequence[Path], how: Fit) -> None:
    height, width = pictures.shape[1:3]

    def place(number: int) -> None:
        pictures[number] = np.rint(fit(picture(files[number]), (height, width), how) * 255).astype(np.uint8)

    failed = [(file, made) for file, made in zip(files, each(place, len(files), "decoding"), strict=True) if made]
    if failed:
        raise unreadable([file for file, _ in failed], [reason for _, reason in failed])
    pictures.flush()


def key(files: Sequence[Path], made: tuple[object, ...]) -> str:
    """A name for what is made of picture files: another where a path, length or time is another, or `made`, which says what in values
    that are always written the same way."""
    digest = hashlib.sha256(repr((_FORMAT, *made)).encode())
    for file in files:
        try:
            about = file.stat()
        except OSError as error:
            raise UserError(f"The picture {file} cannot be found any more ({error.strerror}); make the split anew.") from error
        digest.update(f"{file.resolve()}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]
