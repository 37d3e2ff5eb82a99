"""Pictures of more than 8 bits per sample: what is black and what is white in them, and the same in 0 to 1.

Detectors and microscopes keep 10, 12 or 14 bits in 16: shown as 16 bits they are near black. What the file says of its bits decides, else
the largest value does, and it is reported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError

Floats = NDArray[np.float32]

USUAL_BITS = (8, 10, 12, 14, 16, 32)
_CEILINGS = (1.0, 255.0, 1023.0, 4095.0, 16_383.0, 65_535.0)
_SLIGHTLY_OVER = 4.0  # times 1: numbers meant for 0 to 1 whose noise or highlights exceed it
_ROW_PIXELS = 500_000


@dataclass(frozen=True, eq=False)
class SampledPixels:
    """values: (H, W, channels) float32, averaged over blocks where the picture is large. low, high: of the colours before averaging.

    bits: of whole numbers from 0 on, as they are stored; 0 for floats. signed: whether they may be below 0.
    """

    values: Floats
    low: float
    high: float
    bits: int
    signed: bool = False


@dataclass(frozen=True)
class SampleRange:
    """black, white: the values that are shown so. note: a sentence where that is not simply what the file's format says."""

    black: float
    white: float
    note: str = ""

    def unit(self, values: Floats) -> Floats:
        """The values with black 0 and white 1, cut off at both; in their own place, since pictures are large."""
        values -= np.float32(self.black)
        values /= np.float32((self.white - self.black) or 1)
        return values.clip(0, 1, out=values)


def average_blocks(runs: Iterable[NDArray[Any]], block: tuple[int, int], colours: int) -> SampledPixels:
    """Runs of rows (h, w, channels) of one picture, averaged over blocks of (across, down) pixels. colours: channels but for alpha.

    The rows of every run but the last must be a multiple of the block. UserError for numbers that are not finite.
    """
    parts: list[Floats] = []
    kind: np.dtype[Any] = np.dtype(np.uint16)
    low, high = np.inf, -np.inf
    for run in runs:
        kind = run.dtype
        seen = run[..., :colours]
        if kind.kind == "f" and not np.isfinite(run).all():
            raise UserError("The picture holds values that are no numbers (NaN or infinite); save it without them.")
        low, high = min(low, float(seen.min())), max(high, float(seen.max()))
        parts.append(_means(run, block))
    return SampledPixels(_joined(parts), low, high, 0 if kind.kind == "f" else 8 * kind.itemsize, kind.kind == "i")


def iterate_row_runs(values: NDArray[Any], block: tuple[int, int]) -> Iterable[NDArray[Any]]:
    """(h, w, channels) as runs of rows of about half a million pixels."""
    rows = block[1] * max(1, _ROW_PIXELS // (values.shape[1] * block[1]))
    return (values[top : top + rows] for top in range(0, len(values), rows))


def infer_sample_range(samples: SampledPixels, stated_bits: int = 0) -> SampleRange:
    """What is black and white. stated_bits: how many bits the file says that are used; 0 where it does not."""
    low, high = samples.low, samples.high
    if low < 0:
        return SampleRange(low, high, f"Its values lie from {_number(low)} to {_number(high)}; these two are shown as black and white.")
    if not samples.bits:
        return _float_range(high)
    container = samples.bits - samples.signed
    if 0 < stated_bits < container and high < 2**stated_bits:
        white = 2**stated_bits - 1
        return SampleRange(0, white, f"The file says that {stated_bits} of {samples.bits} bits are used; {white:,} is shown as white.")
    if not high:
        return SampleRange(0, 2**container - 1)
    bits = min(each for each in (*USUAL_BITS, container, 64) if each <= container and high < 2.0**each)
    white = 2**bits - 1
    if bits == container:
        return SampleRange(0, white)
    note = (
        f"Its values end at {_number(high)} where {samples.bits} bits reach {2**container - 1:,}: {bits} bits are assumed, so that "
        f"{white:,} is shown as white."
    )
    return SampleRange(0, white, note)


def composite_over_white(colour: Floats, alpha: Floats, premultiplied: bool) -> Floats:
    """(H, W, k) and (H, W, 1), both 0 to 1 -> the colour over white, in the colour's own place."""
    if not premultiplied:
        colour *= alpha
    colour += 1 - alpha
    return colour.clip(0, 1, out=colour)


def _joined(parts: list[Floats]) -> Floats:
    """One after the other; each part is dropped as soon as it is copied."""
    found = np.empty((sum(map(len, parts)), *parts[0].shape[1:]), np.float32)
    top = 0
    while parts:
        part = parts.pop(0)
        found[top : top + len(part)] = part
        top += len(part)
    return found


def _float_range(high: float) -> SampleRange:
    if 1 < high <= _SLIGHTLY_OVER:
        return SampleRange(0, high, f"Its values are floats from 0 to {_number(high)}; the largest is shown as white.")
    white = next((each for each in _CEILINGS if high <= each), high)
    note = "" if white == 1 else f"Its values are floats that end at {_number(high)}; {_number(white)} is shown as white."
    return SampleRange(0, white, note)


def _means(run: NDArray[Any], block: tuple[int, int]) -> Floats:
    across, down = block
    if across == down == 1:
        return run.astype(np.float32)
    height, width = run.shape[:2]
    rows, columns = np.arange(0, height, down), np.arange(0, width, across)
    sums = np.add.reduceat(np.add.reduceat(run, rows, axis=0, dtype=np.float64), columns, axis=1)
    counts = np.diff(np.append(rows, height))[:, None] * np.diff(np.append(columns, width))[None]
    return np.asarray(sums / counts[..., None], np.float32)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"
