"""Maps that are linear in the score: those of all classes cancel, a class and its opposite mirror each other, the hidden get nothing."""

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods import METHODS
from explainers.methods.grad_cam_plus_plus import GradCAMPlusPlus
from explainers.methods.integrated_gradients import IntegratedGradients
from explainers.methods.occlusion import Occlusion
from explainers.methods.partition_shap import PartitionSHAP
from explainers.methods.score_cam import ScoreCAM
from tests.explainers.toy_classifiers import Detectors, ToyScore, detectors, picture

FIXED = {IntegratedGradients: IntegratedGradients(points=8), Occlusion: Occlusion(search="fixed windows", window=28, stride=28)}
LINEAR = [FIXED.get(kind) or kind() for kind in METHODS if kind not in (GradCAMPlusPlus, ScoreCAM)]
"""Grad-CAM++ and Score-CAM rectify within the sum; Partition SHAP splits where the score leads it, so it only mirrors.

Integrated gradients takes as many points for every class, and occlusion the same windows.
"""
every_linear_method = pytest.mark.parametrize("method", LINEAR, ids=lambda method: method.title)
TOLERANCE = {"SHAP": 1e-3, "LIME": 0.05}
"""LIME's ridge pulls what it finds towards 0 and leaves some of it to the segments beside; the surrogate's noise does so a little."""
MODEL = detectors(grid=(7, 7), cell=8)


def plain(method):
    return method.resolution in ("windows", "pixels", "segments")


def signed(method, case):
    found = list(method(case))[-1]
    return found.values if found.signed is None else found.signed


@pytest.mark.parametrize("method", [method for method in LINEAR if not isinstance(method, PartitionSHAP)], ids=lambda m: m.title)
def test_maps_of_all_classes_cancel_under_centred_logits(method):
    case = Case(MODEL, picture(MODEL.size), ToyScore(0, "centred"), ExplanationSettings(preset="Thorough", segments=10))
    maps = [signed(method, case.with_score(ToyScore(target, "centred"))) for target in range(3)]
    np.testing.assert_allclose(sum(maps), 0, atol=1e-4 * np.abs(maps).max())


@every_linear_method
def test_one_sigmoid_mirrors_its_two_classes(method):
    dense, bias = MODEL.dense[:, :1] * [-1, 1], MODEL.bias[:1] * [-1, 1]
    sigmoid = Detectors(MODEL.grid, MODEL.cell, MODEL.detectors, MODEL.offset, dense, bias)
    case = Case(sigmoid, picture(sigmoid.size), ToyScore(0), ExplanationSettings(preset="Fast", segments=10))
    first, other = signed(method, case), signed(method, case.with_score(ToyScore(1)))
    np.testing.assert_allclose(first, -other, atol=1e-4 * np.abs(first).max())


@pytest.mark.parametrize("method", [method for method in LINEAR if plain(method)], ids=lambda m: m.title)
def test_what_equals_the_fill_gets_nothing(method):
    """The left half is black and so is the fill: hiding it changes nothing."""
    image = picture(MODEL.size)
    image[:, : MODEL.size[1] // 2] = 0
    case = Case(MODEL, image, ToyScore(0), ExplanationSettings(preset="Fast", fill="black", segments=8))
    halves = (np.indices(MODEL.size)[1] >= MODEL.size[1] // 2).astype(np.int64)
    rows = np.indices(MODEL.size)[0] * 4 // MODEL.size[0]
    case.remember("segments", lambda: rows * 2 + halves)
    found = signed(method, case)
    hidden, shown = np.split(found, 2, axis=1)
    assert np.abs(hidden).max() <= TOLERANCE.get(method.title, 1e-5) * np.abs(shown).max()
