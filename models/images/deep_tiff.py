"""TIFF pages of more than 8 bits per sample, of floats or signed numbers, of one or several channels, pixel by pixel or plane by plane."""

import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.images import tiff_pages
from models.images.sample_range import Floats, SampledPixels, average_blocks, composite_over_white, infer_sample_range, iterate_row_runs
from models.images.tiff_pages import TiffPage, extract_tiff_page

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK = 0, 1, 2, 3, 5
_PHOTOMETRICS = {4: "a mask", 6: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab", 32803: "a camera's raw sensor data", 34892: "raw sensor data"}
_KNOWN_COMPRESSIONS = {1: "none", 5: "LZW", 8: "Deflate", 32773: "PackBits", 32946: "Deflate"}
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_PACKED = (10, 12, 14)  # bits per sample that are stored without gaps; OpenCV moves them to the upper end of 16
_IMAGEJ_MOST = re.compile(r"^max=([0-9.]+)$", re.MULTILINE)
_OME_BITS = re.compile(r'SignificantBits="(\d+)"')


def is_deep_tiff_page(page: TiffPage) -> bool:
    """Whether the page is not one of 8 bits or fewer per sample, whole and not negative, of 1, 3 or 4 channels."""
    usual = page.first(tiff_pages.SAMPLE_FORMAT, _UNSIGNED) not in (_SIGNED, _FLOAT)
    return page.sample_bits > 8 or not usual or (page.sample_bits == 8 and page.first(tiff_pages.SAMPLES, 1) not in (1, 3, 4))


def deep_tiff_memory(page: TiffPage) -> int:
    """The most memory that decoding the page takes, but for what is averaged."""
    width, height = page.first(tiff_pages.WIDTH), page.first(tiff_pages.HEIGHT)
    sample = max(2, (page.sample_bits + 7) // 8) * (page.first(tiff_pages.SAMPLES, 1) // page.planes)
    rows = page.first(tiff_pages.TILE_HEIGHT) or page.first(tiff_pages.ROWS_PER_STRIP, height)
    return width * (height + min(rows, height)) * sample


def read_deep_tiff(data: bytes, page: TiffPage, block: tuple[int, int]) -> tuple[Floats, tuple[str, ...]]:
    """(H, W, 1 or 3) in 0 to 1, as stored, and notes. block: (across, down) pixels that are averaged into one.

    UserError for what is stored in no way that is read here; ValueError for a damaged file.
    """
    channels, photometric = page.first(tiff_pages.SAMPLES, 1), page.first(tiff_pages.PHOTOMETRIC, BLACK_IS_ZERO)
    colours = _colours(page, channels, photometric)
    samples = _samples(data, page, block, channels, colours)
    shown = infer_sample_range(samples, _stated_bits(page))
    pixels = shown.unit(samples.values[..., :colours])
    if photometric == WHITE_IS_ZERO:
        pixels = 1 - pixels
    if colours == 4:
        pixels = (1 - pixels[..., :3]) * (1 - pixels[..., 3:])
    if channels == colours + 1:
        most = 1.0 if not samples.bits else shown.white if samples.values[..., -1].max() <= shown.white else 2.0**samples.bits - 1
        alpha = np.clip(samples.values[..., -1:] / np.float32(most), 0, 1)
        pixels = composite_over_white(pixels, alpha, page.first(tiff_pages.EXTRA_SAMPLES) == 1)
    return pixels, (shown.note,) if shown.note else ()


def _colours(page: TiffPage, channels: int, photometric: int) -> int:
    """Channels but for alpha: 1, 3, or 4 inks. UserError."""
    if photometric in _PHOTOMETRICS or photometric == PALETTE:
        what = _PHOTOMETRICS.get(photometric, "colours by number")
        raise UserError(f"This TIFF holds {what} in {page.sample_bits} bits, which is not read here; save it as RGB or grey.")
    if photometric == CMYK and channels == 4:
        return 4
    colours = 3 if channels >= 3 else 1
    extra = channels - colours
    if extra > 1 or (extra == 1 and photometric != RGB and page.first(tiff_pages.EXTRA_SAMPLES) not in (1, 2)):
        raise UserError(f"This TIFF has {channels} channels in a pixel; 1 or 3, and transparency, are read. Save three of them as RGB.")
    return colours


def _samples(data: bytes, page: TiffPage, block: tuple[int, int], channels: int, colours: int) -> SampledPixels:
    if page.planes == 1:
        return average_blocks(iterate_row_runs(_pixels(data, page, channels), block), block, colours)
    places, lengths = _places(page)
    each = len(page.tags.get(places, ())) // channels
    found = []
    for plane in range(channels):
        own = {tag: page.tags[tag][plane * each : (plane + 1) * each] for tag in (places, lengths) if tag in page.tags}
        found.append(average_blocks(iterate_row_runs(_pixels(data, page, 1, own), block), block, 1))
    values = np.concatenate([plane.values for plane in found], axis=2)
    low, high = min(plane.low for plane in found[:colours]), max(plane.high for plane in found[:colours])
    return SampledPixels(values, low, high, found[0].bits, found[0].signed)


def _places(page: TiffPage) -> tuple[int, int]:
    tiled = tiff_pages.TILE_OFFSETS in page.tags
    return (tiff_pages.TILE_OFFSETS, tiff_pages.TILE_LENGTHS) if tiled else (tiff_pages.STRIP_OFFSETS, tiff_pages.STRIP_LENGTHS)


def _pixels(data: bytes, page: TiffPage, channels: int, places: dict[int, tuple[int, ...]] | None = None) -> NDArray[Any]:
    """(H, W, channels) of a page, or of one plane, which lies at `places`."""
    bits, kind = page.sample_bits, page.first(tiff_pages.SAMPLE_FORMAT, _UNSIGNED)
    compression, predictor = page.first(tiff_pages.COMPRESSION, 1), page.first(tiff_pages.PREDICTOR, 1)
    if compression not in _KNOWN_COMPRESSIONS:
        raise UserError(
            f"This TIFF of {bits} bits is compressed in a way that is not read here ({compression}); save it with LZW or without."
        )
    half = kind == _FLOAT and bits == 16
    if (half and predictor == 3) or bits not in (8, *_PACKED, 16, 32, 64):
        raise UserError(f"This TIFF keeps its samples in {bits} bits in a way that is not read here; save it with 16 or 32 bits.")
    width = page.first(tiff_pages.WIDTH)
    changes: dict[int, tuple[int, ...]] = {
        tiff_pages.BITS: (bits,) * channels,
        tiff_pages.SAMPLES: (channels,),
        tiff_pages.PLANAR: (1,),
        tiff_pages.SAMPLE_FORMAT: (_UNSIGNED if half else kind,) * channels,
        tiff_pages.PHOTOMETRIC: (RGB if channels > 2 else BLACK_IS_ZERO,),
        tiff_pages.EXTRA_SAMPLES: (2,) if channels == 4 else (),
        **(places or {}),
    }
    if channels == 2:
        if predictor != 1 or tiff_pages.TILE_WIDTH in page.tags:
            raise UserError("This TIFF keeps grey and transparency in a way that is not read here; save it without transparency.")
        changes |= {tiff_pages.WIDTH: (2 * width,), tiff_pages.SAMPLES: (1,), tiff_pages.BITS: (bits,)}
        changes |= {tiff_pages.SAMPLE_FORMAT: changes[tiff_pages.SAMPLE_FORMAT][:1]}
    values = cv2.imdecode(np.frombuffer(extract_tiff_page(data, page, changes), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("the pixels cannot be decoded")
    ordered = _in_order(np.asarray(values).reshape(page.first(tiff_pages.HEIGHT), width, channels))
    if half:
        return np.ascontiguousarray(ordered).view(np.float16).astype(np.float32)
    return ordered >> (16 - bits) if bits in _PACKED else ordered


def _in_order(values: NDArray[Any]) -> NDArray[Any]:
    """OpenCV gives blue first."""
    return values[..., [2, 1, 0, 3][: values.shape[2]]] if values.shape[2] > 2 else values


def _stated_bits(page: TiffPage) -> int:
    """How many bits the page says that it uses; 0 where it does not."""
    if page.sample_bits in _PACKED:
        return page.sample_bits
    if found := _OME_BITS.search(page.text):
        return int(found[1])
    stated = set(page.tags.get(tiff_pages.MOST_VALUE, ()))
    if (found := _IMAGEJ_MOST.search(page.text)) and page.text.startswith("ImageJ"):
        stated.add(int(float(found[1])))
    return next((bits for bits in (10, 12, 14) if 2**bits - 1 in stated), 0)
