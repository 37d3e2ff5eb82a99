"""A picture that a model is examined by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Seen:
    """picture: (height, width, 3) RGB 0..1 of any size. label: the name of what it shows, as its folder or a table calls it, or None."""

    picture: NDArray[np.float32]
    label: str | None = None
