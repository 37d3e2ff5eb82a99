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
from models.datasets.batch_decode import parallel_map, read_image, unreadable_files_error
from models.images.picture_placement import fit_to_size
from models.output.atomic_files import replace_durably

Fit = Literal["letterbox", "crop", "stretch"]
_FORMAT = 1  # a new number invalidates every cache


def cache_decoded_images(files: Sequence[Path], size: tuple[int, int], how: Fit, folder: Path) -> NDArray[np.uint8]:
    """(n, H, W, 3) uint8 RGB: the classifier's input images, rounded to 1/255. Recreated in `folder` when a file or the size changes.

    UserError names the pictures that cannot be read.
    """
    cache_file = folder / f"{training_cache_file_name(files, (size, how))}.npy"
    if (found := load_memory_mapped(cache_file)) is not None:
        return found
    _make(cache_file, files, size, how)
    made = load_memory_mapped(cache_file)
    if made is None:
        raise UserError(f"The decoded pictures in {cache_file} cannot be read back; name another folder.")
    return made


def load_memory_mapped(cache_file: Path) -> NDArray[Any] | None:
    """The array in a file, left on the disk until it is read; None where there is no file, or a damaged one."""
    try:
        return np.asarray(np.load(cache_file, mmap_mode="r"))
    except (OSError, ValueError, EOFError):
        return None


def _make(cache_file: Path, files: Sequence[Path], size: tuple[int, int], how: Fit) -> None:
    """Writes a temporary file, then renames it, so that a cache is always complete."""
    needed = len(files) * size[0] * size[1] * 3
    try:
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache_file.parent).free  # a mapped file on a full disk would end the process
        handle, name = tempfile.mkstemp(suffix=".part", dir=cache_file.parent)
    except OSError as error:
        raise UserError(f"Decoded pictures cannot be kept in {cache_file.parent} ({error.strerror}); name another folder.") from error
    os.close(handle)
    unfinished = Path(name)
    try:
        if needed > free:
            raise UserError(
                f"Decoded pictures take {needed / 1e9:.1f} GB; {cache_file.parent} has {free / 1e9:.1f} GB free. Name another folder."
            )
        _fill(np.lib.format.open_memmap(name, "w+", np.uint8, (len(files), *size, 3)), files, how)
        replace_durably((unfinished, cache_file))
    except OSError as error:
        raise UserError(f"Decoded pictures cannot be kept in {cache_file.parent} ({error.strerror}); name another folder.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(pictures: "np.memmap[tuple[int, ...], np.dtype[np.uint8]]", files: Sequence[Path], how: Fit) -> None:
    height, width = pictures.shape[1:3]

    def place(number: int) -> None:
        pictures[number] = np.rint(fit_to_size(read_image(files[number]), (height, width), how) * 255).astype(np.uint8)

    failed = [(file, made) for file, made in zip(files, parallel_map(place, len(files), "decoding"), strict=True) if made]
    if failed:
        raise unreadable_files_error([file for file, _ in failed], [reason for _, reason in failed])
    pictures.flush()


def training_cache_file_name(files: Sequence[Path], made: tuple[object, ...]) -> str:
    """A file name for what is made of picture files: it changes with any path, length or modification time, and with `made`, whose values
    must have a stable repr.
    """
    digest = hashlib.sha256(repr((_FORMAT, *made)).encode())
    for file in files:
        try:
            about = file.stat()
        except OSError as error:
            raise UserError(f"The picture {file} cannot be found any more ({error.strerror}); make the split again.") from error
        digest.update(f"{file.resolve()}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]
