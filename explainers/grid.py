"""The one resize, and the grid of cells on which maps of different resolutions are compared."""

import cv2
import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Floats
from explainers.method import Attribution

Grid = NDArray[np.float64]
"""A map on the common grid (G, G)."""

CELL = 16
"""Side of a cell in pixels, where the grid keeps within 7 to 16 cells a side."""


def enlarge_map(values: Floats, size: tuple[int, int]) -> Floats:
    """(h, w) -> (H, W), half-pixel bilinear: the middle of each cell stays where it was. For enlarging; `sum_into_cells` makes smaller."""
    if values.shape == tuple(size):
        return values
    return np.asarray(cv2.resize(np.asarray(values, np.float32), (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def sum_into_cells(values: NDArray[np.floating], cells: int) -> NDArray[np.float64]:
    """(H, W) -> (cells, cells): each cell holds the sum of its pixels, a pixel that two cells cut counted in each by its share.

    The sum of the whole is kept, and nothing is rectified.
    """
    rows, columns = (_shares(side, cells) for side in values.shape)
    summed: NDArray[np.float64] = np.asarray(rows @ values.astype(np.float64) @ columns.T)
    return summed


def grid_cells_per_side(size: tuple[int, int]) -> int:
    """Cells a side for a picture of (H, W) pixels: 16-px cells, at least 7, at most 16; 14 at 224 px."""
    return int(np.clip(round(min(size) / CELL), 7, 16))


def sum_map_onto_grid(values: Floats, size: tuple[int, int]) -> NDArray[np.float64]:
    """A map on its own grid (h, w) -> its enlargement to the picture (H, W), area-summed on the picture's grid (G, G)."""
    return sum_into_cells(enlarge_map(values, size), grid_cells_per_side(size))


def attribution_on_common_grid(attribution: Attribution, size: tuple[int, int]) -> Grid:
    """(G, G): the map before rectifying, enlarged to the picture and summed up in each cell."""
    return sum_map_onto_grid(attribution.values if attribution.signed is None else attribution.signed, size)


def _shares(side: int, cells: int) -> NDArray[np.float64]:
    """(cells, side): the share of each pixel that lies in each cell."""
    pixels = np.arange(side)
    edges = np.arange(cells + 1) * side / cells
    overlap: NDArray[np.float64] = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(overlap, 0)
