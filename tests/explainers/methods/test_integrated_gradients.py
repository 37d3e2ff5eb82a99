"""Integrated gradients where the integral is known: linear, quadratic, f = 5x + y^2 + sin z, and what happens when it stops early."""

import re

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.integrated_gradients import IntegratedGradients
from tests.explainers.toy_classifiers import Toy, ToyScore, detectors, picture

SIZE = (8, 8)
RNG = np.random.default_rng(0)
W = RNG.normal(size=(2, *SIZE, 3))
Q = RNG.normal(size=(192, 192)) / 20
Q = Q + Q.T
IMAGE = picture(SIZE)
LINEAR = Toy(SIZE, lambda x: np.tensordot(x, W, ([1, 2, 3], [1, 2, 3])), lambda x: W)


def last(model, score=None, method=None, fill="blur", preset="Thorough"):
    case = Case(model, IMAGE, score or ToyScore(0), ExplanationSettings(fill=fill, preset=preset))
    return list((method or IntegratedGradients())(case))[-1], case


@pytest.mark.parametrize("fill", ["blur", "black", "mean colour"])
def test_linear_is_exact(fill):
    found, case = last(LINEAR, fill=fill)
    np.testing.assert_allclose(found.values, (W[0] * (IMAGE - case.fill_image)).sum(-1), atol=1e-5)
    assert found.converged


@pytest.mark.parametrize("points", [1, 8, 24])
def test_quadratic_is_exact_with_any_number_of_points(points):
    def logits(x):
        flat = x.reshape(len(x), -1)
        quadratic = np.einsum("ni,ij,nj->n", flat, Q, flat) / 2
        return np.stack([flat @ W[0].ravel() + quadratic, 0 * quadratic], 1)

    def gradient(x):
        return np.stack([(W[0].ravel() + Q @ x.ravel()).reshape(*SIZE, 3), np.zeros((*SIZE, 3))])

    found, case = last(Toy(SIZE, logits, gradient), method=IntegratedGradients(points=points))
    b = case.fill_image.astype(np.float64)
    expected = (IMAGE - b) * (W[0] + (Q @ (IMAGE + b).ravel()).reshape(*SIZE, 3) / 2)
    np.testing.assert_allclose(found.values, expected.sum(-1), atol=1e-4)


def test_five_x_plus_y_squared_plus_sin_z():
    """Three pixels' red decide; each gets f's own share of the change, because f is a sum."""

    def logits(p):
        x, y, z = p[:, 0, 0, 0], p[:, 3, 4, 0], p[:, 7, 7, 0]
        return np.stack([5 * x + y**2 + np.sin(z), 0 * x], 1)

    def gradient(p):
        one = np.zeros((2, *SIZE, 3))
        one[0, 0, 0, 0], one[0, 3, 4, 0], one[0, 7, 7, 0] = 5, 2 * p[3, 4, 0], np.cos(p[7, 7, 0])
        return one

    found, _ = last(Toy(SIZE, logits, gradient), fill="black")
    expected = np.zeros(SIZE)
    expected[0, 0], expected[3, 4], expected[7, 7] = 5 * IMAGE[0, 0, 0], IMAGE[3, 4, 0] ** 2, np.sin(IMAGE[7, 7, 0])
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def test_it_adds_up_to_the_change_of_the_score():
    model = detectors()
    case = Case(model, picture(model.size), ToyScore(0), ExplanationSettings(preset="Thorough"))
    found = list(IntegratedGradients()(case))[-1]
    assert found.values.sum() == pytest.approx(case.image_value - float(case.values(case.baseline_logits)[0]), rel=0.02)
    assert found.converged


def test_centred_logits_cancel_over_the_classes():
    model = detectors()
    maps = [list(IntegratedGradients(points=8)(Case(model, picture(model.size), ToyScore(c, "centred"))))[-1].values for c in range(3)]
    np.testing.assert_allclose(sum(maps), 0, atol=1e-5)


def test_the_baseline_may_be_another_than_the_fill():
    case = Case(LINEAR, IMAGE, ToyScore(0))
    found = list(IntegratedGradients(baseline="black")(case))[-1]
    np.testing.assert_allclose(found.values, (W[0] * IMAGE).sum(-1), atol=1e-5)


def test_it_goes_on_until_sum_and_map_have_settled():
    steep = Toy(SIZE, lambda x: _bend(x)[0], lambda x: _bend(x[None])[1])
    case = Case(steep, IMAGE, ToyScore(0), ExplanationSettings(fill="black", preset="Fast"))
    found = list(IntegratedGradients()(case))
    assert [map_.remark.split(" points")[0].split()[-1] for map_ in found] == ["8", "16"]
    assert not found[-1].converged
    assert "Not converged" in found[-1].remark
    assert found[-1].remark.endswith(" Raise points to 32.")
    assert case.evaluations == 8 + 16 + 2 == IntegratedGradients().cost(case)


@pytest.mark.parametrize(
    ("points", "budget", "advice"),
    [
        (64, 40, "Raise the budget to 122 evaluations."),
        (64, 122, "Raise points to 128 and the budget to 250 evaluations."),
        (64, 250, "Raise points to 128."),
        (0, 500, "Raise points to 32."),
        (200, 500, "Raise points to 256 and the budget to 506 evaluations."),
        (256, 500, "Raise the budget to 506 evaluations."),
        (256, 506, "More than 256 points are not offered; compare another method."),
    ],
)
def test_what_binds_is_named_and_the_advice_helps(points, budget, advice):
    rng = np.random.default_rng(0)
    restless = Toy(SIZE, lambda x: x.mean((1, 2, 3))[:, None] * [1, 0], lambda x: rng.normal(size=(2, *SIZE, 3)))
    case = Case(restless, IMAGE, ToyScore(0), ExplanationSettings(preset="Fast", budget=budget))
    found = list(IntegratedGradients(points=points)(case))[-1]
    assert not found.converged
    assert found.remark.endswith(advice)
    numbers = dict(re.findall(r"(points|budget) to (\d+)", advice))
    if numbers:
        wider = Case(restless, IMAGE, ToyScore(0), ExplanationSettings(preset="Fast", budget=int(numbers.get("budget", budget))))
        *_, better = IntegratedGradients(points=int(numbers.get("points", points)))(wider)
        assert int(re.search(r"(\d+) points", better.remark)[1]) > int(re.search(r"(\d+) points", found.remark)[1])


def _bend(x):
    """A narrow sigmoid on the way from black to the picture: few points miss it."""
    height = 400 * (x.mean((1, 2, 3)) - 0.123)
    value = 1 / (1 + np.exp(-np.clip(height, -500, 500)))
    slope = 400 * value * (1 - value) / x[0].size
    return np.stack([value, 0 * value], 1), np.stack([np.full((*SIZE, 3), slope[0]), np.zeros((*SIZE, 3))])
