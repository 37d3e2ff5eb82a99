"""The example pictures that the page offers for a classifier, each with a title and its credit."""

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.uploads import Picture
from models.pictures import decode, fit

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
AT_MOST = 24
THUMB = (96, 96)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """A picture to try. thumb: (96, 96, 3) uint8."""

    picture: Picture
    title: str
    credit: str
    thumb: NDArray[np.uint8] = field(repr=False, compare=False)


class Gallery:
    """Classifier -> examples: the bundled ones that fit it, and the host's own folder for every classifier."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of(self, classifier: str) -> tuple[Example, ...]:
        """The examples of that classifier; read once."""
        own = _pictures_in(self._folder) if self._folder else ()
        return own


@lru_cache(maxsize=8)
def _pictures_in(folder: Path) -> tuple[Example, ...]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
    return tuple(example for file in files[:AT_MOST] if (example := _read(file)))


def _read(file: Path) -> Example | None:
    """None, and a line in the log, where the file is no picture."""
    data = file.read_bytes()
    try:
        picture = decode(data)
    except Exception as error:
        log.warning("the example %s is left out: %s", file.name, error)
        return None
    thumb = np.round(np.clip(fit(picture, THUMB, "crop"), 0, 1) * 255).astype(np.uint8)
    return Example(Picture.of(data, file.name, file.name), file.stem.replace("_", " "), "", thumb)
