"""A decoded picture, and what there is to say about how it was read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """pixels: (H, W, 3) float32, RGB from 0 to 1, upright. size: (h, w) in pixels before any reduction, upright.

    page, pages: which page or frame of the file this is, from 1, and how many it has. notes: sentences about what was assumed.
    """

    pixels: NDArray[np.float32]
    size: tuple[int, int]
    page: int = 1
    pages: int = 1
    notes: tuple[str, ...] = ()
