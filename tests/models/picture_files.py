"""Picture files made for the tests: ordinary ones through Pillow, odd ones byte by byte, and small ones that unfold to a lot."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import tifffile
from PIL import Image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (20, 30, 3), np.uint8)
HALVES = np.repeat(np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 16, 0), 16, 1)  # left red, right blue


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(values: np.ndarray, **options: Any) -> bytes:
    return saved(Image.fromarray(values), "PNG", **options)


def tiff(values: np.ndarray, **options: Any) -> bytes:
    """By tifffile, whose options these are."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(values: np.ndarray, bits: int, colour: int, interlaced: bool = False, size: tuple[int, int] | None = None) -> bytes:
    """A PNG that Pillow cannot write: values is the rows' bytes (rows, bytes), or nothing but a header of `size`."""
    height, width = size or (len(values), values.shape[1] * 8 // bits // {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour])
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def filtered_png(rows: np.ndarray, bits: int, colour: int) -> bytes:
    """A PNG whose rows take the five filters in turn; the bytes given are what is stored, so any bytes are valid."""
    stored = b"".join(bytes([number % 5]) + row.tobytes() for number, row in enumerate(rows))
    data = raw_png(rows, bits, colour)
    palette = chunk(b"PLTE", np.random.default_rng(1).integers(0, 256, 3 * 2**bits, np.uint8).tobytes()) if colour == 3 else b""
    see_through = chunk(b"tRNS", b"\0") if colour == 3 else b""
    body = chunk(b"IDAT", zlib.compress(stored)[:1000]) + chunk(b"IDAT", zlib.compress(stored)[1000:])
    return data[:33] + palette + see_through + body + chunk(b"IEND", b"")


def bomb(name: str) -> bytes:
    """Small files of 50 megapixels, and one of 169."""
    if name == "png 169":
        return solid_png(13_000, 13_000, 8, 2)
    if name == "png 16":
        return solid_png(8_000, 6_200, 16, 6)
    if name == "png interlaced":
        return solid_png(8_000, 6_200, 8, 2, interlaced=True)
    kind, _, how = name.partition(" ")
    options: dict[str, dict[str, Any]] = {
        "png 8": {"compress_level": 1},
        "jpeg progressive": {"progressive": True},
        "webp": {"lossless": True, "quality": 0, "method": 0},
        "tiff": {"compression": "tiff_adobe_deflate"},
        "tiff grey": {"compression": "tiff_adobe_deflate"},
    }
    mode = "L" if kind == "gif" or how == "grey" else "RGB"
    data = saved(
        Image.new(mode, (8_000, 6_200) if kind != "bmp" else (6_000, 5_000), 90 if mode == "L" else (90, 10, 20)),
        kind.upper(),
        **options.get(name, {}),
    )
    assert name == "bmp" or len(data) < 2_000_000
    return data


def solid_png(width: int, height: int, bits: int, colour: int, interlaced: bool = False) -> bytes:
    row = bytes(1 + width * bits * {2: 3, 6: 4}[colour] // 8)
    press = zlib.compressobj(1)
    body = b"".join(press.compress(row) for _ in range(height)) + press.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
