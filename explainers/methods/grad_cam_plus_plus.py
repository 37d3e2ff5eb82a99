"""Grad-CAM++ is Grad-CAM that counts only rising channels, and counts a pattern seen in few cells as much as one seen in many."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explainers.cam.class_map import class_activation_map, weighted_channel_sum
from explainers.classifier_protocol import LayerFeatures
from explainers.explanation_case import Case
from explainers.method import Attribution, Method


@dataclass(frozen=True)
class GradCAMPlusPlus(Method):
    """ReLU(sum_k w_k A_k), w_k = sum over cells of alpha relu(g), g = dS/dA_k, alpha = g^2 / (2 g^2 + (sum_ab A_ab) g^3), 0 where g = 0.

    No epsilon: for g > 0 alpha is 1 / (2 + g sum A), which needs none. The paper assumes rectified maps; where a layer's maps
    may be negative, a negative sum of A is taken as 0, or alpha would pass through infinity.
    """

    title = "Grad-CAM++"
    revision = 1
    family = "CAM"
    signed = False
    asks = "features"
    resolution = "layer"
    source = "Chattopadhay et al. 2018, arXiv:1710.11063, eq. 19"
    formula = "ReLU(Σₖ wₖ Aₖ), wₖ = Σ α·relu(g), α = g² / (2g² + g³ ΣA), g = ∂S/∂Aₖ"
    about = (
        "Like Grad-CAM, it adds up what the last spatial layer saw, but only the patterns that raise the score. "
        "A pattern found in few places counts as much as one found in many, so that several objects of a class all light up."
    )
    fails = (
        "It ignores patterns that lower the score, so its maps depend less on the class than Grad-CAM's and are broader. "
        "The weights were derived for the exponential of the score and for rectified layers; they have no exact meaning for others. "
        "Behind GELU or SiLU, where a channel may add up to less than 0, its sum is taken as 0."
    )

    def __call__(self, case: Case) -> Iterator[Attribution]:
        yield class_activation_map(case, lambda layer: weighted_channel_sum(layer, _weights(layer)))

    def cost(self, case: Case) -> int:
        return 1


def _weights(features: LayerFeatures) -> NDArray[np.float64]:
    """(k,): sum over cells of alpha relu(g)."""
    rising = np.maximum(features.gradients.astype(np.float64), 0)
    total = np.maximum(features.maps.sum((0, 1), dtype=np.float64), 0)
    return np.asarray((rising / (2 + rising * total)).sum((0, 1)))
