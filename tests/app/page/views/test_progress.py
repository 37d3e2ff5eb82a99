"""What is said to be asked at most is what the methods may ask together: only the pool is shared."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from app.commands.explain import explain_pictures
from app.explanation import estimate_explanation_cost
from app.metrics import estimate_seconds_of_all_metrics, max_evaluations_of_all_metrics
from app.options import ExplainOptions
from app.page.views.dropdown_controls import format_preset_times
from app.page.views.status_line import status_view
from app.rendering import encode_png
from app.service.classifier_registry import RegisteredClassifier
from app.service.request import ExplanationRequest, ExplanationState
from app.service.stores.picture_uploads import UploadedPicture
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Method
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.methods.partition_shap import PartitionSHAP
from explainers.methods.shap import SHAP
from models.classifiers.score import Score
from models.loading import load_classifier


def test_measures_draw_a_bar_and_say_their_cost_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One method on the glass box, whose maps take next to no time."""
    monkeypatch.setattr("app.commands.explain.tqdm", lambda **settings: tqdm(**{**settings, "disable": False}))  # as in a terminal
    rng = np.random.default_rng(0)
    picture = tmp_path / "patches.png"
    picture.write_bytes(encode_png(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    options = ExplainOptions((picture,), "glass_box", tmp_path / "out", ("grad_cam",), preset="Fast", measures="all")
    assert explain_pictures(options, lambda: load_classifier("glass_box")) == 0
    told = capsys.readouterr()
    most = int(re.search(r"measures, at most ([\d,]+) evaluations, (about|under) ", told.out)[1].replace(",", ""))
    last = re.findall(r"patches: measures: .*?(\d+)/(\d+)", told.err)
    spent = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"][0]["measures"]["evaluations"]
    assert [int(number) for number in last[-1]] == [spent, most]
    assert 0 < spent <= most


def test_the_seconds_of_the_measures_are_those_of_their_evaluations() -> None:
    classifier = load_classifier("glass_box")
    case = Case(
        classifier, np.random.default_rng(0).random((*classifier.size, 3), np.float32), Score(0), ExplanationSettings(preset="Fast")
    )
    cam, lime = ([result for result in run_methods(case, [method]) if result.done][-1:] for method in (GradCAM(), LIME()))
    both = [*cam, *lime]
    assert estimate_seconds_of_all_metrics(case, both, 0.5, 0.5) == pytest.approx(max_evaluations_of_all_metrics(case, both) / 2)
    assert estimate_seconds_of_all_metrics(case, lime, 0, 9) == 0, "LIME asks for no gradient"
    assert (
        0
        < estimate_seconds_of_all_metrics(case, cam, 0, 1)
        == estimate_seconds_of_all_metrics(case, both, 0, 1)
        < max_evaluations_of_all_metrics(case, cam)
    )


def test_partition_shap_asks_on_its_own_and_the_pool_counts_once() -> None:
    classifier = load_classifier("glass_box")
    picture = np.random.default_rng(0).random((*classifier.size, 3), np.float32)
    several: list[list[Method]] = [[LIME(), SHAP()], [LIME(), PartitionSHAP()], [method() for method in METHODS]]
    for methods in several:
        case = Case(classifier, picture, Score(0), ExplanationSettings(preset="Fast"))
        estimate = estimate_explanation_cost(methods, case)
        total = estimate.evaluations
        assert estimate.seconds(RegisteredClassifier("glass_box", "Glass box", forward=1.0, backward=1.0)) == total
        list(run_methods(case, methods))
        assert case.evaluations <= total
    case = Case(classifier, picture, Score(0), ExplanationSettings(preset="Fast"))
    assert estimate_explanation_cost(several[0], case).evaluations == case.budget
    assert estimate_explanation_cost(several[1], case).evaluations == 2 * case.budget


def test_a_preset_that_cannot_end_in_time_is_marked() -> None:
    seconds = {"Fast": 3.0, "Balanced": 61.0, "Thorough": 240.0}
    assert format_preset_times(seconds, 60.0).endswith("Thorough about 4 min. Made shorter to end within 60 s: Balanced, Thorough.")
    assert format_preset_times(seconds, 300.0).endswith("Thorough about 4 min.")
    assert format_preset_times({}, 60.0) == ""


@pytest.mark.parametrize(("budget", "words"), [(120, "120 evaluations instead of 500"), (500, ""), (0, "")])
def test_a_shorter_run_says_so(budget: int, words: str) -> None:
    request = ExplanationRequest("glass_box", UploadedPicture.of(b"", "picture"), (GradCAM(),))
    text = status_view(ExplanationState(request, state="done", budget=budget), 1)["text"]
    assert ("To end in time" in text) is bool(words)
    assert words in text
