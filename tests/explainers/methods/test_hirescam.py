"""HiResCAM behind linear heads: the map sums to the logit less its bias, place by place."""

import numpy as np
import pytest

from explainers.explanation_case import Case
from explainers.methods.grad_cam import GradCAM
from explainers.methods.hirescam import HiResCAM
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


@pytest.mark.parametrize("flatten", [False, True])
def test_it_sums_to_the_logit_less_its_bias(flatten):
    model = detectors(flatten=flatten)
    image = picture(model.size)
    (found,) = HiResCAM()(Case(model, image, ToyScore(1)))
    np.testing.assert_allclose(found.signed, (model.maps(image[None])[0] * model.weights[..., 1]).sum(-1), atol=1e-5)
    assert found.signed.sum() == pytest.approx(float(model.outputs(image[None])[0, 1]) - model.bias[1], abs=1e-4)
    (other,) = GradCAM()(Case(model, image, ToyScore(1)))
    assert np.allclose(found.signed, other.signed, atol=1e-5) != flatten
