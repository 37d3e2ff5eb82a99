"""Lights by hand, and what the checks say of a method that looks at the model and of one that does not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from errors import UserError
from explainers.evaluator import EvaluationStopped
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.methods.grad_cam import GradCAM
from explainers.methods.grad_cam_plus_plus import GradCAMPlusPlus
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from explainers.metrics.randomisation.sanity_checks import (
    CLASS,
    NOISE,
    WEIGHTS,
    add_faint_noise,
    map_rank_correlation,
    max_evaluations_of_sanity_checks,
    run_sanity_checks,
    score_for_other_class,
)
from tests.explainers.toy_classifiers import ToyScore, detectors, picture


@dataclass(frozen=True)
class Edges(GradCAM):
    """A map that has nothing to do with the model: the picture's own brightness."""

    title = "Brightness"

    def __call__(self, case: Case) -> Iterator[Attribution]:
        yield Attribution(case.image.mean(-1))


def phantom_case(**settings) -> Case:
    from models.classifiers.score import Score
    from models.datasets.synthetic.phantoms import draw_phantom
    from models.loading import load_classifier

    return Case(load_classifier("phantoms"), draw_phantom(3, "blue veil").image, Score(1), ExplanationSettings(preset="Fast", **settings))


def toy_case() -> Case:
    toy = detectors(grid=(7, 7), cell=16)
    return Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))


def test_lights_by_hand() -> None:
    assert [WEIGHTS["everything"].light(value) for value in (0, 0.5, 0.51, 0.8, 0.81)] == ["green", "green", "amber", "amber", "red"]
    for depth in ("head", "last block"):
        assert [WEIGHTS[depth].light(value) for value in (0.5, 0.51, 1)] == ["green", "amber", "amber"], "no fault of the method"
    assert [CLASS.light(value) for value in (0.7, 0.95, 0.96)] == ["green", "amber", "red"]
    assert [NOISE.light(value) for value in (0.9, 0.89, 0.7, 0.69)] == ["green", "amber", "amber", "red"]


def test_similarity_by_hand() -> None:
    a = np.arange(4.0).reshape(2, 2)
    assert map_rank_correlation(a, a * 3 + 1) == pytest.approx(1)
    assert map_rank_correlation(a, -a) == pytest.approx(-1)
    assert map_rank_correlation(a, np.zeros((2, 2))) == 0


def test_a_map_that_ignores_the_model_is_found_out_and_grad_cam_is_not() -> None:
    case = phantom_case()
    found = {(each.title, each.check.name): each for each in run_sanity_checks(case, [GradCAM(), Edges()])}
    blind = [found["Brightness", check.name] for check in (*WEIGHTS.values(), CLASS)]
    assert [each.light for each in blind] == ["amber", "amber", "red", "red"]
    assert "layers before the head fix where the map lies" in blind[0].reason
    assert [len(each.similarities) for each in blind] == [3, 3, 3, 1]
    assert all(each.similarity == pytest.approx(1) and each.reason == each.check.why for each in blind)
    assert found["Brightness", NOISE.name].light == "green"
    assert found["Grad-CAM", NOISE.name].light == "green"
    assert found["Grad-CAM", WEIGHTS["everything"].name].light != "red"
    assert found["Grad-CAM", CLASS.name].light == "green"


def test_sane_methods_are_not_called_broken() -> None:
    case = phantom_case()
    found = list(run_sanity_checks(case, [GradCAM(), GradCAMPlusPlus(), Occlusion()]))
    assert [(each.title, each.check.name) for each in found if each.check in WEIGHTS.values() and each.light == "red"] == []


def test_a_map_that_only_changes_its_sign_lies_where_it_lay() -> None:
    """Weights drawn anew that turn the map round, twice of three times: the same place, whichever way the coin falls."""
    toy = detectors(grid=(7, 7), cell=16)
    turned = detectors(grid=(7, 7), cell=16)
    turned.dense = -turned.dense
    toy.randomised = lambda depth, seed: toy if seed == 1 else turned
    case = Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))
    found = {each.check.name: each for each in run_sanity_checks(case, [GradCAM()])}
    head, everything = (found[WEIGHTS[depth].name] for depth in ("head", "everything"))
    assert head.similarities == pytest.approx((-1, 1, -1))
    assert (head.similarity, head.light) == (pytest.approx(1), "amber")
    assert everything.light == "red"


def test_a_map_without_evidence_gets_no_light() -> None:
    """An even picture equals its blur, so nothing moves the score: the empty map's similarity of 0 is no virtue."""
    toy = detectors(grid=(7, 7), cell=16)
    toy.randomised = lambda depth, seed: toy
    case = Case(toy, np.full((*toy.size, 3), 0.5, np.float32), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))
    found = list(run_sanity_checks(case, [LIME()]))
    assert [each.light for each in found] == ["not asked"] * 5
    assert all(each.similarity is None and "beyond rounding" in each.reason for each in found)


def test_where_weights_cannot_be_drawn_it_says_so(monkeypatch) -> None:
    case = toy_case()

    def constants(depth: str, seed: int) -> None:
        raise UserError("This model's weights are constants.")

    monkeypatch.setattr(case.classifier, "randomised", constants)
    found = list(run_sanity_checks(case, [GradCAM()]))
    assert [each.light for each in found[:3]] == ["not asked"] * 3
    assert {each.reason for each in found[:3]} == {"This model's weights are constants."}
    assert [each.similarity is None for each in found] == [True] * 3 + [False] * 2


def test_the_other_class_is_the_likeliest_that_is_not_spoken_of() -> None:
    case = toy_case()
    by_logit = [int(number) for number in np.argsort(-case.image_logits)]
    assert score_for_other_class(case).target == next(number for number in by_logit if number != 0)
    contrast = case.with_score(replace(case.score, kind="contrast", rather_than=1))
    assert score_for_other_class(contrast).target == 2


def test_the_cost_is_known_first() -> None:
    case = toy_case()
    case.classifier.randomised = lambda depth, seed: case.classifier
    methods = [GradCAM(), Occlusion(), LIME()]
    limit = max_evaluations_of_sanity_checks(case, methods)
    assert len(list(run_sanity_checks(case, methods))) == 15
    assert case.evaluations <= limit


def test_noise_moves_by_one_level_at_most() -> None:
    image = picture((16, 16))
    assert 0 < np.abs(add_faint_noise(image) - image).max() <= 1 / 255 + 1e-6


def test_a_stop_is_heard() -> None:
    case = toy_case()
    case.stop()
    with pytest.raises(EvaluationStopped):
        list(run_sanity_checks(case, [GradCAM()]))
