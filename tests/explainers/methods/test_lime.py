"""LIME's coefficients are those of the `lime` package on the same masks; its maps are densities on the segments."""

import numpy as np
import pytest
from lime.lime_base import LimeBase
from sklearn.metrics import pairwise_distances

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.lime import LIME
from explainers.perturbation.coalition_weights import binomial_size_distribution, lime_size_weights
from explainers.perturbation.coalitions import shared_coalition_pool
from explainers.perturbation.estimators import lime_coefficients
from tests.explainers.coalition_games import cell_classifier, random_game, sample_of
from tests.explainers.toy_classifiers import ToyScore, detectors, picture

GRID = (2, 5)


def as_lime_draws(parts: int, evaluations: int):
    """Masks as `lime` draws them, each segment with chance 1/2, none set aside."""
    masks = (np.random.default_rng(0).random((evaluations, parts)) < 0.5).astype(float)
    return sample_of(masks, np.arange(evaluations + 2) < 2, binomial_size_distribution(parts))


def test_coefficients_are_those_of_limes_own_pipeline_on_the_same_masks() -> None:
    parts = 20
    game, sample = random_game(parts, 5, 30), as_lime_draws(parts, 300)
    values = game.values(sample.masks)
    rows = np.concatenate([[1], np.arange(2, 302)])
    masks = sample.masks[rows]
    distances = pairwise_distances(masks, masks[:1], metric="cosine").ravel()
    theirs = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 0.25**2)), random_state=0)
    found = dict(theirs.explain_instance_with_data(masks, values[rows][:, None], distances, 0, parts, "none")[1])
    ours, theirs_in_order = lime_coefficients(sample, values), np.array([found[i] for i in range(parts)])
    np.testing.assert_allclose(ours, theirs_in_order, atol=0.02 * np.ptp(theirs_in_order))
    assert np.corrcoef(ours, theirs_in_order)[0, 1] > 0.999


def test_rows_weigh_what_lime_gives_them() -> None:
    sample = as_lime_draws(20, 300)
    weights = sample.weights(lime_size_weights(20)) * 300
    distance = 1 - np.sqrt(sample.masks[2:].sum(1) / 20)
    np.testing.assert_allclose(weights[2:], np.sqrt(np.exp(-(distance**2) / 0.25**2)), rtol=1e-12)


def case_of(kind: str = "logit", budget: int = 1024, target: int = 0) -> tuple[Case, list]:
    """White cells on a black fill: which cells are white is which segments are shown, so that the games are the model."""
    games = [random_game(10, 4, 12, seed) for seed in range(3)]
    toy = cell_classifier(games, GRID)
    image = np.ones((*toy.size, 3), np.float32)
    case = Case(toy, image, ToyScore(target, kind), ExplanationSettings(segments=10, fill="black", budget=budget))
    rows, columns = np.indices(toy.size) // 8
    case.remember("segments", lambda: rows * GRID[1] + columns)
    return case, games


def test_the_map_is_coefficient_by_area() -> None:
    case, games = case_of()
    found = list(LIME()(case))[-1]
    sample = shared_coalition_pool(case).grow(1024)
    expected = lime_coefficients(sample, games[0].values(sample.masks)) / 64
    np.testing.assert_allclose(found.values, np.kron(expected.reshape(GRID), np.ones((8, 8))), rtol=1e-4, atol=1e-6)


def test_maps_come_early_and_get_better() -> None:
    case, games = case_of(budget=400)
    maps = list(LIME()(case))
    assert len(maps) >= 2
    assert maps[0].remark.startswith("The first frame only")
    assert maps[0].halves is None
    assert all(attribution.values.shape == case.size for attribution in maps)
    truth = lime_coefficients(shared_coalition_pool(case).grow(1024), games[0].values(shared_coalition_pool(case).grow(1024).masks)) / 64
    errors = [np.abs(attribution.values[::8, ::8].ravel() - truth).max() for attribution in maps]
    assert errors[-1] < errors[0]


def test_a_map_that_has_not_converged_says_how_much_more_it_needs() -> None:
    case, _ = case_of(budget=60)
    last = list(LIME()(case))[-1]
    assert not last.converged
    assert last.uncertainty > 0.05
    assert last.remark.startswith("Not converged: about ")
    assert last.remark.endswith(" more evaluations.")


def test_the_standard_error_is_of_the_size_of_the_error() -> None:
    case, games = case_of(budget=1024)
    full = shared_coalition_pool(case).grow(1024)
    truth = lime_coefficients(full, games[0].values(full.masks)) / 64
    case, _ = case_of(budget=200)
    last = list(LIME()(case))[-1]
    errors = np.abs(last.values[::8, ::8].ravel() - truth) / np.ptp(truth)
    assert errors.max() < 3 * last.uncertainty
    assert errors.max() > last.uncertainty / 10


def test_halves_share_nothing_and_resemble_the_whole() -> None:
    case, _ = case_of(budget=400)
    last = list(LIME()(case))[-1]
    first, second = last.halves
    assert (first != second).any()
    assert np.corrcoef(first.ravel(), last.values.ravel())[0, 1] > 0.8


def test_class_maps_of_centred_logits_sum_to_nothing() -> None:
    case, _ = case_of("centred")
    total = sum(list(LIME()(case.with_score(ToyScore(c, "centred"))))[-1].values for c in range(3))
    np.testing.assert_allclose(total, 0, atol=1e-6)


def test_another_target_costs_nothing_and_a_seed_decides() -> None:
    toy = detectors()
    case = Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(segments=16, budget=100))
    first = list(LIME()(case))[-1]
    spent = case.evaluations
    list(LIME()(case.with_score(ToyScore(2, "centred"))))
    assert case.evaluations == spent
    again = Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(segments=16, budget=100))
    np.testing.assert_array_equal(list(LIME()(again))[-1].values, first.values)


def test_a_constant_model_gives_an_empty_map() -> None:
    toy = cell_classifier([random_game(10, 2, 0)] * 2, GRID)
    toy._logits_of = lambda images: np.ones((len(images), 2))
    case = Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings(segments=10, budget=100))
    last = list(LIME()(case))[-1]
    np.testing.assert_allclose(last.values, 0, atol=1e-9)
    assert last.uncertainty == pytest.approx(0, abs=1e-6)
