"""Hiding a place, against a classifier that is linear in the picture: what every hiding costs is a sum that can be written down."""

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import MethodResult
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.metrics.faithfulness import hidden_place
from explainers.metrics.faithfulness.hidden_place import (
    COMPARED,
    CONTROLS,
    INPAINTING,
    HiddenConsensusMetric,
    HiddenPlaceOutcome,
    HiddenPlacesMetric,
)
from tests.explainers.toy_classifiers import Toy, ToyScore, picture

SIZE = (64, 48)


def linear(weights: np.ndarray, bias: float = 0.0) -> Toy:
    """Logits (sum of weights (H, W) times the mean colour, bias)."""

    def logits_of(images: np.ndarray) -> np.ndarray:
        return np.stack([(images.mean(-1) * weights).sum((1, 2)), np.full(len(images), bias)], axis=1)

    return Toy(weights.shape, logits_of, lambda image: np.stack([weights[..., None] / 3 * np.ones(3), np.zeros((*weights.shape, 3))]))


def block(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[rows, columns] = True
    return mask


def case_of(weights: np.ndarray, bias: float = 0.0, fill: str = "black") -> Case:
    return Case(linear(weights, bias), picture(SIZE), ToyScore(0), ExplanationSettings(preset="Fast", fill=fill))


def results_of(*maps: np.ndarray) -> list[MethodResult]:
    methods = (LIME(), GradCAM())
    return [MethodResult(method, Attribution(values.astype(np.float32)), done=True) for method, values in zip(methods, maps, strict=False)]


def test_every_fall_is_the_sum_of_what_was_hidden() -> None:
    weights = np.random.default_rng(0).normal(size=SIZE)
    place, case = block(slice(10, 26), slice(8, 20)), case_of(weights)
    found = hidden_place.measure_hidden_place(case, "m", place)
    evidence = weights * case.image.mean(-1)
    assert found.fall == pytest.approx(evidence[place].sum(), abs=1e-4)
    others = [evidence[each].sum() for each in hidden_place.displaced_place_copies(place, CONTROLS, 0)]
    np.testing.assert_allclose(found.others, others, atol=1e-4)
    assert found.more_than == sum(found.fall > other for other in others)
    assert found.area == pytest.approx(place.mean())
    assert case.evaluations == 1 + 1 + CONTROLS <= hidden_place.evaluations_of_hidden_places(1)


def test_the_probabilities_are_those_of_the_hidden_picture() -> None:
    weights, place = np.zeros(SIZE), block(slice(0, 16), slice(0, 16))
    weights[place] = 0.03
    case = case_of(weights, bias=1.0)
    logit = (weights * case.image.mean(-1)).sum()
    found = hidden_place.measure_hidden_place(case, "m", place)
    assert found.before == pytest.approx(1 / (1 + np.exp(1 - logit)), abs=1e-5)
    assert found.after == pytest.approx(1 / (1 + np.exp(1)), abs=1e-5)
    assert (found.answer_before, found.answer) == (0, 1)


def test_the_evidence_is_distinguished_from_a_place_next_to_it() -> None:
    weights, place = np.zeros(SIZE), block(slice(0, 16), slice(0, 16))
    weights[place] = 0.05
    assert hidden_place.measure_hidden_place(case_of(weights, 1.0), "m", place).outcome == HiddenPlaceOutcome.FOLLOWS
    assert hidden_place.measure_hidden_place(case_of(weights, 1.0), "m", place).p == pytest.approx(1 / 21)
    assert (
        hidden_place.measure_hidden_place(case_of(weights, 1.0), "m", block(slice(48, 64), slice(32, 48))).outcome
        == HiddenPlaceOutcome.NO_MORE
    )
    sure = hidden_place.measure_hidden_place(case_of(10 * weights, -20.0), "m", place)
    assert (sure.outcome, sure.more_than) == (HiddenPlaceOutcome.STAYS, CONTROLS), (
        "it counts more than elsewhere, and the answer stays all the same"
    )


def test_where_nothing_matters_no_place_matters_more() -> None:
    found = hidden_place.measure_hidden_place(case_of(np.zeros(SIZE)), "m", block(slice(0, 16), slice(0, 16)))
    assert (found.more_than, found.p, found.outcome) == (0, 1.0, HiddenPlaceOutcome.NO_MORE)


def test_a_place_without_knowledge_beats_all_others_as_rarely_as_chance_says() -> None:
    """One in 21: with 420 places 20 are expected, and more than 34 or fewer than 8 would be one chance in a thousand."""
    rng, first = np.random.default_rng(1), 0
    for trial in range(420):
        weights = rng.normal(size=SIZE)
        evidence = weights * 0.5
        down, right = int(rng.integers(48)), int(rng.integers(32))
        place = block(slice(down, down + 16), slice(right, right + 16))
        falls = [evidence[each].sum() for each in (place, *hidden_place.displaced_place_copies(place, CONTROLS, trial))]
        first += falls[0] > max(falls[1:])
    assert 8 <= first <= 34


PLACES = (block(slice(0, 8), slice(0, 48)), block(slice(20, 40), slice(10, 30)), block(slice(0, 60), slice(0, 44)))


@pytest.mark.parametrize("place", PLACES)
def test_other_places_have_the_shape_and_lie_elsewhere(place: np.ndarray) -> None:
    found = hidden_place.displaced_place_copies(place, CONTROLS, 3)
    assert len(found) == CONTROLS
    assert {int(each.sum()) for each in found} == {int(place.sum())}
    common = np.array([(each & place).sum() for each in found])
    if place.mean() < 0.2:
        assert common.max() <= 0.1 * place.sum() + 0.5
    else:  # so large that every other place lies on it
        assert common.max() < place.sum()
    assert all((a == b).all() for a, b in zip(found, hidden_place.displaced_place_copies(place, CONTROLS, 3), strict=True))


def test_the_strongest_place_holds_a_tenth_also_where_cells_tie() -> None:
    share = np.zeros((10, 10))
    share[2:7, 2:7] = 1 / 25
    place = hidden_place.strongest_place(share, (100, 100))
    assert place.sum() == 10 * 100
    assert place[20:70, 20:70].sum() == 10 * 100
    assert place[40:50, 40:50].all(), "the middle of a segment before its rim"
    share[:] = 0
    share[0, 0], share[9, 9] = 0.7, 0.3
    assert hidden_place.strongest_place(share, (100, 100)).sum() == 200, "cells without evidence never belong"


@pytest.mark.parametrize("fill", COMPARED)
def test_each_way_of_hiding(fill: str) -> None:
    """Inpainting leaves an even picture as it is but for its noise, and so do the blur and the mean colour."""
    weights = np.ones(SIZE) * 0.01
    even = Case(linear(weights), np.full((*SIZE, 3), 0.5, np.float32), ToyScore(0), ExplanationSettings(preset="Fast"))
    found = hidden_place.measure_hidden_place(even, "m", block(slice(0, 16), slice(0, 16)), fill)
    assert found.fill == fill
    assert found.fall == pytest.approx(0, abs=0.01)
    assert found.outcome == HiddenPlaceOutcome.NO_MORE or fill == INPAINTING


def test_the_metric_hides_what_the_maps_share() -> None:
    weights, map_of = np.zeros(SIZE), np.full(SIZE, 0.01)
    weights[:16, :16] = 0.05
    map_of[:16, :16] = 1
    case, results = case_of(weights, 1.0), results_of(map_of, map_of)
    (found,) = HiddenConsensusMetric()(case, results)
    assert found.outcome == HiddenPlaceOutcome.FOLLOWS
    assert case.evaluations <= HiddenConsensusMetric().cost(case, results)
    assert "other places hidden" in HiddenConsensusMetric().sentences("consensus of the families", [found])[0]
    assert list(HiddenConsensusMetric()(case, results_of(-map_of))) == []
    each = list(HiddenPlacesMetric()(case, results))
    assert [(one.title, one.fill) for one in each] == [
        (title, fill) for title in ("consensus of the families", "LIME", "Grad-CAM") for fill in COMPARED
    ]
    assert HiddenPlacesMetric().complete(each, results)
    assert not HiddenPlacesMetric().complete(each[1:], results)
