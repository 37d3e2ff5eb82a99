"""Two readings of each method, and what they say about a third."""

import numpy as np
import pytest

from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import MethodResult, run_methods
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from explainers.metrics.robustness.reliability import (
    RepeatedMaps,
    RepeatedReadingSource,
    add_gaussian_noise,
    half_run_maps,
    maps_under_noise,
    pearson_correlation,
    reliability_score,
    reliability_scores,
)
from tests.explainers.toy_classifiers import ToyScore, detectors, picture

A = np.array([[1.0, 0], [0, 0]])
B = np.array([[1.0, 1], [0, 0]])


def test_correlation_by_hand() -> None:
    """A less its mean: (3, -1, -1, -1) / 4; B: (1, 1, -1, -1) / 2; their product 4 over root(12) root(4)."""
    assert pearson_correlation(A, B) == pytest.approx(1 / np.sqrt(3))
    assert pearson_correlation(A, A) == 1
    assert pearson_correlation(A, np.ones((2, 2))) == 0


def test_half_runs_are_weaker_than_the_whole_and_jitters_are_not() -> None:
    r = 1 / np.sqrt(3)
    halves, jitters = (
        reliability_score("m", RepeatedMaps(A, B, RepeatedReadingSource.HALF_RUNS), 100),
        reliability_score("m", RepeatedMaps(A, B, RepeatedReadingSource.JITTERED), 100),
    )
    assert halves.reliability == pytest.approx(2 * r / (1 + r))
    assert halves.converged
    assert jitters.reliability == pytest.approx(r)
    assert not jitters.converged
    assert jitters.further is None
    assert "Not converged: reliability 0.58 of two jittered pictures" in jitters.sentence
    exact = reliability_score("m", RepeatedMaps(A, A, RepeatedReadingSource.EXACT), 1)
    assert (exact.between, exact.reliability, exact.converged) == (None, None, None), "nothing was measured"
    assert "was not asked" in exact.sentence


def test_what_draws_nothing_and_says_itself_that_it_has_not_converged_is_not_measured() -> None:
    values = np.arange(49, dtype=np.float32).reshape(7, 7)
    result = MethodResult(Occlusion(), Attribution(values, uncertainty=0.4, converged=False))
    readings = half_run_maps(result, (112, 112))
    found = reliability_scores([result], {"Occlusion (smoothed)": readings})["Occlusion (smoothed)"]
    assert (found.reliability, found.converged, found.unfinished) == (None, None, True)
    assert "Not measured" in found.sentence
    assert "By its own measure the map has not converged." in found.sentence


def test_the_forecast_turns_the_formula_round() -> None:
    """r = .5 from 100 evaluations: .7 needs k = .7 * .5 / (.5 * .3) = 2.33 times as many, 133 more, said as 200."""
    a = np.array([[3.0, 1, -1, -3]])
    x = np.array([[1.0, -3, 3, -1]])
    b = a / 3 + x * np.sqrt(1 - 1 / 9)
    found = reliability_score("m", RepeatedMaps(a, b, RepeatedReadingSource.HALF_RUNS), 100)
    assert found.between == pytest.approx(1 / 3)
    assert found.reliability == pytest.approx(0.5)
    assert found.further == 200
    assert "about 200 more evaluations" in found.sentence
    assert reliability_score("m", RepeatedMaps(a, -a, RepeatedReadingSource.HALF_RUNS), 100).further is None


def test_readings_of_a_study() -> None:
    toy = detectors(grid=(7, 7), cell=16)
    case = Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))
    last = {result.method.title: result for result in run_methods(case, [GradCAM(), LIME()])}
    assert half_run_maps(last["Grad-CAM"], case.size).how == RepeatedReadingSource.EXACT
    halves = half_run_maps(last["LIME"], case.size)
    assert halves.how == RepeatedReadingSource.HALF_RUNS
    assert not np.array_equal(halves.first, halves.second)
    assert half_run_maps(MethodResult(LIME(), None, error="failed"), case.size) is None
    assert half_run_maps(MethodResult(LIME(), Attribution(np.zeros((7, 7), np.float32), blank="Nothing moved.")), case.size) is None


def test_noise_is_invisible_counted_and_different_each_time() -> None:
    toy = detectors(grid=(7, 7), cell=16)
    case = Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))
    before = case.evaluations
    found = dict(maps_under_noise(case, [GradCAM(), Occlusion()]))
    assert list(found) == ["Grad-CAM", "Occlusion (smoothed)"]
    assert case.evaluations - before == sum(toy.asked.batches) > 2
    assert 0.9 < reliability_score("g", found["Grad-CAM"], 1).reliability < 1
    changed = add_gaussian_noise(case.image, 1)
    assert 1 / 255 < np.abs(changed - case.image).mean() < 3 / 255
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_stopped_case_stops_its_jitters() -> None:
    from explainers.evaluator import EvaluationStopped

    toy = detectors(grid=(7, 7), cell=16)
    case = Case(toy, picture(toy.size), ToyScore(0), ExplanationSettings(preset="Fast"))
    case.stop()
    with pytest.raises(EvaluationStopped):
        list(maps_under_noise(case, [GradCAM()]))


def test_the_map_that_is_judged_is_not_changed() -> None:
    values = np.arange(49, dtype=np.float32).reshape(7, 7)
    values.flags.writeable = False
    half_run_maps(MethodResult(GradCAM(), Attribution(values)), (112, 112))
