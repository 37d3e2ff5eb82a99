"""One pool serves LIME, SHAP and RISE and every class; its draws are paired, seeded, counted and weighted without bias."""

import numpy as np
import pytest

from explainers.explanation_case import Case, EvaluationStopped, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods.lime import LIME
from explainers.methods.rise import RISE
from explainers.methods.shap import SHAP
from explainers.perturbation.coalition_weights import (
    binomial_size_distribution,
    coalitions_per_size,
    kernel_shap_size_weights,
    lime_size_weights,
    sampling_size_distribution,
)
from explainers.perturbation.coalitions import CoalitionPool, CoalitionSample, shared_coalition_pool
from tests.explainers.coalition_games import Game, drawn, enumerated
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


def case_of(segments: int, budget: int = 200, seed: int = 0) -> Case:
    toy = detectors()
    return Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(segments=segments, budget=budget, seed=seed))


def test_the_first_frame_shows_each_segment_alone_and_hides_each_alone() -> None:
    pool = shared_coalition_pool(case_of(16))
    sample = pool.grow(pool.first)
    m = sample.parts
    assert sample.logits.shape == (2 * m + 2, 3)
    np.testing.assert_array_equal(sample.masks[:2], [np.zeros(m), np.ones(m)])
    np.testing.assert_array_equal(sample.masks[2::2], np.eye(m))
    np.testing.assert_array_equal(sample.masks[3::2], 1 - np.eye(m))
    assert sample.enumerated.all()
    assert not sample.complete


def test_draws_come_as_complementary_pairs_of_sizes_not_yet_asked_whole() -> None:
    sample = shared_coalition_pool(case_of(16)).grow(150)
    np.testing.assert_array_equal(sample.masks[2::2] + sample.masks[3::2], 1)
    sizes = sample.masks[~sample.enumerated].sum(1)
    assert sizes.min() >= 2
    assert sizes.max() <= sample.parts - 2


def test_answers_are_those_of_the_masked_picture() -> None:
    case = case_of(16)
    sample = shared_coalition_pool(case).grow(60)
    shown = sample.masks[50][case.segments][..., None]
    mixed = shown * case.image + (1 - shown) * case.fill_image
    np.testing.assert_allclose(sample.logits[50], case.outputs(mixed[None].astype(np.float32))[0], atol=1e-5)


def test_a_larger_pool_begins_with_the_smaller_and_asks_only_for_what_is_missing() -> None:
    case = case_of(16)
    small = shared_coalition_pool(case).grow(80)
    before = case.evaluations
    large = shared_coalition_pool(case).grow(120)
    assert case.evaluations - before == 40
    np.testing.assert_array_equal(large.masks[:80], small.masks)
    np.testing.assert_array_equal(shared_coalition_pool(case).grow(80).logits, small.logits)
    assert case.evaluations - before == 40


def test_whoever_asks_first_pays_and_the_next_borrows() -> None:
    case = case_of(16)
    case.counter.caller = "first"
    shared_coalition_pool(case).grow(80)
    case.counter.caller = "second"
    shared_coalition_pool(case).grow(100)
    assert case.counter.evaluations == {"first": 80, "second": 20}
    assert case.counter.reused("first") == 0
    assert case.counter.reused("second") == 80, "the two ends among them"


def test_all_that_rest_on_the_pool_count_the_same_answers() -> None:
    case = case_of(16, budget=100)
    last = {result.method.title: result for result in run_methods(case, [LIME(), SHAP(), RISE()])}
    assert {title: result.evaluations + result.shared for title, result in last.items()} == {"LIME": 100, "SHAP": 100, "RISE": 100}
    assert sum(result.evaluations for result in last.values()) == case.evaluations == 100


@pytest.mark.parametrize("budget", [17, 43, 121])
def test_an_odd_budget_is_rounded_down_to_whole_pairs(budget: int) -> None:
    case = case_of(16, budget=budget)
    assert len(shared_coalition_pool(case).grow(budget).masks) == case.evaluations == budget - 1


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    one, same, other = (shared_coalition_pool(case_of(16, seed=seed)).grow(150).masks for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_what_was_drawn_before_a_stop_is_asked_after_it() -> None:
    case, unbroken = case_of(8, budget=256), case_of(8, budget=256)
    pool = shared_coalition_pool(case)
    case.stop()
    with pytest.raises(EvaluationStopped):
        pool.grow(100)
    other = case.with_score(case.score)
    assert pool.grow(20, other).masks == pytest.approx(shared_coalition_pool(unbroken).grow(20).masks)
    assert pool.grow(2**pool.parts, other).complete


def test_another_target_costs_no_evaluation() -> None:
    case = case_of(16)
    shared_coalition_pool(case).grow(120)
    before = case.evaluations
    assert shared_coalition_pool(case.with_score(ToyScore(2, "centred"))).grow(120).logits is not None
    assert case.evaluations == before


def test_few_segments_are_asked_about_in_every_combination() -> None:
    pool = shared_coalition_pool(case_of(6, budget=5000))
    sample = pool.grow(5000)
    assert sample.complete
    assert len(np.unique(sample.masks, axis=0)) == 2**sample.parts == len(sample.masks)


def test_two_segments_make_four_questions() -> None:
    toy = detectors(grid=(1, 2), cell=4)
    image = np.zeros((4, 8, 3), np.float32)
    image[:, 4:] = 1
    sample = shared_coalition_pool(Case(toy, image, ToyScore(0), ExplanationSettings(segments=2))).grow(100)
    assert sample.masks.tolist() == [[0, 0], [1, 1], [1, 0], [0, 1]]


def test_a_budget_below_the_first_frame_draws_at_once() -> None:
    pool = shared_coalition_pool(case_of(16, budget=20))
    assert not pool.has_frame
    sample = pool.grow(20)
    assert len(sample.masks) == 20
    assert sample.enumerated.sum() == 2


@pytest.mark.parametrize("mass", [kernel_shap_size_weights, lime_size_weights, binomial_size_distribution])
def test_weights_spread_the_whole_mass_over_a_complete_sample(mass) -> None:
    sample = enumerated(6)
    sizes = sample.masks.sum(1).astype(int)
    np.testing.assert_allclose(sample.weights(mass(6)), (mass(6) / coalitions_per_size(6))[sizes], rtol=1e-12)


def test_weights_of_draws_have_the_whole_mass_on_average() -> None:
    mass = kernel_shap_size_weights(10)
    totals = [drawn(10, 200, seed).weights(mass).sum() for seed in range(50)]
    assert np.mean(totals) == pytest.approx(1, abs=0.01)


def test_size_laws_by_hand() -> None:
    np.testing.assert_allclose(coalitions_per_size(4), [1, 4, 6, 4, 1])
    np.testing.assert_allclose(binomial_size_distribution(4), np.array([1, 4, 6, 4, 1]) / 16)
    np.testing.assert_allclose(kernel_shap_size_weights(4), np.array([0, 4, 3, 4, 0]) / 11)
    np.testing.assert_allclose(sampling_size_distribution(5, True, 0.5), [0, 0, 0.5, 0.5, 0, 0])
    np.testing.assert_allclose(
        sampling_size_distribution(5, False, 0.5),
        [0, (0.25 + 5 / 30) / 2, (0.25 + 10 / 30) / 2, (0.25 + 10 / 30) / 2, (0.25 + 5 / 30) / 2, 0],
    )
    assert not sampling_size_distribution(3, True).any()


def test_halves_are_disjoint_and_keep_pairs_together() -> None:
    sample = drawn(12, 126, 0)
    first, second = sample.groups(2, seed=1)
    assert sorted([*first, *second]) == list(range(sample.pairs))
    for pairs in (first, second):
        kept = sample.keep(pairs)
        assert len(kept.masks) == 2 + 2 * len(pairs)
        np.testing.assert_array_equal(kept.masks[2::2] + kept.masks[3::2], 1)
    assert abs(sample.keep(first).enumerated.sum() - sample.keep(second).enumerated.sum()) <= 2


def test_pools_pickle_nothing_of_the_score() -> None:
    case = case_of(12)
    assert isinstance(shared_coalition_pool(case), CoalitionPool)
    assert shared_coalition_pool(case.with_score(ToyScore(0))) is shared_coalition_pool(case)
    assert isinstance(shared_coalition_pool(case).grow(30), CoalitionSample)
    assert Game(2, {(0,): 1.0}).values(np.eye(2)).tolist() == [1.0, 0.0]


def test_a_retargeted_case_draws_on_after_the_first_was_stopped() -> None:
    case = case_of(16)
    next(iter(SHAP()(case)))
    case.stop()
    other = case.with_score(ToyScore(1))
    assert list(SHAP()(other))[-1].halves is not None
    with pytest.raises(EvaluationStopped):
        case.outputs(case.image[None])
