"""Grad-CAM on a global average and a Dense layer: ReLU(sum w_kc A_k) / Z, by hand."""

import numpy as np
import pytest

from explainers.explanation_case import Case
from explainers.methods.grad_cam import GradCAM
from explainers.methods.hirescam import HiResCAM
from tests.explainers.toy_classifiers import Detectors, ToyScore, detectors, picture

MODEL = detectors()
IMAGE = picture(MODEL.size)
MAPS = MODEL.maps(IMAGE[None])[0]
CELLS = MODEL.grid[0] * MODEL.grid[1]


def cam(score: ToyScore, model=MODEL, image=IMAGE):
    (found,) = GradCAM()(Case(model, image, score))
    return found


def two_branches(fine: Detectors, coarse: Detectors) -> Detectors:
    """Both models on one picture: their logits added up (`fine`'s bias only), their layers side by side."""

    class TwoBranches(Detectors):
        def features(self, image, layers, score):
            return fine.features(image, fine.layers, score) + coarse.features(image, coarse.layers, score)

        def _forward(self, images):
            return super()._forward(images) + coarse._forward(images) - coarse.bias

    return TwoBranches(fine.grid, fine.cell, fine.detectors, fine.offset, fine.dense, fine.bias)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_of_a_logit(target):
    signed = MAPS @ MODEL.dense[:, target] / CELLS
    found = cam(ToyScore(target))
    np.testing.assert_allclose(found.signed, signed, atol=1e-6)
    np.testing.assert_allclose(found.values, np.maximum(signed, 0), atol=1e-6)


def test_of_a_probability_is_proportional_to_the_weights_less_their_mean():
    p = MODEL.probabilities(MODEL.outputs(IMAGE[None]).astype(np.float64))[0]
    expected = MAPS @ (MODEL.dense[:, 1] - MODEL.dense @ p)
    found = cam(ToyScore(1, "probability"))
    np.testing.assert_allclose(found.signed, p[1] * expected / CELLS, atol=1e-6)


def test_signed_maps_of_centred_logits_cancel_over_the_classes():
    total = sum(cam(ToyScore(target, "centred")).signed for target in range(3))
    np.testing.assert_allclose(total, 0, atol=1e-6)


def test_signed_sum_is_the_logit_less_its_bias():
    logits = MODEL.outputs(IMAGE[None])[0]
    assert cam(ToyScore(2)).signed.sum() == pytest.approx(logits[2] - MODEL.bias[2], abs=1e-5)


def test_branches_are_shared_out_over_the_finest_grid_and_added_before_the_rectifier():
    fine, coarse = detectors(grid=(4, 4), cell=8), detectors(grid=(2, 2), cell=16)
    model = two_branches(fine, coarse)
    found, one, other = (cam(ToyScore(0), part, picture(model.size)) for part in (model, fine, coarse))
    lift = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])  # half-pixel bilinear from 2 to 4, by hand
    np.testing.assert_allclose(found.signed, one.signed + lift @ other.signed @ lift.T / 4, atol=1e-6)
    np.testing.assert_allclose(found.values, np.maximum(found.signed, 0))


@pytest.mark.parametrize("method", [GradCAM, HiResCAM])
def test_branches_of_different_grids_sum_to_the_logit_less_its_bias(method):
    """Each branch a global average into the same logits: no branch counts more than it gave."""
    model = two_branches(detectors(grid=(8, 8), cell=8), detectors(grid=(4, 4), cell=16))
    image = picture(model.size)
    (found,) = method()(Case(model, image, ToyScore(2)))
    assert found.signed.shape == (8, 8)
    assert found.signed.sum() == pytest.approx(model.outputs(image[None])[0, 2] - model.bias[2], abs=1e-4)
