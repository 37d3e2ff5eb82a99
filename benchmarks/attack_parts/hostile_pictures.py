"""Pictures of few bytes that want much memory, written without an image library."""

import struct
import zlib

from benchmarks.attack_parts.hostile_models import zeros_deflated

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced PNG: the first column and row, and the steps between columns and rows."""


def png(width: int, height: int, interlaced: bool = False) -> bytes:
    """A black 8-bit RGB picture of any size; as many bytes as deflate needs, about a thousandth."""
    size = _filtered_bytes(width, height, interlaced)
    adler = (size % 65521) << 16 | 1  # of zero bytes: the first sum stays 1, the second counts them
    data = b"\x78\x9c" + zeros_deflated(size) + struct.pack(">I", adler)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b"")))


def _filtered_bytes(width: int, height: int, interlaced: bool) -> int:
    """What the rows take before they are packed, each after one byte that names its filter; interlaced, in the seven passes of Adam7."""
    if not interlaced:
        return height * (3 * width + 1)
    return sum(-(-(height - y) // dy) * (3 * -(-(width - x) // dx) + 1) for x, y, dx, dy in ADAM7)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def claims_gigapixels() -> bytes:
    """A picture of 900 megapixels, refused by its size."""
    return png(30_000, 30_000)


def largest_plain() -> bytes:
    """A picture of just under 50 megapixels, which may be decoded."""
    return png(7_000, 7_000)


def largest_interlaced() -> bytes:
    """One that can only be decoded whole."""
    return png(4_900, 4_900, interlaced=True)


def not_a_picture() -> bytes:
    """A program that calls itself a picture for another: PostScript."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n{} loop\n"


PICTURES = {
    "picture of 900 megapixels": ("one sentence", claims_gigapixels),
    "picture of 49 megapixels": ("maps or a sentence", largest_plain),
    "interlaced picture of 24 megapixels": ("maps or a sentence", largest_interlaced),
    "PostScript for a picture": ("one sentence", not_a_picture),
}
"""Title -> what is expected, and what makes the picture."""
