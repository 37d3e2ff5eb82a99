"""Grad-CAM++ on a global average and a Dense layer: proportional to ReLU(sum relu(w_kc) / (2 + w_kc Abar_k) A_k)."""

import numpy as np
import pytest

from explainers.explanation_case import Case
from explainers.methods.grad_cam_plus_plus import GradCAMPlusPlus
from tests.explainers.toy_classifiers import Detectors, ToyScore, detectors, picture

MODEL = detectors()
IMAGE = picture(MODEL.size)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_eq_19(target):
    maps, w = MODEL.maps(IMAGE[None])[0], MODEL.dense[:, target]
    expected = np.maximum(maps @ (np.maximum(w, 0) / (2 + np.maximum(w, 0) * maps.mean((0, 1)))), 0)
    (found,) = GradCAMPlusPlus()(Case(MODEL, IMAGE, ToyScore(target)))
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)


def test_small_gradients_are_not_swallowed_by_an_epsilon():
    """Of a score that hardly moves the weights tend to relu(g) / 2: Grad-CAM of the rising channels."""
    faint = Detectors(MODEL.grid, MODEL.cell, MODEL.detectors, MODEL.offset, MODEL.dense * 1e-9, MODEL.bias)
    (found,) = GradCAMPlusPlus()(Case(faint, IMAGE, ToyScore(0)))
    expected = faint.maps(IMAGE[None])[0] @ np.maximum(faint.dense[:, 0], 0) / 2
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)


def test_it_shares_the_features_pass():
    case = Case(MODEL, IMAGE, ToyScore(0))
    case.features()
    list(GradCAMPlusPlus()(case))
    assert case.evaluations == 1
