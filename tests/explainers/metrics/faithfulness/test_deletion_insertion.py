"""Deletion and insertion by hand, and on the glass box by its formula."""

from functools import cache

import numpy as np
import pytest

from explainers.evaluator import EvaluationStopped
from explainers.explanation_case import Case, ExplanationSettings
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.faithfulness.deletion_insertion import (
    FILL,
    RANDOM,
    DeletionPlan,
    area_under_curve,
    measure_deletion_curves,
    pixels_by_importance,
    random_pixel_order,
    visible_pixel_mask,
)
from explainers.metrics.faithfulness.transplants import transplant_tests
from tests.explainers.toy_classifiers import Toy, ToyScore, detectors, picture


@cache
def glass_box() -> tuple:
    """A picture of patches in front of the glass box, and the logits of any picture by the formula."""
    from models.classifiers.score import Score
    from models.datasets.synthetic.glass_box import BIAS, NAMES, draw_colour_patches, exact_pixel_evidence
    from models.loading import load_classifier

    found = draw_colour_patches(5, "red")
    case = Case(load_classifier("glass_box"), found.image, Score(NAMES.index("red")), ExplanationSettings())
    return case, lambda image: exact_pixel_evidence(image).sum((0, 1)) + BIAS


def toy_case() -> Case:
    toy = detectors()
    return Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings())


def test_area_by_hand() -> None:
    assert area_under_curve(np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5)
    assert area_under_curve(np.array([1.0, 0.2, 0.2])) == pytest.approx((1.4 - 0.5 - 0.1) / 2)


def test_the_order_goes_down_and_shares_ties_by_chance() -> None:
    values = np.array([[0.0, 3], [3, 5]], np.float32)
    found = pixels_by_importance(values, (2, 2), 0)
    assert found[0] == 3
    assert set(found[1:3].tolist()) == {1, 2}
    assert found[3] == 0
    many = np.zeros((16, 16), np.float32)
    assert not np.array_equal(pixels_by_importance(many, (16, 16), 0), np.arange(256)), "ties do not come row by row"
    assert np.array_equal(pixels_by_importance(many, (16, 16), 0), pixels_by_importance(many + 3, (16, 16), 0))


def test_masks_by_hand() -> None:
    pixels = np.array([3, 1, 2, 0])
    assert visible_pixel_mask(pixels, (2, 2), 1, 4, "deletion").tolist() == [[1, 1], [1, 0]]
    assert visible_pixel_mask(pixels, (2, 2), 3, 4, "insertion").tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(("kind", "substrate"), list(FILL))
def test_the_glass_box_gives_its_closed_form(kind, substrate) -> None:
    """Every pixel counts for itself: the logits along the way are sums of exact evidence of the picture's and the fill's pixels."""
    case, logits_of = glass_box()
    values = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    (found,) = measure_deletion_curves(case, {"map": values}, DeletionPlan((kind,), (substrate,), 7, 0))
    fill, pixels = case.filled(FILL[kind, substrate]), pixels_by_importance(values, case.size, case.seed)
    shown = [visible_pixel_mask(pixels, case.size, step, 7, kind)[..., None] for step in range(8)]
    logits = np.stack([logits_of(mask * case.image + (1 - mask) * fill) for mask in shown])
    powers = np.exp(logits - logits.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(found[0].probabilities, expected, atol=1e-4)
    assert found[0].area == pytest.approx(area_under_curve(expected[:, case.score.target]), abs=1e-4)


def test_the_exact_evidence_beats_chance() -> None:
    from models.datasets.synthetic.glass_box import exact_pixel_evidence

    case, _ = glass_box()
    truth = exact_pixel_evidence(case.image)[..., case.score.target].astype(np.float32)
    for found in measure_deletion_curves(case, {"truth": truth}, DeletionPlan(steps=14)):
        areas = {curve.title: curve.area for curve in found}
        best = min if found[0].kind == "deletion" else max
        assert best(areas, key=areas.get) == "truth"


def test_the_cost_is_known_before_and_kept_to_in_full_batches() -> None:
    case, plan = toy_case(), DeletionPlan(randoms=0)
    maps = {f"map {n}": np.random.default_rng(n).random(case.size).astype(np.float32) for n in range(7)}
    for found in measure_deletion_curves(case, maps, plan):
        assert len(found) == 7
    asked = sum(case.classifier.asked.batches)
    assert asked <= plan.cost(7) <= 28 * 7 * 2 * 2
    assert np.mean(case.classifier.asked.batches) > 20, "batches are full across methods"


def test_equal_maps_are_evaluated_once_whatever_their_scale() -> None:
    case = toy_case()
    values = np.random.default_rng(0).random(case.size).astype(np.float32)
    values.flags.writeable = False
    found = next(iter(measure_deletion_curves(case, {"a": values}, DeletionPlan(randoms=0))))
    before = case.evaluations
    again = next(iter(measure_deletion_curves(case, {"a": values, "b": values * 7, "c": values / 3}, DeletionPlan(randoms=0))))
    assert case.evaluations == before
    assert {curve.area for curve in again} == {found[0].area}


def test_random_orders_keep_cells_together() -> None:
    first = random_pixel_order((112, 112), 0)[:256]
    assert len({(pixel // 112 // 16, pixel % 112 // 16) for pixel in first.tolist()}) == 1
    assert sorted(random_pixel_order((112, 112), 0).tolist()) == list(range(112 * 112))


def test_the_curves_say_which_are_random() -> None:
    curves = next(iter(measure_deletion_curves(toy_case(), {}, DeletionPlan(steps=4))))
    assert sum(curve.random and curve.title.startswith(RANDOM) for curve in curves) == 3


def test_maps_that_tie_are_no_defeats() -> None:
    """The class's logit is far above the other's whatever is shown, so that no order moves the probability."""
    from explainers.metrics.faithfulness.road import road_scores

    sure = Toy((16, 16), lambda x: np.stack([x.mean((1, 2, 3)) + 60, np.zeros(len(x))], 1), lambda x: np.zeros((2, *x.shape)))
    case = Case(sure, picture(sure.size), ToyScore(0, "probability"), ExplanationSettings(preset="Fast"))
    values = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    share = np.full((7, 7), 1 / 49)
    others = np.random.default_rng(1).dirichlet(np.ones(49), 31).reshape(-1, 7, 7)
    library = MapLibrary({}, tuple(map(str, range(31))), {"m": others})
    for rank in transplant_tests(case, "m", share, library, DeletionPlan(steps=4)):
        assert (rank.better, rank.ties, rank.conclusive, rank.share) == (0, 30, False, 0.5)
    (found,) = road_scores(case, {"m": values})
    assert found.value == pytest.approx(0, abs=1e-4)
    assert "Cannot be told" in found.remark


def test_a_stop_is_heard() -> None:
    case = toy_case()
    case.stop()
    with pytest.raises(EvaluationStopped):
        next(iter(measure_deletion_curves(case, {"a": np.ones((2, 2), np.float32)})))
