"""Score-CAM with every channel against its formula, groups against every channel, and the paper's own weights."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from explainers.cam.channel_groups import cluster_channels
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import enlarge_map
from explainers.methods.score_cam import PAPER, ScoreCAM
from explainers.perturbation.convergence import extrapolate_final_agreement
from tests.explainers.toy_classifiers import Detectors, ToyScore, detectors, picture

MODEL = detectors()
IMAGE = picture(MODEL.size)


def by_hand(model, value, fill):
    """ReLU(sum_k max(0, S(x through H_k) - S(fill)) A_k), a channel at a time."""
    image = picture(model.size)
    maps = model.maps(image[None])[0].astype(np.float32)
    total = np.zeros(model.grid)
    for channel in np.moveaxis(maps, -1, 0):
        if np.ptp(channel) > 0:
            enlarged = enlarge_map(channel, model.size)
            shown = ((enlarged - enlarged.min()) / np.ptp(enlarged))[..., None]
            total += max(0, value(shown * image + (1 - shown) * fill) - value(fill)) * channel
    return total


@pytest.mark.parametrize("target", [0, 2])
def test_every_channel_for_itself(target):
    case = Case(MODEL, IMAGE, ToyScore(target))
    found = list(ScoreCAM(groups=64)(case))[-1]
    expected = by_hand(MODEL, lambda x: float(MODEL.outputs(x[None].astype(np.float32))[0, target]), case.fill_image)
    assert expected.max() > 0
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    assert found.converged
    assert found.remark == ""


def test_the_papers_weight_is_the_probability_on_black():
    found = list(ScoreCAM(groups=64, weight=PAPER)(Case(MODEL, IMAGE, ToyScore(1))))[-1]
    expected = by_hand(MODEL, lambda x: float(MODEL.probabilities(MODEL.outputs(x[None].astype(np.float32)))[0, 1]), np.zeros_like(IMAGE))
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def many_channels():
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 1, (3, 200)), rng.normal(0, 0.2, 200), rng.normal(0, 2, (200, 3)), np.zeros(3)
    return Detectors((7, 7), 8, *weights)


def test_groups_give_nearly_what_every_channel_gives():
    model = many_channels()
    case = Case(model, picture(model.size), ToyScore(0))
    maps = list(ScoreCAM()(case))
    every = list(ScoreCAM(groups=200)(case.with_score(ToyScore(0))))[-1]
    assert len(maps) == 2
    assert spearmanr(maps[-1].signed.ravel(), every.signed.ravel()).statistic > 0.97
    assert "32 groups stand for 200 channels" in maps[-1].remark


@pytest.mark.parametrize(("groups", "budget"), [(0, 500), (16, 500), (64, 500), (40, 120)])
def test_the_estimate_from_groups_is_near_what_every_channel_gives(groups, budget):
    """The figure is 1 less the rank correlation with the map of all 200 channels, predicted from 8 groups and the last."""
    model = many_channels()
    case = Case(model, picture(model.size), ToyScore(0), ExplanationSettings(budget=budget))
    first, last = list(ScoreCAM(groups=groups)(case))
    every = list(ScoreCAM(groups=200)(Case(model, picture(model.size), ToyScore(0))))[-1]
    reached = spearmanr(last.signed.ravel(), every.signed.ravel()).statistic
    assert not first.converged
    assert first.uncertainty is None
    assert 1 - last.uncertainty == pytest.approx(reached, abs=0.03)
    assert last.converged == (last.uncertainty <= 0.05) == (reached >= 0.95)
    assert every.converged
    assert every.uncertainty is None


def test_one_map_alone_claims_nothing():
    model = many_channels()
    (found,) = ScoreCAM(groups=8)(Case(model, picture(model.size), ToyScore(0)))
    assert not found.converged
    assert found.remark == "Not converged: 8 groups stand for 200 channels, and there is no map of fewer to compare with."


def test_a_map_that_moves_much_from_few_groups_to_more_is_not_converged():
    first, second = np.arange(16.0).reshape(4, 4), np.roll(np.arange(16.0), 4).reshape(4, 4)
    moved = 1 - spearmanr(first.ravel(), second.ravel()).statistic
    assert extrapolate_final_agreement((first, 3.0), (second, 1.0)) == pytest.approx(1 - moved / 2)
    assert extrapolate_final_agreement((first, 3.0), (second, 0.0)) == 1
    assert extrapolate_final_agreement((first, 1.0), (second, 1.0)) == 0
    assert extrapolate_final_agreement((first, 3.0), (0 * second, 1.0)) == 0.5
    assert extrapolate_final_agreement((0 * first, 3.0), (0 * second, 1.0)) == 1


def test_groups_are_nested_and_free_for_other_classes():
    model = many_channels()
    case = Case(model, picture(model.size), ToyScore(0))
    (layer,) = case.features()
    few, more = cluster_channels(case, layer, 8), cluster_channels(case, layer, 32)
    assert (len(few), len(more)) == (8, 32)
    for group in more:
        assert sum(set(group) <= set(wide) for wide in few) == 1
    list(ScoreCAM()(case))
    spent = case.evaluations
    assert spent <= ScoreCAM().cost(case)
    list(ScoreCAM()(case.with_score(ToyScore(2))))
    assert case.evaluations == spent + 1  # the features of the other score


def test_constant_channels_are_left_out():
    dense = np.array([[5.0, 0], [1, 0]])
    detector = np.array([[0, 1.0], [0, 0], [0, 0]])  # the first channel sees nothing but its offset
    model = Detectors((4, 4), 8, detector, np.array([0.7, 0.0]), dense, np.zeros(2))
    case = Case(model, picture(model.size), ToyScore(0))
    found = list(ScoreCAM()(case))[-1]
    second = model.maps(case.image[None])[0][..., 1]
    np.testing.assert_allclose(found.values / found.values.max(), second / second.max(), atol=1e-5)


@pytest.mark.parametrize("budget", [16, 20, 40, 60])
@pytest.mark.parametrize("groups", [0, 8, 200])
def test_no_more_evaluations_than_the_budget(budget, groups):
    model = many_channels()
    case = Case(model, picture(model.size), ToyScore(0), ExplanationSettings(budget=budget))
    maps = list(ScoreCAM(groups=groups)(case))
    for found in maps:
        assert found.converged == (found.uncertainty is not None and found.uncertainty <= 0.05)
        assert found.converged != found.remark.startswith("Not converged: ")
    assert case.evaluations <= ScoreCAM(groups=groups).cost(case) <= budget


def test_weights_that_are_only_rounding_give_an_empty_map():
    """Maps of large numbers would else make much of changes of a spacing or two."""
    loud = MODEL.detectors * 1e4
    deaf = Detectors(MODEL.grid, MODEL.cell, loud, MODEL.offset, MODEL.dense * 1e-10, MODEL.bias + 6)
    case = Case(deaf, IMAGE, ToyScore(0))
    baseline_value = float(case.values(case.baseline_logits)[0])
    assert abs(case.image_value - baseline_value) < case.rounding
    assert not list(ScoreCAM(groups=64)(case))[-1].values.any()
