"""The pages of a TIFF file: their tags, and any page or plane as a TIFF file of its own.

The decoders read the first page and only usual ways of storing it; what they cannot read is wrapped again, with its pixels untouched.
TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, DESCRIPTION = 254, 256, 257, 258, 259, 262, 266, 270
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_LENGTHS, MOST_VALUE, PLANAR, PREDICTOR = 273, 274, 277, 278, 279, 281, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_LENGTHS, EXTRA_SAMPLES, SAMPLE_FORMAT = 322, 323, 324, 325, 338, 339

MOST_PAGES = 10_000
_MOST_VALUES = 1_000_000  # of one tag
_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # whole numbers; of any other type only the text of the description is read
_TEXT, _UNDEFINED, _PROFILE = 2, 7, 34675
_COPIED = (WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_LENGTHS, PLANAR)
_COPIED_TOO = (PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_LENGTHS, EXTRA_SAMPLES, SAMPLE_FORMAT)


@dataclass(frozen=True)
class TiffPage:
    """A page. number: its place among all directories of the file, from 0. tags: number -> its whole numbers. text: its description.

    profile: its ICC profile; empty where it has none.
    """

    number: int
    tags: Mapping[int, tuple[int, ...]]
    text: str = ""
    profile: bytes = b""

    def first(self, tag: int, usual: int = 0) -> int:
        """The tag's first number; `usual` where the page has none."""
        return (self.tags.get(tag) or (usual,))[0]

    @property
    def sample_bits(self) -> int:
        """The most bits of a sample."""
        return max(self.tags.get(BITS) or (1,))

    @property
    def planes(self) -> int:
        """Of one channel each; 1 where the channels are stored pixel by pixel."""
        return self.first(SAMPLES, 1) if self.first(PLANAR, 1) == 2 else 1


def is_tiff(data: bytes) -> bool:
    """Whether the first bytes are those of a TIFF or BigTIFF file."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff_pages(data: bytes) -> list[TiffPage]:
    """The pages in order, without thumbnails and reduced copies of others. ValueError, struct.error where there is none to read."""
    order, big = ("<" if data[:1] == b"I" else ">"), data[2:4] in (b"+\0", b"\0+")
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    found: list[TiffPage] = []
    seen: set[int] = set()
    number = 0
    while at and at not in seen and len(seen) < MOST_PAGES:
        seen.add(at)
        try:
            page, at = _page(data, at, order, big, number)
        except struct.error:
            if not found:
                raise
            break  # cut short behind pages that are whole
        if not page.first(SUBFILE) & 1 or not found:
            found.append(page)
        number += 1
    if not found:
        raise ValueError("no page")
    return found


def extract_tiff_page(data: bytes, page: TiffPage, changes: Mapping[int, tuple[int, ...]]) -> bytes:
    """A TIFF file of that page alone, whose pixels lie where they lay. changes: tags that differ from the page's; () leaves one out."""
    order, big = ("<" if data[:1] == b"I" else ">"), data[2:4] in (b"+\0", b"\0+")
    tags = {tag: page.tags[tag] for tag in (*_COPIED, *_COPIED_TOO) if tag in page.tags} | dict(changes)
    tags = {tag: values for tag, values in sorted(tags.items()) if values}
    letter, kind, field = ("Q", 16, 8) if big else ("I", 4, 4)
    start = len(data) + len(data) % 2
    outside = start + (8 if big else 2) + len(tags) * (20 if big else 12) + field
    entries, behind = b"", b""
    for tag, values in tags.items():
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        place = packed.ljust(field, b"\0")
        if len(packed) > field:
            place = struct.pack(order + letter, outside + len(behind))
            behind += packed
        entries += struct.pack(f"{order}HH{letter}", tag, kind, len(values)) + place
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    header = data[:8] + struct.pack(order + "Q", start) if big else data[:4] + struct.pack(order + "I", start)
    return b"".join((header, data[len(header) :], b"\0" * (len(data) % 2), count, entries, b"\0" * field, behind))


def _page(data: bytes, at: int, order: str, big: bool, number: int) -> tuple[TiffPage, int]:
    """The page whose directory begins at `at`, and where the next one begins."""
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    at, width, letter = at + (8 if big else 2), (20 if big else 12), ("Q" if big else "I")
    if count > 4096:
        raise struct.error(f"a directory of {count} tags")
    tags: dict[int, tuple[int, ...]] = {}
    text, profile = "", b""
    for entry in range(at, at + count * width, width):
        tag, kind, length = struct.unpack_from(f"{order}HH{letter}", data, entry)
        place = entry + (12 if big else 8)
        size = length * struct.calcsize(_TYPES.get(kind, "B"))
        if size > (8 if big else 4):
            place = struct.unpack_from(order + letter, data, place)[0]
        if kind in _TYPES and 0 < length <= _MOST_VALUES:
            tags[tag] = struct.unpack_from(f"{order}{length}{_TYPES[kind]}", data, place)
        elif kind == _TEXT and tag == DESCRIPTION:
            text = data[place : place + min(length, 100_000)].decode("utf-8", "replace").rstrip("\0")
        elif kind == _UNDEFINED and tag == _PROFILE:
            profile = data[place : place + length]
    return TiffPage(number, tags, text, profile), struct.unpack_from(order + letter, data, at + count * width)[0]
