"""Where a place lies on the picture, in words: one of nine fields, an edge, a corner, or several places."""

import cv2
import numpy as np
from numpy.typing import NDArray

BAND = 1 / 6
"""Width of the picture's rim as a share of its side."""
IN_RIM = 0.75
"""Least share of a place that lies in the rim along one side, for the place to be called an edge."""
LONG = 1.5
"""Least ratio of a place's length along a side to its depth, for it to lie along the edge."""
MAIN = 0.6
"""Least share of a place that its largest piece holds, for the place to be in one piece."""
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
SIDES = ("upper", "right", "lower", "left")
SEVERAL = "several places"

Mask = NDArray[np.bool_]


def place_words(place: Mask) -> str:
    """(H, W) -> such as "the lower edge", "the upper left corner", "the middle left", "the centre", "several places"."""
    edge = edge_words(place)
    if edge:
        return edge
    largest = _largest_piece(place)
    if largest.sum() < MAIN * place.sum():
        return SEVERAL
    row, column = (
        min(2, int(3 * float(np.mean(along + 0.5)) / side)) for along, side in zip(np.nonzero(largest), place.shape, strict=True)
    )
    return "the centre" if row == column == 1 else f"the {ROWS[row]} {COLUMNS[column]}"


def edge_words(place: Mask) -> str:
    """The edge or corner that nearly all of the place lies along; empty where it lies along none."""
    total = place.sum()
    if not total:
        return ""
    shares = [float(place[rim].sum() / total) for rim in _rims(place.shape)]
    sides = [number for number, share in enumerate(shares) if share >= IN_RIM]
    if len(sides) > 1:
        vertical, across = (next((SIDES[n] for n in sides if n % 2 == parity), "") for parity in (0, 1))
        return f"the {' '.join(filter(None, (vertical, across)))} corner"
    if not sides:
        return ""
    rows, columns = np.nonzero(place)
    height, width = (np.ptp(each) + 1 for each in (rows, columns))
    along = width / height if sides[0] % 2 == 0 else height / width
    return f"the {SIDES[sides[0]]} edge" if along >= LONG or shares[sides[0]] == 1 else ""


def _rims(size: tuple[int, ...]) -> tuple[tuple[slice, slice], ...]:
    """The picture's rim at each side: upper, right, lower, left."""
    down, across = (max(1, round(BAND * side)) for side in size)
    whole = slice(None)
    return (slice(None, down), whole), (whole, slice(-across, None)), (slice(-down, None), whole), (whole, slice(None, across))


def _largest_piece(place: Mask) -> Mask:
    count, labels = cv2.connectedComponents(place.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=count)
    return np.asarray(labels == 1 + int(np.argmax(sizes[1:])))
