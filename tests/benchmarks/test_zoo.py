"""A sample of the zoo: models of differing formats load, every method makes a map, gradients are differences; and its judgement."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.zoo_parts.checks.differences import image_gradient_error, layer_gradient_error
from benchmarks.zoo_parts.checks.model_check import BLANK, MAP, NEGATIVE_MAP, NOT_ALLOWED, ModelCheck, ModelInputs, check_model
from benchmarks.zoo_parts.checks.package_workers import PackageWorker
from benchmarks.zoo_parts.checks.zoo_table import TOLERANCE, Row, goal_lines, table_line
from benchmarks.zoo_parts.models import topologies
from benchmarks.zoo_parts.models.catalogue import build_seeded, zoo_models
from benchmarks.zoo_parts.models.random_images import random_images
from explainers.methods import METHODS, SEVEN
from models.classifiers.classifier_builder import build_classifier
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from tests.patience import PATIENCE

FEW = 48
SAMPLE = (
    "tiny",
    "one_sigmoid",
    "two_pictures",
    "channels_first",
    "subclassed",
    "two_members",
    "plain",
    "plain_apart",
    "plain_graph",
    "plain_tensorflow",
    "tflite_whole",
    "onnx_channels_first",
)


def specimen(name: str):
    return next(each for each in zoo_models() if each.name == name)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")
@pytest.mark.parametrize("name", SAMPLE)
def test_every_method_that_the_model_allows_gives_a_finite_map(name: str, tmp_path: Path) -> None:
    kept = specimen(name)
    ours, asked = check_model(kept.write(tmp_path).ours, budget=FEW)
    assert not ours.error
    assert asked is not None
    forward_only = kept.format in ("TFLite", "ONNX")
    assert ours.allowed(SEVEN) == (3 if forward_only else 7)
    assert ours.counted(METHODS, MAP, NEGATIVE_MAP, BLANK) == ours.allowed(METHODS)
    assert ours.counted(SEVEN, MAP, NEGATIVE_MAP) >= ours.allowed(SEVEN) - 1, ours.maps
    assert (ours.image_error is None) == forward_only
    assert max(error for error in (0.0, ours.image_error, ours.layer_error) if error is not None) < TOLERANCE


def test_the_zoo_is_large_and_every_name_is_its_own() -> None:
    names = [each.name for each in zoo_models()]
    assert len(set(names)) == len(names) >= 40


class Wrong(KerasClassifier):
    """Whose gradients are a tenth too large."""

    def gradients(self, images, score):
        return super().gradients(images, score) * np.float32(1.1)

    def features(self, image, layers, score):
        (answer,) = super().features(image, layers, score)
        return (type(answer)(answer.layer, answer.maps, answer.gradients * np.float32(1.1)),)


def test_a_wrong_gradient_is_told() -> None:
    right = build_classifier(build_seeded(topologies.flat), None, Path("flat.keras"))
    wrong = Wrong(right._trace, right.card)
    image = np.random.default_rng(0).integers(16, 240, (32, 32, 3)).astype(np.float32) / 256
    for check in (image_gradient_error, layer_gradient_error):
        assert check(right, image, Score(1)) < 1e-3
        assert check(wrong, image, Score(1)) == pytest.approx(0.1 / 1.1, abs=0.01)


def test_a_model_that_does_not_load_is_a_row(tmp_path: Path) -> None:
    ours, asked = check_model(str(tmp_path / "nothing.keras"))
    assert ours.error.startswith("UserError: There is no file")
    assert asked is None
    assert "not loaded" in table_line(Row("x", "y", ours), ())


def test_heads_tell_pictures_apart() -> None:
    made = build_classifier(build_seeded(topologies.flat), None, Path("flat.keras"))
    logits = made.outputs(random_images(made.size))
    centred = logits - logits.mean(axis=1, keepdims=True)
    assert centred.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.05)
    assert centred.std() == pytest.approx(2, rel=0.05)


def test_the_verdict_counts_rows() -> None:
    every, extras = {method.title: MAP for method in METHODS}, len(METHODS) - len(SEVEN)
    good = Row("good", "f", ModelCheck("", every, 1e-4, 1e-4), {"xplique": {"maps": {"Grad-CAM": "map", "LIME": "blank"}}})
    poor = {"LIME": BLANK, "SHAP": BLANK, "RISE": NOT_ALLOWED}
    less = Row("less", "f", ModelCheck("", every | poor, 0.5), {"xplique": {"maps": {"LIME": "map"}}})
    shut = Row("shut", "f", ModelCheck("", every), {"xplique": {"error": "ValueError: no"}})
    assert all(told.startswith("holds") for told in goal_lines([good, shut], ["xplique"]))
    assert table_line(good, ["xplique"]).endswith(f"| 7 / 7 | {extras} / {extras} | 1.0e-04 | 1.0e-04 | 1 / 2 |")
    assert table_line(less, ["xplique"]).endswith(f"| 5 / 7 | {extras - 1} / {extras - 1} | 5.0e-01 |  | 1 / 1 |")
    assert table_line(shut, ["xplique"]).endswith("| not opened |")
    told = goal_lines([good, less], ["xplique"])
    assert [words[:6] for words in told] == ["holds ", "holds ", "MISSED", "MISSED", "MISSED"]  # two of some twenty maps are blank
    assert told[-1].endswith("but not for less: LIME")


PACKAGE = """
import os, time
from benchmarks.zoo_parts.packages.package_server import serve

def opened(path):
    if path.name == "refused": raise ValueError("no such format")
    if path.name == "crashes": os._exit(1)
    if path.name == "hangs": time.sleep(10**6)
    print("a package's own words")
    return path

def maps(model, job):
    yield "Grad-CAM", lambda: job.model_input[0, :, :, 0]
    yield "LIME", lambda: 0 * job.model_input[0, :, :, 0]
    yield "SHAP", lambda: 1 / 0

serve(opened, maps)
"""


def test_a_package_that_crashes_or_hangs_costs_one_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = PackageWorker("made_up", (sys.executable, "-c", PACKAGE))
    asked = ModelInputs((np.random.default_rng(0).random((1, 4, 4, 3), np.float32),), 0, 3)

    def answer(name: str, seconds: float = PATIENCE) -> dict:
        monkeypatch.setattr("benchmarks.zoo_parts.checks.package_workers.LONGEST", seconds)
        worker.ask(Path(name), asked, tmp_path)
        return worker.answer()

    expected = {"Grad-CAM": "map", "LIME": "blank", "SHAP": "failed: ZeroDivisionError: division by zero"}
    try:
        assert answer("good") == {"maps": expected}
        assert answer("refused") == {"error": "ValueError: no such format"}
        assert answer("crashes") == {"error": "its process ended"}
        assert answer("good") == {"maps": expected}
        assert "took more than" in answer("hangs", 1)["error"]
        assert answer("good") == {"maps": expected}
    finally:
        worker.close()
