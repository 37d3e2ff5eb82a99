"""SHAP's shares are Shapley values, add up exactly, and agree with the `shap` package."""

import re

import numpy as np
import pytest

from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.partition_shap import import_shap
from explainers.methods.shap import SHAP
from explainers.perturbation.estimators import kernel_shap_values, surrogate_shap_values
from tests.explainers.coalition_games import Game, cell_classifier, enumerated, random_game
from tests.explainers.toy_classifiers import ToyScore, detectors, picture

GRID = (2, 5)
BOTH = ("surrogate", "regression")


def case_of(games: list[Game], budget: int = 1024, kind: str = "logit", target: int = 0) -> Case:
    toy = cell_classifier(games, GRID)
    case = Case(
        toy, np.ones((*toy.size, 3), np.float32), ToyScore(target, kind), ExplanationSettings(segments=10, fill="black", budget=budget)
    )
    rows, columns = np.indices(toy.size) // 8
    case.remember("segments", lambda: rows * GRID[1] + columns)
    return case


def games() -> list[Game]:
    return [random_game(10, 5, 20, seed) for seed in range(3)]


@pytest.mark.parametrize("estimate", [kernel_shap_values, surrogate_shap_values])
def test_shares_are_those_of_the_shap_package_on_an_enumerated_game(estimate) -> None:
    game, sample = random_game(8, 5, 20), enumerated(8)
    package = import_shap().KernelExplainer(game.values, np.zeros((1, 8)))
    theirs = package.shap_values(np.ones((1, 8)), nsamples=2**8, l1_reg=False, silent=True)
    np.testing.assert_allclose(estimate(sample, game.values(sample.masks)), theirs[0], atol=1e-6)


@pytest.mark.parametrize("estimator", BOTH)
def test_the_map_is_the_shapley_value_by_area(estimator: str) -> None:
    case = case_of(games())
    last = list(SHAP(estimator)(case))[-1]
    np.testing.assert_allclose(last.values[::8, ::8].ravel() * 64, games()[0].shapley, atol=1e-4)
    assert last.converged
    assert last.uncertainty == 0
    assert last.remark.startswith("Exact")


@pytest.mark.parametrize("estimator", BOTH)
def test_every_map_adds_up_to_what_showing_the_picture_changed(estimator: str) -> None:
    case = case_of(games(), budget=300)
    maps = list(SHAP(estimator)(case))
    assert len(maps) == 4
    for attribution in maps:
        change = case.image_value - float(case.values(case.baseline_logits)[0])
        assert attribution.values.sum(dtype=np.float64) == pytest.approx(change, abs=1e-4)


@pytest.mark.parametrize("estimator", BOTH)
def test_maps_get_better_and_their_error_is_reported(estimator: str) -> None:
    case = case_of(games(), budget=400)
    truth = games()[0].shapley / 64
    maps = list(SHAP(estimator)(case))
    errors = [np.abs(attribution.values[::8, ::8].ravel() - truth).max() / np.ptp(truth) for attribution in maps]
    assert errors[-1] < errors[0]
    assert errors[-1] < 4 * maps[-1].uncertainty


def test_segments_that_show_what_hides_them_get_nothing() -> None:
    case = case_of(games(), budget=2000)
    hidden = np.ones((*case.size, 3), np.float32)
    hidden[:8, :8] = 0
    toy = cell_classifier(games(), GRID)
    black = Case(toy, hidden, ToyScore(0), ExplanationSettings(segments=10, fill="black", budget=2000))
    black.remember("segments", lambda: case.segments)
    np.testing.assert_allclose(list(SHAP()(black))[-1].values[:8, :8], 0, atol=1e-6)


def test_a_sigmoids_two_classes_have_opposite_maps() -> None:
    one = random_game(10, 4, 12, 1)
    other = Game(10, {t: -a for t, a in one.terms.items()})
    maps = [list(SHAP()(case_of([one, other], 200, target=c)))[-1].values for c in (0, 1)]
    np.testing.assert_allclose(maps[0], -maps[1], atol=1e-6)


@pytest.mark.parametrize("estimator", BOTH)
def test_class_maps_of_centred_logits_sum_to_nothing(estimator: str) -> None:
    case = case_of(games(), 200, "centred")
    total = sum(list(SHAP(estimator)(case.with_score(ToyScore(c, "centred"))))[-1].values for c in range(3))
    np.testing.assert_allclose(total, 0, atol=1e-5)


def test_another_target_costs_nothing_and_the_same_seed_gives_the_same_map() -> None:
    toy = detectors()
    case, again = (Case(toy, picture(toy.size), ToyScore(1, "centred"), ExplanationSettings(segments=16, budget=100)) for _ in range(2))
    first = list(SHAP()(case))[-1]
    spent = case.evaluations
    list(SHAP()(case.with_score(ToyScore(2, "centred"))))
    assert case.evaluations == spent <= 100
    np.testing.assert_array_equal(list(SHAP()(again))[-1].values, first.values)


def test_an_unknown_estimator_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="estimator is 'magic'; it must be one of surrogate, regression"):
        SHAP("magic")


def any_of(count: int, budget: int = 500) -> Case:
    """20 segments, of which any of the first `count` is enough."""
    grid = (4, 5)
    toy = cell_classifier([random_game(20, 2, 0)] * 2, grid)

    def enough(images):
        shown = np.rint(images.mean(-1).reshape(len(images), 4, 8, 5, 8).mean((2, 4)).reshape(len(images), 20))
        return np.stack([(shown[:, :count].sum(1) > 0) * 1.0, np.zeros(len(images))], axis=1)

    toy._logits_of = enough
    case = Case(toy, np.ones((*toy.size, 3), np.float32), ToyScore(0), ExplanationSettings(fill="black", budget=budget))
    rows, columns = np.indices(toy.size) // 8
    case.remember("segments", lambda: rows * 5 + columns)
    return case


def test_a_surrogate_that_does_not_follow_the_game_is_not_believed() -> None:
    """Evidence that is there twelve times: no draw hides it all, so runs agree with each other and not with the truth."""
    last = list(SHAP()(any_of(12)))[-1]
    found = last.values[::8, ::8].ravel() * 64
    error = np.abs(found - np.repeat([1 / 12, 0], [12, 8])).max() / np.ptp(found)
    assert error > 0.15
    assert last.uncertainty > 0.8 * error
    assert not last.converged
    assert "does not follow" in last.remark
    assert not last.more_helps


@pytest.mark.parametrize(("budget", "blamed"), [(32, False), (60, False), (80, False), (100, True), (500, True)])
def test_the_game_is_blamed_only_where_the_answers_were_enough_to_follow_it(budget: int, blamed: bool) -> None:
    """20 segments: up to 80 answers are too few to know; what is said instead helps on beyond those."""
    last = list(SHAP()(any_of(12, budget)))[-1]
    assert not last.converged
    assert ("does not follow" in last.remark) == blamed
    assert last.more_helps != blamed
    if not blamed:
        assert int(re.fullmatch(r"Not converged: about ([\d,]+) more evaluations\.", last.remark)[1].replace(",", "")) >= 80 - budget  # type: ignore[index]


def test_a_surrogate_that_follows_the_game_is_reported_as_before() -> None:
    last = list(SHAP()(any_of(3)))[-1]
    assert "does not follow" not in last.remark
