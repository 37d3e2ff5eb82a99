"""What the CAM methods have in common: a weighted sum of a layer's channels, branches added up, then the ReLU."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from explainers.case import Case
from explainers.grid import enlarge
from explainers.method import Attribution
from explainers.protocol import Features


def channel_sum(features: Features, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w): the layer's channels (h, w, k), each times its weight (k,), added up."""
    return features.maps.astype(np.float64) @ weights


def class_map(case: Case, of_layer: Callable[[Features], NDArray[np.float64]]) -> Attribution:
    """The signed map `of_layer` gives of each layer, branches added up, and its positive part."""
    return rectified([of_layer(features) for features in case.features()])


def rectified(branches: list[NDArray[np.float64]]) -> Attribution:
    """Signed maps (h, w), one a branch, in score per cell -> their sum on the finest grid, and its positive part.

    A coarse cell's value is shared among the fine cells that it covers, so every branch keeps its sum (but for the borders' rounding
    where grids do not divide each other).
    """
    finest = max((branch.shape for branch in branches), key=lambda shape: shape[0] * shape[1])
    signed = sum((_on(branch, finest) for branch in branches), np.zeros(finest)).astype(np.float32)
    return Attribution(np.maximum(signed, 0), signed=signed)


def _on(branch: NDArray[np.float64], grid: tuple[int, ...]) -> NDArray[np.float64]:
    if branch.shape == grid:
        return branch
    share = branch.size / (grid[0] * grid[1])
    return share * enlarge(branch.astype(np.float32), (grid[0], grid[1])).astype(np.float64)
