"""RISE's map is the gain in score of the pictures in which a place was shown, and is free where the pool is there."""

import numpy as np

from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.lime import LIME
from explainers.methods.rise import RISE
from tests.explainers.coalition_games import cell_classifier, random_game
from tests.explainers.toy_classifiers import ToyScore

GRID = (2, 5)


def case_of(budget: int, kind: str = "logit") -> Case:
    toy = cell_classifier([random_game(10, 4, 12, seed) for seed in range(3)], GRID)
    case = Case(toy, np.ones((*toy.size, 3), np.float32), ToyScore(0, kind), ExplanationSettings(segments=10, fill="black", budget=budget))
    rows, columns = np.indices(toy.size) // 8
    case.remember("segments", lambda: rows * GRID[1] + columns)
    return case


def test_the_map_is_half_the_banzhaf_value_by_area() -> None:
    last = list(RISE()(case_of(1024)))[-1]
    np.testing.assert_allclose(last.values[::8, ::8].ravel() * 64, random_game(10, 4, 12, 0).banzhaf / 2, atol=1e-4)
    assert last.uncertainty == 0


def test_it_asks_nothing_that_lime_has_asked() -> None:
    case = case_of(300)
    list(LIME()(case))
    spent = case.evaluations
    maps = list(RISE()(case))
    assert case.evaluations == spent
    assert len(maps) == 4


def test_class_maps_of_centred_logits_sum_to_nothing() -> None:
    case = case_of(200, "centred")
    total = sum(list(RISE()(case.with_score(ToyScore(c, "centred"))))[-1].values for c in range(3))
    np.testing.assert_allclose(total, 0, atol=1e-6)
