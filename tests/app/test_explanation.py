"""The pipeline that explains one picture: what it calls when, what it reuses, and how it ends."""

from collections.abc import Iterator

import numpy as np
import pytest

from app.explanation import (
    EarlierExplanation,
    Explanation,
    ExplanationPlan,
    FittedPicture,
    estimate_explanation_cost,
    explain_picture,
    fit_picture_to_input,
    largest_budget_within_time,
    method_key,
)
from app.rendering import encode_png
from app.service.evaluation_warmup import MeasuredSpeed
from errors import UserError
from explainers.explanation_case import EvaluationStopped, ExplanationSettings
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.loading import load_classifier

PIXELS = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
FAST = ExplanationSettings(preset="Fast")


@pytest.fixture(scope="module")
def classifier() -> Iterator[KerasClassifier]:
    found = load_classifier("glass_box")
    assert isinstance(found, KerasClassifier)
    return found


def test_bytes_and_pixels_give_the_same_explanation(classifier: KerasClassifier) -> None:
    plan = ExplanationPlan([GradCAM(), LIME()], FAST, Score)
    pixels = (PIXELS / np.float32(255)).astype(np.float32)
    first, second = explain_picture(encode_png(PIXELS), classifier, plan), explain_picture(pixels, classifier, plan)
    assert first.case.score == second.case.score == Score(int(np.argmax(classifier.predict(first.picture.image))))
    for name in ("GradCAM", "LIME"):
        one, other = first.results[name].attribution, second.results[name].attribution
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one.values, other.values, atol=1e-4)
    height, width = classifier.size
    assert first.picture.photo.shape == (640 // max(height, width) * height, 640 // max(height, width) * width, 3)


def test_the_cost_is_known_before_the_first_map_and_every_map_is_passed_on(classifier: KerasClassifier) -> None:
    calls: list[tuple[str, int]] = []
    plan = ExplanationPlan([LIME(), GradCAM()], FAST, Score(1))

    def on_start(found: Explanation) -> None:
        calls.append(("start", len(found.results)))
        assert found.cost == estimate_explanation_cost(plan.methods, found.case)
        assert found.evaluations == 0

    found = explain_picture(encode_png(PIXELS), classifier, plan, on_start, lambda found: calls.append(("map", len(found.results))))
    assert calls[:3] == [("start", 0), ("map", 1), ("map", 2)]
    assert next(iter(found.results)) == method_key(GradCAM()), "the cheap one first"
    assert all(result.done for result in found.results.values())
    assert 0 < found.evaluations == found.case.evaluations <= found.cost.evaluations


def test_nothing_runs_where_the_start_is_refused(classifier: KerasClassifier) -> None:
    def refuse(found: Explanation) -> None:
        raise EvaluationStopped

    found = explain_picture(encode_png(PIXELS), classifier, ExplanationPlan([GradCAM()], FAST, Score(1)), refuse)
    assert (found.results, found.evaluations) == ({}, 0)


def test_the_time_limit_keeps_the_maps_that_are_there(classifier: KerasClassifier) -> None:
    slow = Occlusion(search="fixed windows", window=8, stride=2)
    plan = ExplanationPlan([GradCAM(), slow], ExplanationSettings(preset="Thorough"), Score(1), time_limit=0.0)
    found = explain_picture(encode_png(PIXELS), classifier, plan)
    assert found.results[method_key(slow)].done
    assert found.evaluations < found.cost.evaluations


@pytest.mark.parametrize("speed", [MeasuredSpeed(0.01, 0.03), MeasuredSpeed(0.1, 0.1)])
def test_a_budget_fits_the_time(classifier: KerasClassifier, speed: MeasuredSpeed) -> None:
    methods = [GradCAM(), LIME(), Occlusion()]
    case = explain_picture(encode_png(PIXELS), classifier, ExplanationPlan([GradCAM()], FAST, Score(1))).case.with_budget(500)

    def seconds(budget: int) -> float:
        return estimate_explanation_cost(methods, case.with_budget(budget)).seconds(speed)

    found = largest_budget_within_time(methods, case, speed, 10.0)
    assert seconds(found) <= 10.0 or found == 16
    assert found == 500 or seconds(found + 1) > 10.0, "no larger one fits"
    assert largest_budget_within_time(methods, case, speed, 1e6) == 500
    assert largest_budget_within_time(methods, case, speed, 0.0) == 16


def test_a_run_that_could_not_finish_is_planned_shorter(classifier: KerasClassifier) -> None:
    """The limit is far away; the measured speed says that it would not be."""
    plan = ExplanationPlan([GradCAM(), LIME()], ExplanationSettings(), Score(1), time_limit=3600.0, speed=MeasuredSpeed(36.0, 36.0))
    found = explain_picture(encode_png(PIXELS), classifier, plan)
    assert found.case.budget == 89, "90 % of 3,600 s are 90 pictures of 36 s, one of which is Grad-CAM's"
    assert found.results["LIME"].evaluations + found.results["LIME"].shared in (88, 89), "in pairs"
    assert all(result.done and result.attribution for result in found.results.values())
    again = explain_picture(found.picture, classifier, ExplanationPlan([LIME()], FAST, Score(1)), earlier=EarlierExplanation(found.case))
    assert again.case.budget == 120, "a later run has its own"


def test_more_evaluations_go_to_one_method_and_reuse_the_case(classifier: KerasClassifier) -> None:
    picture = fit_picture_to_input(encode_png(PIXELS), classifier.card)
    first = explain_picture(picture, classifier, ExplanationPlan([GradCAM(), LIME()], FAST, Score(1)))
    spent = first.results["LIME"].evaluations + first.results["LIME"].shared
    plan = ExplanationPlan([GradCAM(), LIME()], FAST, Score(1), further={"LIME": spent + 100})
    more = explain_picture(FittedPicture.of(picture.image), classifier, plan, earlier=EarlierExplanation(first.case, first.results))
    assert more.results["GradCAM"] is first.results["GradCAM"]
    assert more.results["LIME"].evaluations + more.results["LIME"].shared >= spent
    assert more.evaluations <= 110, "what the case knows is not evaluated again"


def test_bad_input_is_refused(classifier: KerasClassifier) -> None:
    with pytest.raises(UserError, match="There is no class 77"):
        explain_picture(encode_png(PIXELS), classifier, ExplanationPlan([GradCAM()], FAST, lambda top: Score(77)))
    with pytest.raises(UserError, match="not a picture"):
        explain_picture(b"<!doctype html><title>404</title>", classifier, ExplanationPlan([GradCAM()], FAST, Score(0)))
