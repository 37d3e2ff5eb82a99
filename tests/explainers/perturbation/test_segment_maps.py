"""When maps of a growing pool are drawn, and how their errors and what is missing are told."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from explainers.explanation_case import Case, ExplanationSettings
from explainers.perturbation.blas_threads import limit_blas_to_one_thread
from explainers.perturbation.estimators import kernel_shap_values, surrogate_shap_values
from explainers.perturbation.segment_maps import (
    ALL_EQUAL,
    evaluation_milestones,
    evaluations_until_convergence,
    jackknife_standard_errors,
    refine_segment_maps,
    split_half_estimates,
)
from tests.explainers.coalition_games import Game, cell_classifier, drawn, random_game
from tests.explainers.toy_classifiers import ToyScore, picture


def test_maps_are_drawn_at_doublings_and_at_the_budget() -> None:
    assert evaluation_milestones(42, 500) == [128, 256, 500]
    assert evaluation_milestones(42, 128) == [128]
    assert evaluation_milestones(300, 2000) == [512, 1024, 2000]
    assert evaluation_milestones(2, 20) == [20]


def test_what_is_missing_grows_with_the_square_of_the_error() -> None:
    """An error of twice the threshold needs four times the evaluations: 500 -> 2000, so 2000 more to one digit, upwards."""
    assert evaluations_until_convergence(500, 0.1) == 2000
    assert evaluations_until_convergence(500, 0.051) == 30
    assert evaluations_until_convergence(1000, 0.5) == 100_000


@pytest.mark.parametrize("estimate", [kernel_shap_values, surrogate_shap_values])
def test_standard_errors_are_those_between_runs(estimate) -> None:
    """The jackknife of one run against the spread of twenty."""
    game = random_game(16, 5, 40)
    runs = [drawn(16, 300, seed) for seed in range(20)]
    spread = np.std([estimate(sample, game.values(sample.masks)) for sample in runs], axis=0, ddof=1)
    told = [jackknife_standard_errors(sample, game.values(sample.masks), estimate, 0) for sample in runs[:5]]
    ratio = np.sqrt(np.mean(np.square(told)) / np.mean(spread**2))
    assert 0.8 < ratio < 1.5


def test_a_straight_line_has_no_error() -> None:
    game, sample = random_game(12, 2, 0), drawn(12, 120, 0)
    np.testing.assert_allclose(jackknife_standard_errors(sample, game.values(sample.masks), kernel_shap_values, 0), 0, atol=1e-9)


def test_halves_of_a_pool_agree_better_the_larger_it_is() -> None:
    game = random_game(16, 5, 40)
    agreement = []
    for evaluations in (120, 2000):
        sample = drawn(16, evaluations, 0)
        agreement.append(np.corrcoef(*split_half_estimates(sample, game.values(sample.masks), kernel_shap_values, 0))[0, 1])
    assert agreement[1] > agreement[0]
    assert agreement[1] > 0.9


def test_solves_on_one_thread_give_the_same_and_leave_the_threads_as_they_were() -> None:
    game, sample = random_game(16, 5, 40), drawn(16, 300, 0)
    before = _blas_threads()
    with limit_blas_to_one_thread():
        assert _blas_threads() == [1] * len(before)
        alone = jackknife_standard_errors(sample, game.values(sample.masks), surrogate_shap_values, 0)
    assert _blas_threads() == before
    np.testing.assert_allclose(
        alone, jackknife_standard_errors(sample, game.values(sample.masks), surrogate_shap_values, 0), rtol=1e-6, atol=1e-9
    )


def _blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_a_map_without_any_range_does_not_claim_to_have_converged() -> None:
    toy = cell_classifier([Game(20, {(): 1.0})] * 2, (4, 5))
    case = Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings(budget=200))
    last = list(refine_segment_maps(case, kernel_shap_values))[-1]
    assert np.ptp(last.values) == 0
    assert not last.converged
    assert last.remark == ALL_EQUAL
    assert not last.more_helps
