"""Maps to pixels: the one place for colour and scale. The browser applies the same rule to the codes that it gets from here.

A map becomes shares of its own strongest value, shares become codes of one byte, codes become colours. Zero is a fixed code and a
fixed colour. In the default colours bright means strong in every map: warm for the class, cool and hatched against it, on a darkened
photograph. In the older colours the photograph shows through untouched where there is no evidence.
"""

import io
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explainers.grid import enlarge_map

BRIGHT, BRIGHT_SIGNED = "bright", "bright_signed"
SEQUENTIAL = (BRIGHT, "inferno", "viridis", "cividis")
DIVERGING = (BRIGHT_SIGNED, "RdBu_r", "PuOr_r", "coolwarm")
"""Colour maps for unsigned and signed maps, the default first; all are safe for colour-blind readers."""

STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
FOR = ("#2c1300", "#7d3711", "#b35004", "#e47a0c", "#ffb455", "#ffe7c5")
AGAINST = ("#001b2f", "#005078", "#0075a3", "#01a1d6", "#53d1ff", "#c9f2ff")
"""Colours at these shares of the strongest value, linear in sRGB between them; both ramps have L* 9, 32, 46, 62, 79 and 93."""
CHROMA, BRIGHTNESS = 0.45, 0.36
"""What the photograph keeps of its colour and of its brightness under a map in the default colours."""
COVER, FADE_FROM, FADE_TO = 0.94, 0.06, 0.5
"""The most that the colour covers, and the shares between which it fades in."""
HATCH_PERIOD, HATCH_WIDTH, HATCH_COVER = 7, 2, 0.42
"""Evidence against has lines at 45 degrees: of so many pixels along a row of a 224 pixel picture, these keep this part of the cover."""
LUMINANCE = np.array((0.299, 0.587, 0.114), np.float32)

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
    if name == BRIGHT:
        return to_uint8(_ramp(FOR, np.arange(256) / 255))
    if name == BRIGHT_SIGNED:
        strengths = (np.arange(256) - 128) / 127
        signed = np.where(strengths[:, None] < 0, _ramp(AGAINST, -strengths), _ramp(FOR, strengths))
        return to_uint8(np.concatenate([signed[1:2], signed[1:]]))
    colours = mpl.colormaps[name]
    if name in SEQUENTIAL:
        return to_uint8(colours(np.arange(256)))
    balanced = to_uint8(colours.resampled(255)(np.arange(255)))
    return np.concatenate([balanced[:1], balanced])


def _overlay_opacity(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of the colour covers the photograph in the older colours: nothing without evidence, all from half of the strongest on."""
    return np.asarray(np.minimum(1, 2 * np.abs(shares)), np.float32)


def overlay_map(image: NDArray[np.float32], values: Values, signed: bool, opacity: float = OPACITY, colours: str = "") -> NDArray[np.uint8]:
    """The map's colours over the picture: (H, W, 3) RGB 0..1 and (h, w) -> (H, W, 3) RGB bytes. A blank map gives the plain picture.

    colours: the name of a table, the default where empty. opacity: of the older colours; the default ones have a fixed rule.
    """
    height, width = image.shape[:2]
    across = enlarge_map(normalise_by_maximum(values, signed), (height, width))
    name = colours or (DIVERGING if signed else SEQUENTIAL)[0]
    paint = colour_lookup_table(name)[_codes(across, signed)] / np.float32(255)
    if name not in (BRIGHT, BRIGHT_SIGNED):
        cover = opacity * _overlay_opacity(across)[..., None]
        return to_uint8(image * (1 - cover) + paint * cover)
    if not across.any():
        return to_uint8(image)
    light = (image @ LUMINANCE)[..., None]
    dimmed = BRIGHTNESS * (light + CHROMA * (image - light))
    cover = _bright_cover(across)[..., None]
    return to_uint8(dimmed * (1 - cover) + paint * (0.9 + 0.1 * light) * cover)


def _bright_cover(across: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of the default colours covers each pixel of (H, W) shares."""
    share = np.clip((np.abs(across) - FADE_FROM) / (FADE_TO - FADE_FROM), 0, 1)
    cover = COVER * share * share * (3 - 2 * share)
    period = max(HATCH_PERIOD, round(HATCH_PERIOD * across.shape[1] / 224))
    lines = np.add.outer(np.arange(across.shape[0]), np.arange(across.shape[1])) % period < period * HATCH_WIDTH / HATCH_PERIOD
    return np.asarray(np.where(lines & (across < 0), HATCH_COVER * cover, cover), np.float32)


def _ramp(colours: tuple[str, ...], strengths: Values) -> Values:
    """(n,) strengths 0..1 -> (n, 3) RGB 0..1."""
    points = np.array([mpl.colors.to_rgb(colour) for colour in colours])
    return np.stack([np.interp(strengths, STRENGTHS, points[:, channel]) for channel in range(3)], axis=-1)


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
