"""Synthetic images: soft patches of colour with stripes, so that every part of an image differs."""

import numpy as np
from numpy.typing import NDArray

COUNT = 16


def random_images(size: tuple[int, int], count: int = COUNT, seed: int = 0) -> NDArray[np.float32]:
    """(count, H, W, 3) in 0..1 for a size (H, W)."""
    rng = np.random.default_rng(seed)
    rows, columns = (axis[..., None] for axis in np.meshgrid(*(np.linspace(0, 1, side) for side in size), indexing="ij"))
    made = []
    for _ in range(count):
        picture = np.full((*size, 3), rng.uniform(0.2, 0.8, 3))
        for _ in range(5):
            top, left, width = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.3)
            near = np.exp(-((rows - top) ** 2 + (columns - left) ** 2) / (2 * width**2))
            waves = np.sin(rng.uniform(0, 30) * rows + rng.uniform(0, 30) * columns)
            picture = picture + near * (rng.uniform(-0.6, 0.6, 3) + 0.3 * waves * rng.uniform(-1, 1, 3))
        made.append(np.clip(picture, 0, 1))
    return np.stack(made).astype(np.float32)
