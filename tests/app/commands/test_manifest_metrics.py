"""`--measures all` where some method cannot work on the model, or none can: the folder is written, and the manifest says why."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from app.commands.explain import explain_pictures
from app.commands.manifest_metrics import metrics_manifest_entry
from app.metrics import build_agreement_context
from app.options import ExplainOptions
from app.rendering import encode_png
from benchmarks.zoo_parts.models.topologies import flat, without_a_grid
from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import results_with_map, run_methods
from explainers.methods.lime import LIME
from explainers.metrics.randomisation.sanity_checks import NO_MAP, NOISE
from models.classifiers.score import Score
from models.export.format_writers import ExportSource, _write_tflite
from models.loading import load_classifier


def measured(folder: Path, model: Path, *methods: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and the only picture of the manifest."""
    picture = folder / "noise.png"
    picture.write_bytes(encode_png(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)))
    options = ExplainOptions((picture,), str(model), folder / "out", methods, preset="Fast", measures="all", quiet=True)
    status = explain_pictures(options, lambda: load_classifier(str(model), trust=True))
    (entry,) = json.loads((folder / "out" / "manifest.json").read_text())["pictures"]
    return status, entry


@pytest.fixture
def layerless(tmp_path: Path) -> Path:
    keras.utils.set_random_seed(0)
    without_a_grid().save(tmp_path / "dense.keras")
    return tmp_path / "dense.keras"


@pytest.mark.parametrize("kind", ["no layers", "forward only"])
def test_the_methods_that_work_are_measured_and_the_others_are_left_out_with_the_reason(kind: str, tmp_path: Path, layerless: Path) -> None:
    model = layerless
    if kind == "forward only":
        model = _write_tflite(ExportSource(flat(), "small", ("picture",), None), tmp_path)
    status, entry = measured(tmp_path, model, "grad_cam", "score_cam", "lime", "integrated_gradients")
    assert status == 1
    errors = {each["title"]: each["error"] for each in entry["maps"] if "error" in each}
    assert {"Grad-CAM", "Score-CAM"} <= set(errors)
    assert len(errors) == (3 if kind == "forward only" else 2)
    found = entry["measures"]
    assert found["left_out"] == errors
    shown = {each["title"] for each in entry["maps"]} - set(errors)
    assert "LIME" in shown
    for name in ("sanity", "sensitivity"):
        assert {each["title"] for each in found[name]} == shown
    assert all(isinstance(each["value"], float) for each in found["sensitivity"])
    assert {each["method"] for each in found["faithfulness"]["curves"]} >= shown
    assert found["evaluations"] > 100


def test_nothing_is_measured_where_no_method_has_a_map(tmp_path: Path, layerless: Path) -> None:
    status, entry = measured(tmp_path, layerless, "grad_cam", "score_cam")
    assert status == 1
    found = entry["measures"]
    assert {found[name]["error"] for name in ("agreement", "faithfulness", "sanity", "sensitivity")} == {"No method gave a map."}
    assert set(found["left_out"]) == {"Grad-CAM", "Score-CAM"}
    assert found["evaluations"] == 0


class Dying:
    """A classifier that answers until `refuses` is set, as one in a process of its own does until that process ends."""

    def __init__(self, classifier: Any) -> None:
        self._classifier = classifier
        self.refuses = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)

    def outputs(self, images: np.ndarray) -> np.ndarray:
        return self._answer("outputs", images)

    def masked(self, *given: np.ndarray) -> np.ndarray:
        return self._answer("masked", *given)

    def _answer(self, name: str, *given: np.ndarray) -> np.ndarray:
        if self.refuses:
            raise UserError("The model's process ended.")
        found: np.ndarray = getattr(self._classifier, name)(*given)
        return found


def test_a_model_that_dies_after_the_maps_costs_the_measures_and_not_the_folder() -> None:
    classifier = Dying(load_classifier("glass_box"))
    image = np.random.default_rng(0).random((*classifier.size, 3), np.float32)
    case = Case(classifier, image, Score(0), ExplanationSettings(preset="Fast"))
    *_, result = run_methods(case, [LIME()])
    assert results_with_map([result]) == [result]
    judge = build_agreement_context("glass_box", load_classifier("glass_box"))
    classifier.refuses = True
    found = metrics_manifest_entry(case, [result], "all", judge)
    assert found["faithfulness"] == {"error": "The model's process ended."}
    assert found["sensitivity"] == [{"title": "LIME", "value": None, "reason": "The model's process ended."}]
    assert [each["reason"] for each in found["sanity"] if each["check"] == NOISE.name] == [NO_MAP]
    assert "pairs" in found["agreement"]
