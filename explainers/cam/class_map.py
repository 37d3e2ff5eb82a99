"""What the CAM methods have in common: a weighted sum of a layer's channels, branches added up, then the ReLU."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import LayerFeatures
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method import Attribution


def weighted_channel_sum(features: LayerFeatures, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w): the layer's channels (h, w, k), each times its weight (k,), added up."""
    return features.maps.astype(np.float64) @ weights


def class_activation_map(case: Case, of_layer: Callable[[LayerFeatures], NDArray[np.float64]]) -> Attribution:
    """The signed map (h, w) in score per cell that `of_layer` gives of each layer, branches added up, and its positive part."""
    branches = [(features.layer, of_layer(features)) for features in case.features()]
    signed = _added([branch for _, branch in branches])
    apart = tuple((name, branch.astype(np.float32)) for name, branch in branches) if len(branches) > 1 else ()
    caveat = " ".join(dict.fromkeys(layer.caveat for layer in case.layers if layer.caveat))
    return Attribution(np.maximum(signed, 0), signed=signed, branches=apart, caveat=caveat)


def _added(branches: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Signed maps, one a branch -> their sum on the finest grid.

    A coarse cell's value is shared among the fine cells that it covers, so every branch keeps its sum (but for the borders' rounding
    where grids do not divide each other).
    """
    finest = max((branch.shape for branch in branches), key=lambda shape: shape[0] * shape[1])
    return np.asarray(sum((_on(branch, finest) for branch in branches), np.zeros(finest)), np.float32)


def _on(branch: NDArray[np.float64], grid: tuple[int, ...]) -> NDArray[np.float64]:
    if branch.shape == grid:
        return branch
    share = branch.size / (grid[0] * grid[1])
    return share * enlarge_map(branch.astype(np.float32), (grid[0], grid[1])).astype(np.float64)
