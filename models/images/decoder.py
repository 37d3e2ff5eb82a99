"""The decoder: turns the bytes of a picture file into upright RGB numbers, and refuses anything else in one sentence.

A picture is checked before it is decoded: its size, and the memory that decoding would take. Large ones are read at reduced size,
a few rows at a time where the format allows, so that no picture takes more than about 150 MB.
"""

import io
import math
import re
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from errors import UserError
from models.images.colour import Pixels, apply_exif_orientation, to_basic_colour_mode, to_srgb
from models.images.decode_cost import BUDGET, decode_webp, decoded_size_in_bytes, peak_decoding_memory
from models.images.picture_placement import fit_to_size, letterbox_content_box
from models.images.png_rows import iterate_png_rows, read_png_chunks

__all__ = [
    "FILE_BYTES",
    "FORMATS",
    "LONG_SIDE",
    "MEGAPIXELS",
    "check_file_length",
    "decode_picture",
    "fit_to_size",
    "letterbox_content_box",
    "original_picture_size",
]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MEGAPIXELS = 50
LONG_SIDE = 2048  # pixels that a decoded picture's longer side has at most; classifiers take about half of that
_SIDES = (8, 65_535)
FILE_BYTES = 100_000_000
_SCANS = 200  # a JPEG with thousands of scans takes minutes
_AT_ONCE = 24_000_000  # bytes of pixels that are decoded at once in any format
_DAMAGED = "This {} is damaged or cut short; save it again, or give the original file."
_TAKES = "Crosscheck reads JPEG, PNG, WebP, BMP, TIFF and GIF"
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"GIF8": "GIF",
    b"RIFF": "WebP",
}
_OTHERS = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file, perhaps an SVG drawing",
    b"%pdf": "a PDF",
    b"%!ps": "a PostScript file",
    b"pk\x03\x04": "a zip archive",
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for",
}

# Pillow's own limit, for everything in this process that opens a picture: a large one is an error, not a printed warning.
Image.MAX_IMAGE_PIXELS = MEGAPIXELS * 1_000_000
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode_picture(data: bytes) -> NDArray[np.float32]:
    """The bytes of a picture file -> (H, W, 3) float32, RGB from 0 to 1, upright.

    Pictures whose longer side is above 2048 px come reduced to between 1024 and 2048 px by averaging areas. Upright by the EXIF
    orientation. Transparency over white. An ICC profile (except of 16-bit grey and float) is converted to sRGB; CMYK without one
    by the plain formula. 16-bit grey keeps its 16 bits; of 16-bit colour the upper 8 are read. GIF, animated WebP, TIFF: first frame.
    Float and 32-bit TIFF: white is the smallest of 1, 255 and 65535 that no value exceeds; with values below 0 or above
    65535 black is the smallest value and white the largest. Raises UserError for anything else, with the reason.
    """
    image = _open(data)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    _look_at_size(image)
    try:
        pixels = _reduce(image, kind, data)
        orientation, profile = _orientation(image, data), image.info.get("icc_profile")
        image.close()
        return apply_exif_orientation(to_srgb(pixels, profile), orientation)
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(f"This {kind} needs more memory to decode than there is; make it smaller.") from error
    except Exception as error:  # Pillow raises errors of any type on damaged files
        raise UserError(_DAMAGED.format(kind)) from error


def original_picture_size(data: bytes) -> tuple[int, int]:
    """(h, w) in pixels of a picture file, upright and before any reduction. Raises UserError as `decode_picture` does."""
    with _open(data) as image:
        lying = image.format != "TIFF" and _orientation(image, data) >= 5  # Pillow itself swaps the size of a TIFF
        return (image.width, image.height) if lying else (image.height, image.width)


def check_file_length(data: bytes) -> None:
    """UserError where a file is too large, whatever it holds."""
    if len(data) > FILE_BYTES:
        raise UserError(f"The file has {len(data) / 1e6:.0f} MB; {FILE_BYTES / 1e6:.0f} MB is the most. Make the picture smaller.")


def _open(data: bytes) -> Image.Image:
    if not data:
        raise UserError(f"The file is empty; give a picture. {_TAKES}.")
    check_file_length(data)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        raise _too_many(int(found.group()) if found else 0) from error
    except Exception as error:  # as above
        raise UserError(_why_no_picture(data)) from error


def _why_no_picture(data: bytes) -> str:
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for sign, kind in _STARTS.items():
        if data.startswith(sign):
            return _DAMAGED.format(kind)
    for sign, what in _OTHERS.items():
        if start.startswith(sign):
            return f"This file is {what}, not a picture. {_TAKES}."
    if data[4:8] == b"ftyp":
        return f"This file is a HEIC or AVIF photograph or a film; save it as JPEG. {_TAKES}."
    return f"This file is not a picture in a known format. {_TAKES}."


def _too_many(pixels: int) -> UserError:
    return UserError(f"The picture has {pixels / 1e6:.0f} megapixels; {MEGAPIXELS} is the most. Make it smaller.")


def _look_at_size(image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < _SIDES[0] or max(width, height) > _SIDES[1]:
        raise UserError(f"The picture is {width} x {height} pixels; each side must have {_SIDES[0]} to {_SIDES[1]}.")
    if width * height > MEGAPIXELS * 1_000_000:
        raise _too_many(width * height)


def _look_at_cost(image: Image.Image, kind: str, data: bytes) -> None:
    if kind == "JPEG" and (scans := data.count(b"\xff\xda")) > _SCANS:
        raise UserError(f"This JPEG has {scans} scans; {_SCANS} is the most. Save it again.")
    cost, pixels = peak_decoding_memory(image, kind, data), image.width * image.height / 1e6
    if cost > BUDGET:
        most = pixels * BUDGET / cost
        advice = "Make it smaller, or save it as an ordinary JPEG or PNG."
        raise UserError(f"This {kind} has {pixels:.0f} megapixels; stored in this way, {most:.0f} is the most. {advice}")


def _reduce(image: Image.Image, kind: str, data: bytes) -> Pixels:
    """The picture as stored; a large one has each square block of pixels averaged into one."""
    striped = kind == "PNG" and not image.info.get("interlace") and decoded_size_in_bytes(image) > _AT_ONCE
    if not striped:
        image = _load(image, kind, data)
    factor = _factor(image)
    block = min(factor, image.width), min(factor, image.height)
    rows = block[1] * max(1, 1_000_000 // (image.width * block[1]))
    runs = iterate_png_rows(data, image, rows) if striped else _crop_rows(image, rows)
    return np.concatenate([np.asarray(to_basic_colour_mode(run).reduce(block)) for run in runs])


def _load(image: Image.Image, kind: str, data: bytes) -> Image.Image:
    _look_at_cost(image, kind, data)
    if kind == "WEBP" and decoded_size_in_bytes(image) > _AT_ONCE:
        return decode_webp(data)
    if kind == "JPEG":  # the decoder itself reduces by 2, 4 or 8
        factor = _factor(image)
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
    image.load()
    return image


def _crop_rows(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _factor(image: Image.Image) -> int:
    return math.ceil(max(image.size) / LONG_SIDE)


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":  # Pillow would decode the whole picture to read what follows its pixels
        image.info.setdefault("exif", b"Exif\0\0" + b"".join(read_png_chunks(data, b"eXIf")))
    try:
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block is no reason to refuse the picture
        return 1
