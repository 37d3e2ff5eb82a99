"""HiResCAM lights the places where what the last layer saw really went into the score, cell by cell."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explainers.cam.class_map import class_activation_map
from explainers.explanation_case import Case
from explainers.method import Attribution, Method


@dataclass(frozen=True)
class HiResCAM(Method):
    """ReLU(sum_k dS/dA_k * A_k), cell by cell: Grad-CAM without averaging the gradient over the cells.

    Of a raw logit behind a linear head (global average or Flatten, then Dense) the signed map sums to the logit less its bias.
    """

    title = "HiResCAM"
    revision = 1
    family = "CAM"
    signed = False
    asks = "features"
    resolution = "layer"
    source = "Draelos & Carin 2020, arXiv:2011.08891, eq. 3"
    formula = "ReLU(Σₖ ∂S/∂Aₖ · Aₖ)"
    about = (
        "Like Grad-CAM, it adds up what the last spatial layer saw, but weighs each pattern at each place by itself. "
        "Where the layers behind are linear, the map is exactly what each place contributed."
    )
    fails = (
        "Behind a global average it is the same as Grad-CAM, and as coarse. "
        "Where nonlinear layers follow, single cells' gradients are noisy, and the map with them."
    )

    def __call__(self, case: Case) -> Iterator[Attribution]:
        yield class_activation_map(case, lambda layer: np.einsum("hwk,hwk->hw", layer.gradients, layer.maps, dtype=np.float64))

    def cost(self, case: Case) -> int:
        return 1
