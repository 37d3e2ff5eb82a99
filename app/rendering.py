"""Maps to pixels: the one place for colour and scale. The browser applies the same rule to the codes that it gets from here.

A map becomes shares of its own strongest value, shares become codes of one byte, codes become colours. Zero is a fixed code and a
fixed colour, and where there is no evidence the photograph shows through untouched.
"""

import io
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explainers.grid import enlarge_map

SEQUENTIAL = ("inferno", "viridis", "cividis")
DIVERGING = ("RdBu_r", "PuOr_r", "coolwarm")
"""Colour maps for unsigned and signed maps, the default first; all are safe for colour-blind readers."""

STRONGEST = 0.995
SCALE_RULE = (
    "Each map is scaled to its own strongest value, the one that 99.5 % of its cells do not exceed in size: colours compare places "
    "within one map, not strength between maps. Where a map has two signs, both are scaled alike and no colour means nothing."
)
OPACITY = 0.7

Values = NDArray[Any]


def normalise_by_maximum(values: Values, signed: bool) -> NDArray[np.float32]:
    """(h, w) in any unit -> shares of the strongest value, -1..1 for signed maps, 0..1 for others.

    All zero for a map that is blank: nothing but zeros, nothing positive where only positive values count, or not finite.
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        return np.zeros(values.shape, np.float32)
    values = values if signed else np.maximum(values, 0)
    sizes = np.abs(values)
    strongest = np.quantile(sizes, STRONGEST, method="higher") or sizes.max()
    if not strongest > 0:
        return np.zeros(values.shape, np.float32)
    return np.asarray(np.clip(values / strongest, -1, 1), np.float32)


def quantise_map(values: Values, signed: bool) -> NDArray[np.uint8]:
    """(h, w) in any unit -> codes. Signed: 128 is zero, 255 the strongest value, 1 its negative. Unsigned: 0 is zero, 255 the strongest."""
    return _codes(normalise_by_maximum(values, signed), signed)


@cache
def colour_lookup_table(name: str) -> NDArray[np.uint8]:
    """(256, 3): the colour of each code. Diverging tables have their neutral colour at 128; 0, which no map uses, repeats 1."""
    colours = mpl.colormaps[name]
    if name in SEQUENTIAL:
        return to_uint8(colours(np.arange(256)))
    balanced = to_uint8(colours.resampled(255)(np.arange(255)))
    return np.concatenate([balanced[:1], balanced])


def _overlay_opacity(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of the colour covers the photograph: nothing where there is no evidence, all from half of the strongest on."""
    return np.asarray(np.minimum(1, 2 * np.abs(shares)), np.float32)


def overlay_map(image: NDArray[np.float32], values: Values, signed: bool, opacity: float = OPACITY) -> NDArray[np.uint8]:
    """The map's colours over the picture: (H, W, 3) RGB 0..1 and (h, w) -> (H, W, 3) RGB bytes. A blank map gives the plain picture."""
    height, width = image.shape[:2]
    across = enlarge_map(normalise_by_maximum(values, signed), (height, width))
    colours = colour_lookup_table((DIVERGING if signed else SEQUENTIAL)[0])[_codes(across, signed)] / np.float32(255)
    cover = opacity * _overlay_opacity(across)[..., None]
    return to_uint8(image * (1 - cover) + colours * cover)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) RGB or (H, W) grey bytes -> a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def to_uint8(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """RGB 0..1, whatever lies outside cut off, (..., 3 or more) -> bytes (..., 3)."""
    return np.asarray(np.round(np.clip(colours[..., :3], 0, 1) * 255), np.uint8)


def _codes(shares: NDArray[np.float32], signed: bool) -> NDArray[np.uint8]:
    return np.round(128 + 127 * shares if signed else 255 * shares).astype(np.uint8)
