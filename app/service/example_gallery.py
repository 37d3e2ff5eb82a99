"""The example pictures that the page offers for a classifier, with their captions, credits and known evidence."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.masks import NAMES, decode_mask, fit_mask_to_input
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from examples import examples_for
from models.images.decoder import fit_to_size
from models.sandbox.picture_decoder import decode_picture_confined

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
MASK_ENDINGS = tuple(ending for ending in NAMES if ending)
MAX_FILES = 24
THUMB = (96, 96)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExamplePicture:
    """An example on offer. thumb: (96, 96, 3) uint8. evidence: (H, W) of the picture, true where the evidence for its class lies, or None.

    label: the class that it shows, in the classifier's words; empty where it is not known.
    """

    picture: UploadedPicture
    title: str
    caption: str = ""
    credit: str = ""
    thumb: NDArray[np.uint8] = field(repr=False, compare=False, default_factory=lambda: np.zeros((*THUMB, 3), np.uint8))
    evidence: NDArray[np.bool_] | None = field(repr=False, compare=False, default=None)
    label: str = ""


class ExampleGallery:
    """Classifier -> examples: the bundled ones that fit it, then the host's own folder, which serves every classifier.

    In that folder, a mask beside its picture is the picture's known evidence and no picture of its own.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of(self, classifier: str) -> tuple[ExamplePicture, ...]:
        """The examples of that classifier, the best one first; each is read once."""
        return _bundled(classifier) + (_pictures_in(self._folder) if self._folder else ())

    def find(self, classifier: str, picture: UploadedPicture) -> ExamplePicture | None:
        """The example that this picture is, if it is one."""
        return next((one for one in self.of(classifier) if one.picture == picture), None)


@lru_cache(maxsize=16)
def _bundled(classifier: str) -> tuple[ExamplePicture, ...]:
    found = []
    for example in examples_for(classifier):
        data = example.data()
        found.append(
            ExamplePicture(
                UploadedPicture.of(data, example.title, example.name),
                example.title,
                example.caption,
                example.credit,
                _thumb(decode_picture_confined(data)),
                example.evidence(decode_picture_confined),
                example.label,
            )
        )
    return tuple(found)


@lru_cache(maxsize=2)
def _pictures_in(folder: Path) -> tuple[ExamplePicture, ...]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
    masks = mask_files_by_picture(files)
    pictures = [file for file in files if not any(file in found for found in masks.values())]
    return tuple(shown for file in pictures[:MAX_FILES] if (shown := _read(file, masks.get(file, ()))))


def mask_files_by_picture(files: Sequence[Path]) -> dict[Path, tuple[Path, ...]]:
    """Picture -> the files that are named as its masks: cat_mask.png is one of cat.jpg. What has a mask itself is a picture."""
    by_stem: dict[str, list[Path]] = {}
    for file in files:
        by_stem.setdefault(file.stem.casefold(), []).append(file)
    named = {file: [mask for ending in MASK_ENDINGS for mask in by_stem.get(file.stem.casefold() + ending, ())] for file in files}
    found = {file: tuple(mask for mask in masks if not named[mask]) for file, masks in named.items()}
    return {file: masks for file, masks in found.items() if masks}


def _read(file: Path, masks: Sequence[Path]) -> ExamplePicture | None:
    """None, and a line in the log, where the file is not a picture."""
    data = file.read_bytes()
    try:
        decoded = decode_picture_confined(data)
    except Exception as error:
        log.warning("the example %s is left out: %s", file.name, error)
        return None
    picture, evidence = UploadedPicture.of(data, file.name, file.name), _evidence(file, masks, decoded.shape[:2])
    return ExamplePicture(picture, file.stem.replace("_", " "), thumb=_thumb(decoded), evidence=evidence)


def _evidence(file: Path, masks: Sequence[Path], shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """The mask at the picture's shape; None, and a line in the log, where there are several or it is no mask of the picture."""
    if not masks:
        return None
    if len(masks) > 1:
        log.warning("the example %s has %d masks (%s), so none is used", file.name, len(masks), ", ".join(mask.name for mask in masks))
        return None
    try:
        mask = decode_mask(masks[0].read_bytes(), masks[0].name, shape, decode_picture_confined)
        return fit_mask_to_input(mask, shape, lambda pixels: pixels, masks[0].name)
    except (UserError, OSError) as error:
        log.warning("the example %s has no known evidence: %s", file.name, error)
        return None


def _thumb(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.round(np.clip(fit_to_size(picture, THUMB, "crop"), 0, 1) * 255).astype(np.uint8)
