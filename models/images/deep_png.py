"""PNG files of 16 bits per sample, with all 16 bits kept."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.images.png_rows import iterate_deep_png_rows, read_png_chunks
from models.images.sample_range import Floats, average_blocks, composite_over_white, infer_sample_range, iterate_row_runs

_ALPHA = (4, 6)  # PNG colour types
_INTERLACED = 28  # of the file's bytes
_ROW_PIXELS = 500_000


def is_deep_png(data: bytes) -> bool:
    """Whether the file is a PNG of 16 bits per sample."""
    return data.startswith(b"\x89PNG\r\n\x1a\n") and data[24:25] == b"\x10"


def read_deep_png(data: bytes, size: tuple[int, int], block: tuple[int, int]) -> tuple[Floats, tuple[str, ...]]:
    """(H, W, 1 or 3) in 0 to 1, and notes. size: (width, height). block: (across, down) pixels that are averaged into one.

    ValueError, struct.error or zlib.error for a damaged file, UserError.
    """
    width = size[0]
    rows = block[1] * max(1, _ROW_PIXELS // (width * block[1]))
    runs = iterate_row_runs(_interlaced(data), block) if data[_INTERLACED] else iterate_deep_png_rows(data, size, rows)
    key = np.frombuffer(b"".join(read_png_chunks(data, b"tRNS")), ">u2")
    alpha = data[25] in _ALPHA
    colours = 3 if data[25] in (2, 6) else 1
    if not alpha and len(key) == colours:
        runs = (np.dstack([run, np.where((run == key).all(-1), 0, 65_535).astype(np.uint16)]) for run in runs)
        alpha = True
    samples = average_blocks(runs, block, colours)
    shown = infer_sample_range(samples, max(b"".join(read_png_chunks(data, b"sBIT")), default=0))
    pixels = shown.unit(samples.values[..., :colours])
    if alpha:
        pixels = composite_over_white(pixels, samples.values[..., colours:] / np.float32(65_535), premultiplied=False)
    return pixels, (shown.note,) if shown.note else ()


def _interlaced(data: bytes) -> NDArray[np.uint16]:
    """(H, W, channels), decoded at once."""
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if values is None or values.dtype != np.uint16:
        raise ValueError("the pixels cannot be decoded")
    if values.ndim == 2:
        return np.asarray(values[..., None], np.uint16)
    ordered = values[..., [2, 1, 0, 3][: values.shape[2]]]  # OpenCV gives blue first
    return np.asarray({0: ordered[..., :1], 4: ordered[..., [0, 3]]}.get(data[25], ordered), np.uint16)
