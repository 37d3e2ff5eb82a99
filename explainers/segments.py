"""Superpixels: cuts a picture into a few connected patches of like colour, which LIME, SHAP and their kin hide and show whole."""

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label
from skimage.segmentation import slic

from errors import UserError

COMPACTNESS = 10.0
SMOOTHING = 1 / 64
"""Standard deviation of the blur before cutting, as a share of the shorter side: hairs and grain do not draw the borders."""
TRIES = 6


def superpixels(image: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """(H, W, 3) in 0..1 -> (H, W) labels 0..M-1, each a connected patch; M is near `count`, at least 2.

    SLIC on the slightly smoothed picture. SLIC draws nothing at random: the same picture always gives the same patches. It often finds far
    fewer patches than it is asked for, so it is asked again until the count fits. Where it finds fewer than two (a picture of a few
    pixels) an even grid takes its place. UserError for a picture of one pixel or a count below 2.
    """
    height, width = image.shape[:2]
    if count < 2:
        raise UserError(f"The number of segments is {count}; explaining by segments needs at least 2.")
    if height * width < 2:
        raise UserError(f"The picture is {width} x {height} pixels and cannot be cut into segments; give one of at least 2 pixels.")
    asked = count
    best = even_grid((height, width), count)
    miss = count / 2
    for _ in range(TRIES):
        patches = _slic(image, asked)
        found = int(patches.max()) + 1
        if found >= 2 and abs(found - count) < miss:
            best, miss = patches, abs(found - count)
        if miss <= 0.05 * count:
            break
        asked = max(2, asked + count - found)
    return best


def _slic(image: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    blur = SMOOTHING * min(image.shape[:2])
    found = slic(np.asarray(image, np.float64), n_segments=count, compactness=COMPACTNESS, sigma=blur, start_label=1, channel_axis=-1)
    return np.asarray(label(found, connectivity=1) - 1, np.int64)  # type: ignore[no-untyped-call]


def even_grid(size: tuple[int, int], count: int) -> NDArray[np.int64]:
    """(H, W) labels of about `count` rectangles of like shape, at least 2 wherever there are 2 pixels."""
    height, width = size
    rows = int(np.clip(round((count * height / width) ** 0.5), 1, height))
    columns = int(np.clip(round(count / rows), 1, width))
    if rows * columns < 2:
        rows, columns = (2, 1) if height >= width else (1, 2)
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    return np.asarray(row[:, None] * columns + column[None, :], np.int64)


def areas(segments: NDArray[np.int64]) -> NDArray[np.float64]:
    """(H, W) labels -> (M,) pixels of each segment."""
    return np.bincount(segments.ravel()).astype(np.float64)
