"""What every method must keep, whoever wrote it: one suite over METHODS, on a toy and on a bundled classifier."""

import dataclasses
import inspect
import re
from contextlib import suppress

import numpy as np
import pytest

from errors import UserError
from explainers.explanation_case import Case, EvaluationStopped, ExplanationSettings
from explainers.method import ParameterChoice, ParameterRange
from explainers.method_runner import run_methods
from explainers.methods import METHODS, SEVEN
from explainers.perturbation import segment_maps
from explainers.perturbation.coalitions import shared_coalition_pool
from tests.explainers.toy_classifiers import Detectors, ToyScore, detectors, picture

EARLY = 200
"""Evaluations within which every method has its first map."""
every_method = pytest.mark.parametrize("kind", METHODS, ids=lambda kind: kind.title)


def case_of(model=None, preset="Fast", **settings) -> Case:
    model = model or detectors(grid=(7, 7), cell=8)
    return Case(model, picture(model.size), ToyScore(0, "centred"), ExplanationSettings(preset=preset, **settings))


def asked(case: Case) -> int:
    return sum(case.classifier.asked.batches)


@pytest.fixture(scope="module")
def phantom_case():
    """A phantom with a blue veil in front of the bundled classifier."""
    loading, phantoms, score = (
        pytest.importorskip(name) for name in ("models.loading", "models.datasets.synthetic.phantoms", "models.classifiers.score")
    )
    classifier = loading.load_classifier("phantoms")
    image = phantoms.draw_phantom(3, "blue veil", size=classifier.size[0]).image
    return lambda seed=0: Case(classifier, image, score.Score(1), ExplanationSettings(seed=seed))


def test_the_seven_come_first_and_titles_differ():
    assert METHODS[:7] == SEVEN
    assert len({kind.title for kind in METHODS}) == len(METHODS)


@every_method
def test_it_says_whether_it_draws_on_the_pool(kind, monkeypatch):
    drawn = []
    monkeypatch.setattr(segment_maps, "shared_coalition_pool", lambda case: drawn.append(case) or shared_coalition_pool(case))
    list(run_methods(case_of(), [kind()]))
    assert bool(drawn) == kind.pooled


@every_method
def test_it_says_what_it_is(kind):
    assert kind.family in ("CAM", "surrogate", "occlusion", "gradient")
    assert kind.asks in ("outputs", "gradients", "features")
    assert kind.resolution in ("layer", "segments", "windows", "pixels")
    for words in (kind.about, kind.fails):
        assert words.count(". ") + words.endswith(".") >= 1, words
        assert words.endswith("."), words
    assert kind.formula
    assert kind.source
    assert "\n\n" in inspect.cleandoc(kind.__doc__), "the docstring explains the formula"
    assert all(bounds.help for bounds in kind.parameters().values())


@every_method
def test_maps_are_finite_two_dimensional_float32(kind):
    maps = list(kind()(case_of()))
    assert maps
    for found in maps:
        for values in (found.values, *([] if found.signed is None else [found.signed]), *(found.halves or ())):
            assert values.dtype == np.float32
            assert values.ndim == 2
            assert np.isfinite(values).all()
        assert found.uncertainty is None or found.uncertainty >= 0
    assert maps[-1].values.any()


@every_method
def test_unsigned_maps_are_never_negative_and_are_the_positive_part_of_the_signed(kind):
    for found in kind()(case_of()):
        if not kind.signed:
            assert found.values.min() >= 0
        if found.signed is not None:
            np.testing.assert_array_equal(found.values, np.maximum(found.signed, 0))


@every_method
def test_the_same_seed_gives_the_same_maps(kind):
    first, second = (list(kind()(case_of(seed=5))) for _ in range(2))
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.uncertainty, one.converged, one.remark) == (other.uncertainty, other.converged, other.remark)


@every_method
def test_global_chance_is_neither_read_nor_moved(kind):
    np.random.seed(1)  # noqa: NPY002 - the global state is what is under test
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    list(kind()(case_of()))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@every_method
def test_the_picture_and_the_maps_already_given_stay_as_they_are(kind):
    model = detectors(grid=(7, 7), cell=8)
    image = picture(model.size)
    before = image.copy()
    kept = [(found, found.values.copy()) for found in kind()(Case(model, image, ToyScore(0)))]
    np.testing.assert_array_equal(image, before)
    for found, values in kept:
        np.testing.assert_array_equal(found.values, values)


@every_method
def test_parameters_out_of_range_are_refused_by_name(kind):
    for name, bounds in kind.parameters().items():
        wrong = [bounds.low - 1, bounds.high + 1] if isinstance(bounds, ParameterRange) else ["no such word"]
        for value in wrong:
            with pytest.raises(UserError, match=rf"{re.escape(kind.title)}.*{name}"):
                kind(**{name: value})


@every_method
def test_every_choice_works_and_defaults_lie_within_bounds(kind):
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    assert dataclasses.asdict(kind()).keys() >= kind.parameters().keys()
    for name, bounds in kind.parameters().items():
        for word in bounds.options if isinstance(bounds, ParameterChoice) else ():
            assert np.isfinite(list(kind(**{name: word})(case_of()))[-1].values).all()


@every_method
@pytest.mark.parametrize(
    ("preset", "budget", "channels"),
    [
        *(("Fast", 20, 200), ("Fast", None, 200), ("Balanced", None, 6), ("Thorough", None, 6)),
        *(("Fast", 17, 200), ("Fast", 43, 200), ("Balanced", 121, 200)),  # odd: no method may ask for one more to make a pair
    ],
)
def test_the_cost_is_known_before_and_neither_it_nor_the_budget_is_exceeded(kind, preset, budget, channels):
    case = case_of(detectors(grid=(7, 7), cell=8, channels=channels), preset, budget=budget)
    cost = kind().cost(case)
    assert asked(case) == 0
    list(kind()(case))
    assert asked(case) == case.evaluations <= min(cost, case.budget)


@every_method
def test_the_first_map_comes_early(kind):
    case = case_of(preset="Thorough")
    next(iter(kind()(case)))
    assert asked(case) <= EARLY


@every_method
def test_nothing_is_evaluated_after_a_stop(kind):
    case = case_of(batch=4)
    maps = iter(kind()(case))
    next(maps)
    spent = asked(case)
    case.stop()
    with suppress(EvaluationStopped):
        list(maps)
    assert asked(case) == spent


@every_method
def test_a_stop_in_the_midst_of_a_batch_lets_only_that_batch_finish(kind):
    case = case_of(batch=4)

    class StopsAtTheThird(list):
        def append(self, pictures):
            super().append(pictures)
            if len(self) == 3:
                case.stop()

    case.classifier.asked.batches = StopsAtTheThird()
    results = list(run_methods(case, [kind()]))
    assert len(case.classifier.asked.batches) <= 3
    assert results[-1].done


@every_method
def test_out_of_memory_halves_the_batch_and_gives_the_same_map(kind):
    expected = list(kind()(case_of()))[-1]
    case = case_of()
    case.classifier.asked.limit = 3
    found = list(kind()(case))[-1]
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5 * np.abs(expected.values).max())
    assert max(case.classifier.asked.batches) <= 3


@every_method
def test_a_model_that_does_not_look_shows_no_evidence(kind):
    model = detectors(grid=(7, 7), cell=8)
    blind = Detectors(model.grid, model.cell, model.detectors, model.offset, 0 * model.dense, model.bias)
    result = list(run_methods(case_of(blind), [kind()]))[-1]
    assert result.error == ""
    assert not result.attribution.values.any()
    assert result.attribution.blank


@every_method
def test_on_a_bundled_classifier(kind, phantom_case):
    first, second = (list(run_methods(phantom_case(), [kind()]))[-1] for _ in range(2))
    assert first.error == ""
    assert np.isfinite(first.attribution.values).all()
    assert np.ptp(first.attribution.values) > 0
    assert 0 < first.evaluations <= kind().cost(phantom_case())
    np.testing.assert_allclose(first.attribution.values, second.attribution.values, atol=1e-3 * np.abs(first.attribution.values).max())


def test_all_together_share_their_work(phantom_case):
    case = phantom_case()
    results = list(run_methods(case, [kind() for kind in METHODS]))
    last = {result.method.title: result for result in results}
    assert {result.method.title for result in results[: len(METHODS)]} == set(last)
    assert sum(result.evaluations for result in last.values()) == case.evaluations
    assert case.evaluations < 0.7 * sum(kind().cost(case) for kind in METHODS)
    spent = case.evaluations
    others = {result.method.title: result for result in run_methods(case.with_score(type(case.score)(2)), [kind() for kind in METHODS])}
    for title in ("LIME", "SHAP", "RISE", "Score-CAM"):
        assert others[title].evaluations <= 1, title  # at most the features of the other class
    assert case.evaluations - spent < 0.5 * spent
