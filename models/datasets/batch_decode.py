"""Reads the pictures of a collection on every core, and names those that cannot be read."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from errors import UserError
from models.images.decoder import decode_picture

T = TypeVar("T")
_NAMED = 5


def read_image(file: Path) -> NDArray[np.float32]:
    """(H, W, 3) RGB 0..1, upright, by the one decoder."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"The file cannot be read ({error.strerror}).") from error
    return decode_picture(data)


def parallel_map(work: Callable[[int], T], count: int, saying: str) -> Iterator[T | UserError]:
    """`work` done to 0, 1, ... on every core, in order, with a progress bar; a UserError stands in the place of what it prevented."""

    def attempt(number: int) -> T | UserError:
        try:
            return work(number)
        except UserError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from tqdm(pool.map(attempt, range(count)), saying, count, unit="picture", leave=False, disable=None)


def unreadable_files_error(files: Sequence[Path], reasons: Sequence[UserError]) -> UserError:
    """What to raise for files that are no pictures."""
    named = "; ".join(f"{file}: {reason}" for file, reason in zip(files[:_NAMED], reasons, strict=False))
    more = f"; and {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
    return UserError(f"{len(files):,} of the pictures cannot be read; fix them or take them out. {named}{more}")
