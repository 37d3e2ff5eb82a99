"""Grad-CAM lights the places whose last-layer channels raise the score when they grow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explainers.cam.class_map import class_activation_map, weighted_channel_sum
from explainers.explanation_case import Case
from explainers.method import Attribution, Method


@dataclass(frozen=True)
class GradCAM(Method):
    """ReLU(sum_k a_k A_k) with a_k = mean over cells of dS/dA_k, for the score S and the maps A_k of the layer.

    Values are in the score's units per cell. With one layer for each of several branches, the signed maps are shared
    out over the finest grid, each keeping its sum, and added up before the ReLU.
    """

    title = "Grad-CAM"
    revision = 1
    family = "CAM"
    signed = False
    asks = "features"
    resolution = "layer"
    source = "Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 and 2"
    formula = "ReLU(Σₖ mean(∂S/∂Aₖ) · Aₖ)"
    about = (
        "The model's last spatial layer says on a coarse grid which patterns it saw where. "
        "Grad-CAM adds these up, each weighted by how much more of it would raise the score, and keeps what speaks for the class."
    )
    fails = (
        "The grid is coarse (often 7×7), so small evidence is spread over a large patch. "
        "Where the layers behind it treat places differently (a Flatten head), it may light places that the model did not use; "
        "compare HiResCAM."
    )

    def __call__(self, case: Case) -> Iterator[Attribution]:
        yield class_activation_map(case, lambda layer: weighted_channel_sum(layer, layer.gradients.mean((0, 1), dtype=np.float64)))

    def cost(self, case: Case) -> int:
        return 1
