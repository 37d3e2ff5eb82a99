"""DICOM files written byte by byte (PS3.5), so that no library is trusted about them; and ones that lie."""

import io
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

Element = tuple[int, int, str, str | bytes | int]
Elements = Mapping[str, Element]

EXPLICIT, DEFLATED, RUN_LENGTHS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
JPEG, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LS, JPEG_2000 = (f"1.2.840.10008.1.2.4.{each}" for each in (50, 51, 70, 80, 90))
MPEG = "1.2.840.10008.1.2.4.102"
SECRET = "Doe^Jane"
WINDOW: Elements = {"centre": (0x28, 0x1050, "DS", "2000"), "width": (0x28, 0x1051, "DS", "3000")}
_LONG = ("OB", "OW", "SQ", "UN", "UT", "OF")


def element(group: int, number: int, kind: str, value: str | bytes | int) -> bytes:
    """An element, explicit little endian."""
    body = struct.pack("<H", value) if isinstance(value, int) else value if isinstance(value, bytes) else value.encode()
    body += (b"\0" if kind in ("UI", "OB", "OW") else b" ") * (len(body) % 2)
    length = struct.pack("<HI", 0, len(body)) if kind in _LONG else struct.pack("<H", len(body))
    return struct.pack("<HH", group, number) + kind.encode() + length + body


def item(*elements: bytes) -> bytes:
    """An item of a sequence."""
    body = b"".join(elements)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def dicom(values: np.ndarray, extra: Elements | None = None, syntax: str = EXPLICIT, coded: bytes | None = None) -> bytes:
    """A file of (h, w), (frames, h, w) or (h, w, 3) pixels. extra: elements that are added or replace others, by any name or the usual one.

    coded: the pixel data of another transfer syntax, encapsulated.
    """
    colour = values.ndim == 3 and values.shape[-1] == 3
    rows, columns = values.shape[:2] if colour else values.shape[-2:]
    bits = 8 * values.dtype.itemsize
    usual: dict[str, Element] = {
        "modality": (0x08, 0x60, "CS", "DX"),
        "patient": (0x10, 0x10, "PN", SECRET),
        "samples": (0x28, 0x02, "US", 3 if colour else 1),
        "photometric": (0x28, 0x04, "CS", "RGB" if colour else "MONOCHROME2"),
        **({"planar": (0x28, 0x06, "US", 0)} if colour else {}),
        **({"frames": (0x28, 0x08, "IS", str(len(values)))} if values.ndim == 3 and not colour else {}),
        "rows": (0x28, 0x10, "US", rows),
        "columns": (0x28, 0x11, "US", columns),
        "allocated": (0x28, 0x100, "US", bits),
        "stored": (0x28, 0x101, "US", bits),
        "high": (0x28, 0x102, "US", bits - 1),
        "signed": (0x28, 0x103, "US", int(values.dtype.kind == "i")),
        **(extra or {}),
    }
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + coded if coded else None
    body = b"".join(element(*each) for each in sorted(usual.values(), key=lambda each: each[:2]))
    body += pixels or element(0x7FE0, 0x10, "OW" if bits > 8 else "OB", values.astype(values.dtype.newbyteorder("<")).tobytes())
    return with_meta(body, syntax)


def with_meta(body: bytes, syntax: str = EXPLICIT) -> bytes:
    """The preamble, the file's own group, and the data set."""
    meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", "1.2.840.10008.5.1.4.1.1.1.1") + element(2, 3, "UI", "1.2.3.4")
    meta += element(2, 0x10, "UI", syntax) + element(2, 0x12, "UI", "1.2.3")
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + body


def deflated(file: bytes) -> bytes:
    """The same with its data set deflated."""
    body = file[file.index(struct.pack("<HH", 0x08, 0x60)) :]
    press = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return with_meta(press.compress(body) + press.flush(), DEFLATED)


def encapsulated(*frames: bytes) -> bytes:
    """Each frame in one fragment, behind an empty table of offsets."""
    padded = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    return item() + b"".join(item(frame) for frame in padded) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def run_lengths(values: np.ndarray) -> bytes:
    """A frame of PS3.5 annex G, every byte in literal runs: 64 bytes of header, then a segment per byte of a sample, high bytes first."""
    planes = [values] if values.ndim == 2 else [values[..., number] for number in range(3)]
    size = values.dtype.itemsize
    segments = []
    for plane in planes:
        raw = plane.astype(values.dtype.newbyteorder(">")).tobytes()
        for byte in range(size):
            part = raw[byte::size]
            packed = b"".join(bytes([len(run) - 1]) + run for run in (part[at : at + 128] for at in range(0, len(part), 128)))
            segments.append(packed + b"\0" * (len(packed) % 2))
    starts = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(starts))) + b"".join(segments)


def picture_bytes(values: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


_RNG = np.random.default_rng(5)
DEEP = _RNG.integers(0, 4096, (20, 30)).astype(np.uint16)
SMOOTH = np.repeat(np.repeat(_RNG.integers(0, 256, (4, 4, 3)).astype(np.uint8), 16, 0), 16, 1)
DICOM_RUN_LENGTHS = dicom(DEEP, WINDOW, RUN_LENGTHS, encapsulated(run_lengths(DEEP)))
_COLOUR_JPEG: Elements = {"photometric": (0x28, 0x04, "CS", "YBR_FULL_422")}
DICOM_JPEG = dicom(SMOOTH, _COLOUR_JPEG, JPEG, encapsulated(picture_bytes(SMOOTH, "JPEG", quality=98, subsampling=0)))
DICOM_JPEG_2000 = dicom(SMOOTH[..., 0], None, JPEG_2000, encapsulated(picture_bytes(SMOOTH[..., 0], "JPEG2000", no_jp2=True)))
_TABLE = np.arange(256, dtype="<u2")
PALETTE: Elements = {
    "photometric": (0x28, 0x04, "CS", "PALETTE COLOR"),
    **{f"descriptor {n}": (0x28, 0x1101 + n, "US", struct.pack("<3H", 256, 0, 16)) for n in range(3)},
    "red": (0x28, 0x1201, "OW", (_TABLE * 257).tobytes()),
    "green": (0x28, 0x1202, "OW", ((255 - _TABLE) * 257).tobytes()),
    "blue": (0x28, 0x1203, "OW", (_TABLE * 0).tobytes()),
}
DICOM_PALETTE = dicom(SMOOTH[..., 0], PALETTE)


def _nested(depth: int) -> bytes:
    """Sequences of unknown length in each other."""
    start = struct.pack("<HH2sHI", 0x40, 0x275, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return start * depth


def _bomb() -> bytes:
    """A quarter of a gigabyte in 300 kB."""
    press = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(press.compress(bytes(2**20)) for _ in range(256)) + press.flush()


_TINY = np.zeros((20, 30), np.uint8)
HOSTILE_DICOM = {
    "dicom of more rows than there are": dicom(_TINY, {"rows": (0x28, 0x10, "US", 5000)}),
    "dicom of 65535 x 65535": dicom(_TINY, {"rows": (0x28, 0x10, "US", 65_535), "columns": (0x28, 0x11, "US", 65_535)}),
    "dicom of frames too large": dicom(_TINY, {"rows": (0x28, 0x10, "US", 7000), "columns": (0x28, 0x11, "US", 7000)} | PALETTE),
    "dicom with a larger jpeg": dicom(_TINY, None, JPEG, encapsulated(picture_bytes(np.zeros((40, 60), np.uint8), "JPEG"))),
    "dicom that unfolds": with_meta(_bomb(), DEFLATED),
    "dicom of sequences in sequences": with_meta(element(8, 0x60, "CS", "DX") + _nested(50_000)),
    "dicom cut short": dicom(DEEP, WINDOW)[:700],
    "dicom of no pixels": with_meta(element(8, 0x60, "CS", "DX")),
    "dicom of lossless jpeg": dicom(_TINY, None, JPEG_LOSSLESS, encapsulated(b"\xff\xd8\xff\xc3" + bytes(20))),
    "dicom of 12 bit jpeg": dicom(_TINY, None, JPEG_EXTENDED, encapsulated(b"\xff\xd8\xff\xc1" + bytes(20))),
    "dicom video": dicom(_TINY, None, MPEG, encapsulated(bytes(20))),
    "dicom of run lengths that end early": dicom(DEEP, WINDOW, RUN_LENGTHS, encapsulated(run_lengths(DEEP)[:200])),
    "dicom of no known syntax": dicom(_TINY, None, "1.2.3.4.5"),
}
