"""The decoder: turns the bytes of a picture file into upright RGB numbers, and refuses anything else in one sentence.

A picture is checked before it is decoded: its size, and the memory that decoding would take. Large ones are read at reduced size,
a few rows at a time where the format allows, so that no picture takes more than about 150 MB.
"""

import contextlib
import io
import math
import re
import struct
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, ExifTags, Image, features

from errors import UserError
from models.images import tiff_pages
from models.images.colour import apply_exif_orientation, deep_to_srgb, to_basic_colour_mode, to_srgb
from models.images.decode_cost import BUDGET, decode_webp, decoded_size_in_bytes, peak_decoding_memory
from models.images.decoded_picture import DecodedPicture
from models.images.deep_png import is_deep_png, read_deep_png
from models.images.deep_tiff import deep_tiff_memory, is_deep_tiff_page, read_deep_tiff
from models.images.dicom import DicomPicture, import_dicom_decoders, is_dicom
from models.images.picture_placement import fit_to_size, letterbox_content_box
from models.images.png_rows import iterate_png_rows, read_png_chunks
from models.images.tiff_pages import TiffPage, is_tiff, read_tiff_pages
from models.images.unreadable_files import DAMAGED, TAKES, unreadable_file_error

__all__ = [
    "FILE_BYTES",
    "FORMATS",
    "LONG_SIDE",
    "MEGAPIXELS",
    "check_file_length",
    "decode_picture",
    "fit_to_size",
    "import_decoders",
    "letterbox_content_box",
    "read_picture",
]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", *(("AVIF",) if features.check("avif") else ()))
MEGAPIXELS = 50
LONG_SIDE = 2048  # pixels that a decoded picture's longer side has at most; classifiers take about half of that
_SIDES = (8, 65_535)
FILE_BYTES = 100_000_000
_SCANS = 200  # a JPEG with thousands of scans takes minutes
_AT_ONCE = 24_000_000  # bytes of pixels that are decoded at once in any format
_PAGE_WORDS = {"TIFF": "page", "DICOM file": "frame"}

# Pillow's own limit, for everything in this process that opens a picture: a large one is an error, not a printed warning.
Image.MAX_IMAGE_PIXELS = MEGAPIXELS * 1_000_000
warnings.simplefilter("error", Image.DecompressionBombWarning)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def decode_picture(data: bytes) -> NDArray[np.float32]:
    """The pixels of `read_picture`, (H, W, 3) float32 in 0 to 1, of the first page. Raises UserError."""
    return read_picture(data).pixels


def read_picture(data: bytes, page: int = 1) -> DecodedPicture:
    """The bytes of a picture file -> RGB from 0 to 1, upright, and what there is to say about how it was read. page: from 1.

    Pictures whose longer side is above 2048 px come reduced to between 1024 and 2048 px by averaging areas. Upright by the EXIF
    orientation. Transparency over white. An ICC profile (except of 16-bit grey and float) is converted to sRGB; CMYK without one
    by the plain formula. 16 bits are kept; where fewer are used (`sample_range`), they are stretched. Float: white is the smallest of
    1, 255, 1023, 4095, 16383 and 65535 that no value exceeds; with values below 0 black is the smallest value and white the largest.
    DICOM: as `models.images.dicom`. Raises UserError for anything else, with the reason.
    """
    if not data:
        raise UserError(f"The file is empty; give a picture. {TAKES}.")
    check_file_length(data)
    if is_dicom(data):
        return _read_dicom(data, page)
    if is_tiff(data):
        try:
            pages = read_tiff_pages(data)
        except (ValueError, struct.error) as error:
            raise UserError(DAMAGED.format("TIFF")) from error
        _check_page("TIFF", page, len(pages))
        chosen = pages[page - 1]
        if is_deep_tiff_page(chosen):
            return _read_deep_tiff(data, chosen, page, len(pages))
        return _read_image(data, page, chosen.number, len(pages))
    return _read_image(data, page, page - 1)


def import_decoders() -> None:
    """Everything that decoding imports only when it is needed, for a process that reads no file later."""
    import_dicom_decoders()


def check_file_length(data: bytes) -> None:
    """UserError where a file is too large, whatever it holds."""
    if len(data) > FILE_BYTES:
        raise UserError(f"The file has {len(data) / 1e6:.0f} MB; {FILE_BYTES / 1e6:.0f} MB is the most. Make the picture smaller.")


def _read_image(data: bytes, page: int, number: int, pages: int = 0) -> DecodedPicture:
    """What Pillow opens. number: the frame as Pillow counts them, from 0. pages: how many there are; 0 has Pillow count them."""
    image = _open(data)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    with _sentences(kind):
        pages = pages or (1 if image.format == "MPO" else int(getattr(image, "n_frames", 1)))
        _check_page(kind, page, pages)
        if number:
            image.seek(number)
    _look_at_size(*image.size)
    with _sentences(kind):
        upright = image.format != "TIFF" and _orientation(image, data) >= 5  # Pillow itself swaps the size of a TIFF
        size = (image.width, image.height) if upright else (image.height, image.width)
        notes: tuple[str, ...] = ()
        if number == 0 and is_deep_png(data):
            if image.info.get("interlace"):
                _look_at_cost(image, kind, data)
            unit, notes = read_deep_png(data, image.size, _block(image.size))
            pixels = deep_to_srgb(unit, image.info.get("icc_profile"))
            orientation = _orientation(image, data)
        else:
            stored = _reduce(image, kind, data)
            orientation = _orientation(image, data)
            pixels = to_srgb(stored, image.info.get("icc_profile"))
        image.close()
        return _decoded(apply_exif_orientation(pixels, orientation), size, kind, page, pages, notes)


def _read_deep_tiff(data: bytes, chosen: TiffPage, page: int, pages: int) -> DecodedPicture:
    width, height = chosen.first(tiff_pages.WIDTH), chosen.first(tiff_pages.HEIGHT)
    _look_at_size(width, height)
    if (cost := deep_tiff_memory(chosen)) > BUDGET:
        raise _too_costly("TIFF", width * height, cost)
    with _sentences("TIFF"):
        unit, notes = read_deep_tiff(data, chosen, _block((width, height)))
        orientation = chosen.first(tiff_pages.ORIENTATION, 1)
        pixels = apply_exif_orientation(deep_to_srgb(unit, chosen.profile), orientation)
        return _decoded(pixels, (width, height) if orientation >= 5 else (height, width), "TIFF", page, pages, notes)


def _read_dicom(data: bytes, page: int) -> DecodedPicture:
    kind = "DICOM file"
    with _sentences(kind):
        file = DicomPicture(data)
        _look_at_size(*file.size)
        file.check_cost()
        _check_page(kind, page, file.frames)
        unit, notes = file.read(page - 1, _block(file.size))
        pixels = np.repeat(unit, 3, axis=2) if unit.shape[2] == 1 else unit
        return _decoded(np.ascontiguousarray(pixels), file.size[::-1], kind, page, file.frames, notes)


def _decoded(pixels: NDArray[np.float32], size: tuple[int, int], kind: str, page: int, pages: int, notes: Sequence[str]) -> DecodedPicture:
    if pages > 1:
        word = _PAGE_WORDS.get(kind, "frame")
        empty = f" It is of one shade throughout; choose another {word}." if (pixels == pixels[0, 0]).all() else ""
        notes = (f"This is {word} {page} of {pages:,}.{empty}", *notes)
    return DecodedPicture(pixels, size, page, pages, tuple(notes))


def _check_page(kind: str, page: int, pages: int) -> None:
    if not 1 <= page <= pages:
        word = _PAGE_WORDS.get(kind, "frame")
        raise UserError(f"This {kind} has {pages:,} {word}{'s' if pages > 1 else ''} and no {word} {page}; choose one from 1 to {pages:,}.")


@contextlib.contextmanager
def _sentences(kind: str) -> Iterator[None]:
    """Whatever goes wrong in a decoder, in a sentence."""
    try:
        yield
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(f"This {kind} needs more memory to decode than there is; make it smaller.") from error
    except Exception as error:  # decoders raise errors of any type on damaged files
        raise UserError(DAMAGED.format(kind)) from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        raise _too_many(int(found.group()) if found else 0) from error
    except Exception as error:  # as above
        raise unreadable_file_error(data) from error


def _too_many(pixels: int) -> UserError:
    return UserError(f"The picture has {pixels / 1e6:.0f} megapixels; {MEGAPIXELS} is the most. Make it smaller.")


def _look_at_size(width: int, height: int) -> None:
    if min(width, height) < _SIDES[0] or max(width, height) > _SIDES[1]:
        raise UserError(f"The picture is {width} x {height} pixels; each side must have {_SIDES[0]} to {_SIDES[1]}.")
    if width * height > MEGAPIXELS * 1_000_000:
        raise _too_many(width * height)


def _look_at_cost(image: Image.Image, kind: str, data: bytes) -> None:
    if kind == "JPEG" and (scans := data.count(b"\xff\xda")) > _SCANS:
        raise UserError(f"This JPEG has {scans} scans; {_SCANS} is the most. Save it again.")
    cost = peak_decoding_memory(image, kind, data)
    if cost > BUDGET:
        raise _too_costly(kind, image.width * image.height, cost)


def _too_costly(kind: str, pixels: int, cost: int) -> UserError:
    advice = "Make it smaller, or save it as an ordinary JPEG or PNG."
    most = pixels * BUDGET / cost / 1e6
    return UserError(f"This {kind} has {pixels / 1e6:.0f} megapixels; stored in this way, {most:.0f} is the most. {advice}")


def _reduce(image: Image.Image, kind: str, data: bytes) -> NDArray[np.uint8]:
    """The picture as stored; a large one has each square block of pixels averaged into one."""
    striped = kind == "PNG" and not image.info.get("interlace") and decoded_size_in_bytes(image) > _AT_ONCE and image.tell() == 0
    if not striped:
        image = _load(image, kind, data)
    block = _block(image.size)
    rows = block[1] * max(1, 1_000_000 // (image.width * block[1]))
    runs = iterate_png_rows(data, image, rows) if striped else _crop_rows(image, rows)
    return np.concatenate([np.asarray(to_basic_colour_mode(run).reduce(block)) for run in runs])


def _load(image: Image.Image, kind: str, data: bytes) -> Image.Image:
    _look_at_cost(image, kind, data)
    if kind == "WEBP" and decoded_size_in_bytes(image) > _AT_ONCE and image.tell() == 0:
        return decode_webp(data)
    if kind == "JPEG":  # the decoder itself reduces by 2, 4 or 8
        factor = _factor(image.size)
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
    image.load()
    return image


def _crop_rows(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _factor(size: tuple[int, int]) -> int:
    return math.ceil(max(size) / LONG_SIDE)


def _block(size: tuple[int, int]) -> tuple[int, int]:
    """Pixels (across, down) that are averaged into one, for a picture of (width, height)."""
    factor = _factor(size)
    return min(factor, size[0]), min(factor, size[1])


def _orientation(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":  # Pillow would decode the whole picture to read what follows its pixels
        image.info.setdefault("exif", b"Exif\0\0" + b"".join(read_png_chunks(data, b"eXIf")))
    try:
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged EXIF block is no reason to refuse the picture
        return 1
