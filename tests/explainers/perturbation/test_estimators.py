"""The rules that turn answers into numbers for segments, against games whose values are known by formula."""

import tracemalloc

import numpy as np
import pytest
from scipy.stats import spearmanr

from explainers.perturbation.coalition_weights import binomial_size_distribution
from explainers.perturbation.estimators import (
    DECAY,
    ROWS,
    _blocks,
    _covariance,
    _shares,
    first_frame_memory_estimate,
    keep_one_segment_effects,
    kernel_shap_values,
    leave_one_out_effects,
    leave_one_out_residuals,
    lime_coefficients,
    rise_values,
    surrogate_shap_values,
)
from tests.explainers.coalition_games import Game, drawn, enumerated, random_game

SHAPLEY = (kernel_shap_values, surrogate_shap_values)


@pytest.mark.parametrize("estimate", SHAPLEY)
def test_shapley_values_of_an_enumerated_game(estimate) -> None:
    game, sample = random_game(10, 6, 40), enumerated(10)
    np.testing.assert_allclose(estimate(sample, game.values(sample.masks)), game.shapley, atol=1e-12)


def test_lime_without_kernel_and_ridge_is_the_banzhaf_value(monkeypatch: pytest.MonkeyPatch) -> None:
    game, sample = random_game(10, 6, 40), enumerated(10)
    monkeypatch.setattr("explainers.perturbation.estimators.lime_size_weights", binomial_size_distribution)
    np.testing.assert_allclose(lime_coefficients(sample, game.values(sample.masks), ridge=0), game.banzhaf, atol=1e-12)


def test_lime_without_ridge_comes_to_its_limit() -> None:
    game, sample = random_game(10, 6, 40), enumerated(10)
    np.testing.assert_allclose(lime_coefficients(sample, game.values(sample.masks), ridge=0), game.lime_limit(), atol=1e-9)


def test_rise_is_half_the_banzhaf_value_and_the_mean_gain_of_being_shown() -> None:
    game, sample = random_game(10, 6, 40), enumerated(10)
    values = game.values(sample.masks)
    found = rise_values(sample, values)
    np.testing.assert_allclose(found, game.banzhaf / 2, atol=1e-12)
    np.testing.assert_allclose(found, [values[sample.masks[:, i] == 1].mean() - values.mean() for i in range(10)], atol=1e-12)


def test_leave_one_out_and_keep_only() -> None:
    game, sample = random_game(12, 5, 30), drawn(12, 26, 0)
    values = game.values(sample.masks)
    np.testing.assert_allclose(leave_one_out_effects(sample, values), game.leave_one_out, atol=1e-12)
    np.testing.assert_allclose(keep_one_segment_effects(sample, values), [game.terms[(i,)] for i in range(12)], atol=1e-12)


def test_the_first_frame_is_exact_for_pairwise_interactions() -> None:
    game, sample = random_game(15, 2, 40), drawn(15, 32, 0)
    np.testing.assert_allclose(first_frame_memory_estimate(sample, game.values(sample.masks)), game.shapley, atol=1e-12)
    np.testing.assert_allclose(game.shapley, game.banzhaf, atol=1e-12)


@pytest.mark.parametrize("estimate", [*SHAPLEY, first_frame_memory_estimate])
@pytest.mark.parametrize("evaluations", [82, 120, 400])
def test_efficiency_is_exact_whatever_was_asked(estimate, evaluations: int) -> None:
    game, sample = random_game(40, 8, 80), drawn(40, evaluations, 1)
    values = game.values(sample.masks)
    assert estimate(sample, values).sum() == pytest.approx(values[1] - values[0], abs=1e-9)


@pytest.mark.parametrize("estimate", SHAPLEY)
def test_a_straight_line_is_found_from_any_sample(estimate) -> None:
    game, sample = random_game(20, 2, 0), drawn(20, 120, 2)
    np.testing.assert_allclose(estimate(sample, game.values(sample.masks)), game.shapley, atol=0.01)


@pytest.mark.parametrize("estimate", [*SHAPLEY, lime_coefficients, rise_values])
def test_estimates_are_linear_in_the_answers(estimate) -> None:
    sample = drawn(15, 200, 0)
    a, b = (random_game(15, 6, 30, seed=seed).values(sample.masks) for seed in (1, 2))
    np.testing.assert_allclose(estimate(sample, 2 * a - b), 2 * estimate(sample, a) - estimate(sample, b), atol=1e-9)


@pytest.mark.parametrize("estimate", [*SHAPLEY, rise_values])
def test_symmetry_and_dummy_in_an_enumerated_game(estimate) -> None:
    game = Game(8, {(0,): 1.0, (1,): 1.0, (0, 2): 2.0, (1, 2): 2.0, (3, 4, 5): -1.5})
    sample = enumerated(8)
    found = estimate(sample, game.values(sample.masks))
    assert found[0] == pytest.approx(found[1], abs=1e-12)
    assert found[3] == pytest.approx(found[4], abs=1e-12)
    np.testing.assert_allclose(found[6:], 0, atol=1e-12)


@pytest.mark.parametrize("estimate", [*SHAPLEY, lime_coefficients, rise_values])
def test_names_of_segments_do_not_matter(estimate) -> None:
    game, sample = random_game(14, 5, 30), drawn(14, 180, 3)
    order = np.random.default_rng(0).permutation(14)
    renamed = type(sample)(sample.masks[:, order], sample.logits, sample.enumerated, sample.size_chances)
    values = game.values(sample.masks)
    np.testing.assert_allclose(estimate(renamed, values), estimate(sample, values)[order], atol=1e-9)


def test_the_surrogate_integral_is_the_shapley_value_of_its_own_smooth_game() -> None:
    centre = np.array([1, 1, 0, 1, 0, 0.0])
    sample = enumerated(6)
    values = np.exp(-DECAY / 6 * np.abs(sample.masks - centre).sum(1))
    shown, hidden = _shares(6)
    expected = np.where(centre == 1, shown[3], -hidden[3])
    np.testing.assert_allclose(kernel_shap_values(sample, values), expected, atol=1e-12)


def test_what_is_left_out_is_predicted_from_the_others() -> None:
    """Against a fit without the answer: its smooth game's mean, read off at the mask, worked out afresh."""
    game, sample = random_game(10, 4, 20), drawn(10, 60, 0)
    values = game.values(sample.masks)
    covariance, row = _covariance(sample), 37
    others = np.delete(np.arange(60), row)
    predicted = covariance[row, others] @ np.linalg.solve(covariance[np.ix_(others, others)], values[others] - values[0]) + values[0]
    assert leave_one_out_residuals(sample, values)[row] == pytest.approx(values[row] - predicted, abs=1e-8)


def test_memory_of_the_surrogate_is_bounded_whatever_the_answers() -> None:
    """Beyond the masks themselves: 10,000 answers' own covariances would take 800 MB, and as much again for each step of the solve."""
    peaks = {}
    for evaluations in (ROWS, 10_000):
        sample = drawn(20, evaluations, 0)
        values = random_game(20, 6, 40).values(sample.masks)
        for rule in (surrogate_shap_values, leave_one_out_residuals):
            tracemalloc.start()
            rule(sample, values)
            peaks[rule.__name__, evaluations] = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
    for name in ("surrogate_shap_values", "leave_one_out_residuals"):
        assert 30 < peaks[name, ROWS] < 250
        assert peaks[name, 10_000] < peaks[name, ROWS] + 30


def test_blocks_hold_every_draw_and_the_first_frame_and_make_the_estimate_better() -> None:
    game, errors = random_game(16, 6, 60), {}
    for evaluations in (1000, ROWS, ROWS + 2, 3 * ROWS):
        sample = drawn(16, evaluations, 0)
        blocks = _blocks(sample)
        assert set(np.concatenate(blocks)) == set(range(sample.pairs))
        assert all(set(range(16)) <= set(pairs) and len(pairs) <= ROWS // 2 - 1 for pairs in blocks)
        assert len(blocks) == {1000: 1, ROWS: 1, ROWS + 2: 2, 3 * ROWS: 4}[evaluations]
        errors[evaluations] = np.abs(surrogate_shap_values(sample, game.values(sample.masks)) - game.shapley).max()
    assert errors[3 * ROWS] < 0.8 * errors[ROWS]
    assert errors[ROWS + 2] < 1.1 * errors[ROWS] < errors[1000]


def test_errors_at_400_evaluations_of_40_segments() -> None:
    """From the masks as they are drawn. Kernel SHAP would have .18 if half of the sizes were uniform; the surrogate does not need that."""
    found: dict[str, list[float]] = {"shap": [], "lime": [], "rise": [], "surrogate": []}
    ranks: list[float] = []
    for seed in range(6):
        game, sample = random_game(40, 4, 40, seed), drawn(40, 400, seed)
        values = game.values(sample.masks)
        for name, reading, truth in (
            ("shap", kernel_shap_values(sample, values), game.shapley),
            ("surrogate", surrogate_shap_values(sample, values), game.shapley),
            ("lime", lime_coefficients(sample, values, 0), game.lime_limit()),
            ("rise", 2 * rise_values(sample, values), game.banzhaf),
        ):
            found[name].append(float(np.sqrt(((reading - truth) ** 2).mean() / truth.var())))
        ranks.append(spearmanr(kernel_shap_values(sample, values), game.shapley)[0])
    means = {name: np.mean(errors) for name, errors in found.items()}
    assert means["shap"] < 0.25
    assert means["lime"] < 0.22
    assert means["rise"] < 0.2
    assert means["surrogate"] < 0.8 * means["shap"]
    assert np.mean(ranks) > 0.95
