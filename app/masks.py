"""Masks of known evidence: files, and their pixels at the classifier's size, fitted as the picture is."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.images.decoder import decode_picture

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

NAMES = ("", "_mask", "_segmentation", "_evidence")
"""Suffixes of a mask's name behind the name of its picture."""
GREY = (0.25, 0.75)
MOST_GREY = 0.05
"""Share of pixels that may be grey: the rim that saving as JPEG or making smaller leaves."""
OTHER_SHAPE = 0.02
"""Most that the ratio of the sides may differ from the picture's; masks of another resolution are common."""
MEANING = "a mask is white where the evidence lies and black elsewhere"


@dataclass(frozen=True)
class MaskFile:
    """A mask at the classifier's size. inside: (H, W) of the classifier's size, True on the evidence. file, sha256: of the mask's file."""

    file: str
    sha256: str
    inside: Mask


def load_region_mask(place: Path, picture: Path, shape: tuple[int, int], fit: Callable[[Floats], Floats]) -> MaskFile:
    """The region of a picture. place: the mask's file, or a folder of masks named as the pictures. shape: (h, w) of the picture as decoded.

    fit: what brings the picture to the classifier's size. Raises UserError where there is no mask or none that can be used.
    """
    file = find_mask_file(place, picture)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"The mask {file} cannot be read ({error.strerror}).") from error
    return MaskFile(
        file.name, hashlib.sha256(data).hexdigest(), fit_mask_to_input(decode_mask(data, file.name, shape), shape, fit, file.name)
    )


def find_mask_file(place: Path, picture: Path) -> Path:
    """`place` itself, or the one file of that folder that is named as the picture, with or without _mask, _segmentation, _evidence."""
    if not place.is_dir():
        return place
    wanted = {(picture.stem + ending).casefold(): number for number, ending in enumerate(NAMES)}
    others = (file for file in sorted(place.iterdir()) if file.is_file() and file.resolve() != picture.resolve())
    found = [file for file in others if file.stem.casefold() in wanted]
    if not found:
        raise UserError(f"{place} holds no mask of {picture.name}; it would be called {picture.stem}.png or {picture.stem}_mask.png.")
    if len(found) > 1:
        raise UserError(f"{place} holds {len(found)} masks of {picture.name} ({found[0].name}, {found[1].name}); leave one.")
    return found[0]


def decode_mask(data: bytes, name: str, shape: tuple[int, int], decoder: Callable[[bytes], Floats] = decode_picture) -> Mask:
    """The bytes of a mask's file -> (h, w) of its own resolution, True where it is bright. UserError for what is no mask of the picture.

    decoder: what decodes the file; the page's decodes it in a confined process.
    """
    try:
        brightness = decoder(data).mean(-1)
    except UserError as error:
        raise UserError(f"The mask {name} cannot be read: {error}") from error
    height, width = brightness.shape
    if abs(height * shape[1] / (width * shape[0]) - 1) > OTHER_SHAPE:
        seen = f"{width} x {height} pixels and the picture {shape[1]} x {shape[0]}"
        raise UserError(f"The mask {name} has another shape than the picture: it is {seen}; give the mask of this picture.")
    grey = float(((brightness > GREY[0]) & (brightness < GREY[1])).mean())
    if grey > MOST_GREY:
        raise UserError(f"The mask {name} is grey: {grey:.0%} of its pixels are neither dark nor bright; {MEANING}.")
    inside: Mask = brightness > 0.5
    _refuse_uniform(inside, f"The mask {name}")
    return inside


def fit_mask_to_input(mask: Mask, shape: tuple[int, int], fit: Callable[[Floats], Floats], name: str) -> Mask:
    """(h, w) -> (H, W): enlarged or reduced to the picture's shape and then fitted as it; bars, which are mid-grey, are outside."""
    same = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
    inside: Mask = fit(np.repeat(same[..., None], 3, axis=2))[..., 0] > 0.5
    _refuse_uniform(inside, f"At the classifier's size the mask {name}")
    return inside


def _refuse_uniform(inside: Mask, what: str) -> None:
    if not inside.any():
        raise UserError(f"{what} is empty: no pixel of it is bright; {MEANING}.")
    if inside.all():
        raise UserError(f"{what} is full: every pixel of it is bright; {MEANING}.")
