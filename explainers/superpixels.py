"""Superpixels: cuts a picture into a few connected patches of like colour, which LIME, SHAP and their kin hide and show whole."""

import numpy as np
from numpy.typing import NDArray

from errors import UserError

COMPACTNESS = 10.0
SMOOTHING = 1 / 64
"""Standard deviation of the blur before cutting, as a share of the shorter side: hairs and grain do not draw the borders."""
TRIES = 6
ENOUGH_FOR_BARS = 8
"""With fewer segments than this, none are spent on bars."""
SMALLEST = 0.25
"""Smallest segment, as a share of the mean's area: a score per pixel of a few pixels would drown the map in its own noise."""


def segment_superpixels(image: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """(H, W, 3) in 0..1 -> (H, W) labels 0..M-1, each a connected patch; M is near `count`, at least 2.

    Bars of one even colour along the sides, as fitting a picture to a square leaves them, are one segment each. The rest is cut by SLIC
    on the slightly smoothed picture, which draws nothing at random: the same picture always gives the same patches. Bars and patches under
    a quarter of the mean area belong to their neighbours. Where SLIC finds fewer than two (a picture of a few pixels) an even grid takes
    its place. UserError for a picture of one pixel or a count below 2.
    """
    height, width = image.shape[:2]
    if count < 2:
        raise UserError(f"The number of segments is {count}; explaining by segments needs at least 2.")
    if height * width < 2:
        raise UserError(f"The picture is {width} x {height} pixels and cannot be cut into segments; give one of at least 2 pixels.")
    smallest = SMALLEST * height * width / count
    top, bottom, left, right = inside = _inside(image, smallest) if count >= ENOUGH_FOR_BARS else (0, height, 0, width)
    labels = _bars((height, width), inside)
    bars = int(labels.max()) + 1
    labels[top:bottom, left:right] = bars + _merged(_patches(image[top:bottom, left:right], max(2, count - bars)), smallest)
    return labels


def _inside(image: NDArray[np.float32], smallest: float) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of what is left without bars of the corner's colour that have `smallest` pixels or more.

    The whole of a picture of one colour.
    """
    height, width = image.shape[:2]
    other = (image != image[0, 0]).any(-1)
    rows, columns = np.flatnonzero(other.any(1)), np.flatnonzero(other.any(0))
    if len(rows) < 2 or len(columns) < 2:
        return 0, height, 0, width
    top, bottom = (int(rows[0]) if rows[0] * width >= smallest else 0), int(rows[-1]) + 1
    bottom = bottom if (height - bottom) * width >= smallest else height
    left, right = (int(columns[0]) if columns[0] * (bottom - top) >= smallest else 0), int(columns[-1]) + 1
    return top, bottom, left, right if (width - right) * (bottom - top) >= smallest else width


def _bars(size: tuple[int, int], inside: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """(H, W): the bars' labels from 0, and -1 inside."""
    top, bottom, left, right = inside
    labels = np.full(size, -1, np.int64)
    sides = (np.s_[:top, :], np.s_[bottom:, :], np.s_[top:bottom, :left], np.s_[top:bottom, right:])
    for side in sides:
        if labels[side].size:
            labels[side] = labels.max() + 1
    return labels


def _patches(image: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """SLIC, which often finds far fewer patches than requested, repeated until the count fits."""
    asked = count
    best = rectangular_segments(image.shape[:2], count)
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


def _merged(labels: NDArray[np.int64], smallest: float) -> NDArray[np.int64]:
    """The labels, each patch under `smallest` pixels joined to the neighbour with the longest common border; never fewer than two."""
    while (sizes := np.bincount(labels.ravel())).min() < smallest and len(sizes) > 2:
        least = int(sizes.argmin())
        steps = ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))
        ends = np.concatenate([np.stack([one[one != other], other[one != other]]) for one, other in steps], axis=1)
        beside = np.concatenate([ends[1][ends[0] == least], ends[0][ends[1] == least]])
        labels = np.where(labels == least, np.bincount(beside).argmax(), labels)
        labels = labels - (labels > least)
    return labels


def _slic(image: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    from skimage.measure import label  # scikit-image takes half a second to import, and only some methods need it
    from skimage.segmentation import slic

    blur = SMOOTHING * min(image.shape[:2])
    found = slic(np.asarray(image, np.float64), n_segments=count, compactness=COMPACTNESS, sigma=blur, start_label=1, channel_axis=-1)
    return np.asarray(label(found, connectivity=1) - 1, np.int64)  # type: ignore[no-untyped-call]


def rectangular_segments(size: tuple[int, int], count: int) -> NDArray[np.int64]:
    """(H, W) labels of about `count` rectangles of like shape, at least 2 wherever there are 2 pixels."""
    height, width = size
    rows = int(np.clip(round((count * height / width) ** 0.5), 1, height))
    columns = int(np.clip(round(count / rows), 1, width))
    if rows * columns < 2:
        rows, columns = (2, 1) if height >= width else (1, 2)
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    return np.asarray(row[:, None] * columns + column[None, :], np.int64)


def segment_areas(segments: NDArray[np.int64]) -> NDArray[np.float64]:
    """(H, W) labels -> (M,) pixels of each segment."""
    return np.bincount(segments.ravel()).astype(np.float64)
