"""A study interleaves the methods, keeps one's failure from the others, accounts for evaluations and stops within a batch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from errors import UserError
from explainers.blank_maps import REMEDY, SATURATED, ZERO, BlankReason, mark_blank_attribution
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import run_methods
from explainers.methods import METHODS, SEVEN
from explainers.methods.grad_cam import GradCAM
from explainers.methods.grad_cam_plus_plus import GradCAMPlusPlus
from explainers.methods.integrated_gradients import IntegratedGradients
from explainers.methods.occlusion import Occlusion
from explainers.methods.score_cam import ScoreCAM
from tests.explainers.toy_classifiers import Detectors, Toy, ToyScore, detectors, picture

FIVE = [IntegratedGradients(), Occlusion(), ScoreCAM(), GradCAMPlusPlus(), GradCAM()]


@dataclass(frozen=True)
class Broken(Occlusion):
    """Fails after its first map."""

    title = "Broken"
    error: Exception | None = None

    def __call__(self, case: Case) -> Iterator[Attribution]:
        yield next(super().__call__(case))
        raise self.error


@pytest.fixture
def case():
    model = detectors(grid=(7, 7), cell=8)
    return Case(model, picture(model.size), ToyScore(0))


def test_every_first_map_comes_before_any_last(case):
    results = list(run_methods(case, FIVE))
    first = [result.method.title for result in results[:5]]
    assert set(first) == {method.title for method in FIVE}
    assert all(result.attribution for result in results[:5])
    assert not any(result.done for result in results[:5])
    assert [result.done for result in results].count(True) == 5


def test_cheap_methods_come_first_and_then_whoever_has_spent_least(case):
    results = list(run_methods(case, FIVE))
    costs = [result.method.cost(case) for result in results[:5]]
    assert costs == sorted(costs)
    spent = {result.method.title: result.evaluations for result in results[:5]}
    done = set()
    for result in results[5:]:
        title = result.method.title
        assert spent[title] == min(count for other, count in spent.items() if other not in done)
        spent[title] = result.evaluations
        done |= {title} if result.done else set()


def test_evaluations_add_up_and_sharing_is_told(case):
    last = {result.method.title: result for result in run_methods(case, FIVE)}
    assert sum(result.evaluations for result in last.values()) == case.evaluations
    assert last["Grad-CAM"].evaluations + last["Grad-CAM++"].evaluations == 1
    assert last["Grad-CAM"].shared + last["Grad-CAM++"].shared == 1
    assert last["Occlusion (smoothed)"].shared == 1  # the picture itself
    assert all(result.seconds > 0 for result in last.values())
    again = {result.method.title: result for result in run_methods(case.with_score(ToyScore(0)), FIVE)}
    assert again["Occlusion (smoothed)"].evaluations == 0
    assert again["Occlusion (smoothed)"].shared == last["Occlusion (smoothed)"].evaluations + 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("The model has no spatial layer."), "The model has no spatial layer."),
        (KeyError("x"), "The method failed: KeyError: 'x'"),
    ],
)
def test_one_failure_is_its_own(case, error, words):
    last = {result.method.title: result for result in run_methods(case, [Broken(error=error), GradCAM(), IntegratedGradients()])}
    assert last["Broken"].error == words
    assert last["Broken"].attribution is not None
    assert last["Broken"].done
    assert last["Grad-CAM"].error == last["Integrated Gradients"].error == ""
    assert last["Integrated Gradients"].attribution.values.shape == case.size


def test_a_cost_that_fails_is_an_error_too(case):
    class Costless(GradCAM):
        title = "Costless"

        def cost(self, case):
            raise UserError("This method cannot be had here.")

    last = {result.method.title: result for result in run_methods(case, [Costless(), GradCAM()])}
    assert last["Costless"].error == "This method cannot be had here."
    assert last["Grad-CAM"].attribution is not None


def test_stop_leaves_the_maps_already_had(case):
    model, results = case.classifier, []
    for result in run_methods(case, FIVE):
        results.append(result)
        if len(results) == 3:
            case.stop()
            asked = len(model.asked.batches)
    assert len(model.asked.batches) == asked
    last = {result.method.title: result for result in results}
    assert len(last) == 5
    assert all(result.done for result in last.values())
    had = {result.method.title for result in results[:3]}
    for title, result in last.items():
        assert (result.attribution is not None) == (title in had)
        assert result.error == ("" if title in had else "Stopped before the first map.")


def test_out_of_memory_costs_nobody_a_map(case):
    case.classifier.asked.limit = 5
    assert all(not result.error for result in run_methods(case, FIVE))
    assert max(case.classifier.asked.batches) <= 5


def blank(method, values, **fields):
    model = detectors(grid=(7, 7), cell=8)
    case = Case(model, picture(model.size), ToyScore(0))
    return mark_blank_attribution(method, replace(Attribution(np.asarray(values, np.float32)), **fields), case)


def said(asks, kind="logit"):
    return f"{ZERO[asks]} {SATURATED if kind == 'probability' else REMEDY[asks]}"


def test_blank_maps_are_told_apart():
    ramp = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert blank(Occlusion(), ramp).blank == ""
    assert blank(Occlusion(), -ramp).blank == BlankReason.NEGATIVE
    assert blank(Occlusion(), 0 * ramp).blank == said("outputs")
    assert blank(IntegratedGradients(), 0 * ramp).blank == said("gradients")
    assert blank(Occlusion(), ramp * 0 + 3).blank == BlankReason.CONSTANT
    assert blank(GradCAM(), np.zeros((4, 4)), signed=-ramp).blank == BlankReason.NEGATIVE
    ramp[0, 0] = np.nan
    found = blank(GradCAM(), ramp, signed=ramp)
    assert found.blank == BlankReason.NOT_FINITE
    assert np.isfinite(found.values).all()
    assert np.isfinite(found.signed).all()


def test_a_reason_that_the_method_gives_is_kept():
    assert blank(Occlusion(), np.zeros((4, 4)), blank="For its own reason.").blank == "For its own reason."


def test_a_constant_model_gives_no_evidence():
    model = detectors(grid=(7, 7), cell=8)
    constant = Detectors(model.grid, model.cell, model.detectors, model.offset, 0 * model.dense, model.bias)
    last = {result.method.title: result for result in run_methods(Case(constant, picture(model.size), ToyScore(0)), FIVE)}
    for result in last.values():
        assert result.attribution.blank == said(result.method.asks), result.method.title
        assert not result.attribution.values.any()


@pytest.mark.parametrize("kind", SEVEN, ids=lambda kind: kind.title)
def test_a_saturated_probability_is_diagnosed_and_a_centred_logit_is_not_advised_twice(kind):
    model = detectors(grid=(7, 7), cell=8)
    sure = Detectors(model.grid, model.cell, model.detectors, model.offset, model.dense, np.array([500.0, 0, 0]))
    case = Case(sure, picture(model.size), ToyScore(0, "probability"), ExplanationSettings(preset="Fast"))
    assert list(run_methods(case, [kind()]))[-1].attribution.blank == said(kind.asks, "probability")
    blind = Detectors(model.grid, model.cell, model.detectors, model.offset, 0 * model.dense, model.bias)
    words = list(run_methods(Case(blind, picture(model.size), ToyScore(0, "centred")), [kind()]))[-1].attribution.blank
    assert words
    assert "centred" not in words


def rounding_errors(spacings):
    """A classifier with logits of 6 that depend on the picture by rounding alone: up to `spacings` float32 spacings, at random."""

    def logits(images):
        seeds = [int(np.abs(image).sum() * 1e6) for image in images]
        moved = np.array([np.random.default_rng(seed).integers(-spacings, spacings + 1, 2) for seed in seeds])
        return 6 + np.spacing(np.float32(6)) * moved

    return Toy((32, 32), logits, lambda image: np.zeros((2, *image.shape)))


@pytest.mark.parametrize("kind", [kind for kind in METHODS if kind.asks == "outputs"], ids=lambda kind: kind.title)
def test_rounding_is_not_shown_as_a_map_and_a_small_effect_is(kind):
    model = rounding_errors(8)
    case = Case(model, picture(model.size), ToyScore(0), ExplanationSettings(preset="Fast"))
    for result in run_methods(case, [kind()]):
        assert result.attribution.blank == said("outputs")
        assert not result.attribution.values.any()
    weights = np.random.default_rng(0).random((32, 32, 1))  # showing the picture over the fill moves the logit by 7e-4 in all

    def slightly(images):
        brightness = (images * weights).mean((1, 2, 3)) / (weights * model_picture).mean()
        return np.stack([1 + 7e-4 * brightness, 0 * brightness], axis=1)

    model_picture = picture((32, 32))
    small = Toy((32, 32), slightly, lambda image: np.zeros((2, *image.shape)))
    result = list(run_methods(Case(small, model_picture, ToyScore(0), ExplanationSettings(preset="Fast", fill="black")), [kind()]))[-1]
    assert result.attribution.blank == ""
    assert result.attribution.values.max() > 0
