"""Reads a large PNG a few rows at a time, so that 50 megapixels cost a few megabytes instead of 200.

Pillow decodes a PNG whole. A PNG row depends only on the row above it, so any run of rows is itself a PNG once the row above
is prepended: each run is wrapped this way, decoded by Pillow or OpenCV, and its last row starts the next run.
"""

import io
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG colour type: grey, RGB, palette, grey and alpha, RGBA
_TYPES = {1: 0, 2: 4, 3: 2, 4: 6, 6: 2, 8: 6}  # bytes per pixel -> a colour type with as many, for the filters' distance


def iterate_png_rows(data: bytes, image: Image.Image, rows: int) -> Iterator[Image.Image]:
    """Runs of `rows` rows, the last one shorter, each with the mode and palette of the opened, unloaded `image`.

    Not for interlaced files. Raises ValueError where the data end early or are not PNG rows.
    """
    rawmode = image.tile[0].args  # type: ignore[attr-defined]
    for count, raw in _raw_runs(data, image.size, rows):
        yield _with_palette(Image.frombytes(image.mode, (image.width, count), raw, "raw", rawmode), image)


def iterate_deep_png_rows(data: bytes, size: tuple[int, int], rows: int) -> Iterator[NDArray[np.uint16]]:
    """As `strips`, of a PNG with 16 bits per sample: runs of (rows, width, channels). size: (width, height)."""
    for count, raw in _raw_runs(data, size, rows):
        yield np.frombuffer(raw, ">u2").reshape(count, size[0], _CHANNELS[data[25]]).astype(np.uint16)


def _raw_runs(data: bytes, size: tuple[int, int], rows: int) -> Iterator[tuple[int, bytes]]:
    """Numbers of rows, and the rows' bytes with the filters undone."""
    width, height = size
    bits, channels = data[24], _CHANNELS[data[25]]
    pixel, row = max(1, bits * channels // 8), (width * bits * channels + 7) // 8
    inflate, above = _RowReader(data), bytes(row)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        raw = _undo_filters(above, inflate, count, pixel)
        above = raw[-row:]
        yield count, raw


def _with_palette(strip: Image.Image, image: Image.Image) -> Image.Image:
    if image.mode == "P" and image.palette is not None:
        strip.putpalette(image.palette.getdata()[1], image.palette.getdata()[0])
    if "transparency" in image.info:
        strip.info["transparency"] = image.info["transparency"]
    return strip


class _RowReader:
    """Inflates the filtered rows of a PNG's IDAT chunks on demand."""

    def __init__(self, data: bytes) -> None:
        self._chunks = read_png_chunks(data, b"IDAT")
        self._stream = zlib.decompressobj()
        self._rest: bytes | memoryview = b""

    def take(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                raise ValueError("the pixel data end early")
            parts.append(self._stream.decompress(self._rest, count))
            self._rest = self._stream.unconsumed_tail
            count -= len(parts[-1])
        return b"".join(parts)


def read_png_chunks(data: bytes, kind: bytes) -> Iterator[memoryview]:
    """The contents of a PNG's chunks of one kind, in pieces of at most 64 KiB."""
    view, start = memoryview(data), 8
    while start + 8 <= len(view):
        length, found = struct.unpack_from(">I4s", view, start)
        body = view[start + 8 : start + 8 + length]
        if found == kind:
            yield from (body[piece : piece + 65_536] for piece in range(0, len(body), 65_536))
        start += 12 + length


def _undo_filters(above: bytes, inflate: _RowReader, count: int, pixel: int) -> bytes:
    """The bytes of `count` rows with the filters undone; `above` is the finished row over them."""
    row, depth = len(above), 16 if pixel > 4 else 8
    filtered = b"\0" + above + inflate.take(count * (row + 1))
    header = struct.pack(">IIBBBBB", row // pixel, count + 1, depth, _TYPES[pixel], 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(filtered, 0)) + _chunk(b"IEND", b"")
    if depth == 8:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as rows:
            return rows.tobytes()[row:]
    values = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("the pixel data are no PNG rows")
    order = [2, 1, 0, 3][: pixel // 2]  # OpenCV gives blue first
    return values[1:, :, order].astype(">u2").tobytes()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
