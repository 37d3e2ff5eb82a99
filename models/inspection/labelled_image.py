"""An image that a model is inspected with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.images.decoder import fit_to_size

LONG_SIDE = 768  # pixels, so that dozens of photographs do not fill the memory


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """picture: (height, width, 3) RGB 0..1 of any size. label: the name of what it shows, as its folder or a table calls it, or None."""

    picture: NDArray[np.float32]
    label: str | None = None

    @classmethod
    def from_picture(cls, picture: NDArray[np.float32], label: str | None) -> "LabelledImage":
        """Scales a large picture down."""
        height, width = picture.shape[:2]
        times = LONG_SIDE / max(height, width)
        size = (max(1, round(times * height)), max(1, round(times * width)))
        return cls(picture if times >= 1 else fit_to_size(picture, size, "stretch"), label)
