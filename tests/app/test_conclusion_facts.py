"""The three lines of real pictures: the shortcut is named, and a model without a library or a card is told nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.commands.explain import explain_pictures
from app.conclusion import conclude_from_facts
from app.conclusion_facts import PictureFindings, gather_conclusion_facts, usable_report_card
from app.explanation import estimate_explanation_cost
from app.model_files import report_card_path
from app.options import ExplainOptions
from app.rendering import encode_png
from explainers.explanation_case import Case
from explainers.method import Attribution
from explainers.method_runner import MethodResult
from explainers.methods import SEVEN
from explainers.methods.grad_cam import GradCAM
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceOutcome
from models.classifiers.score import Score
from models.datasets.synthetic.phantoms import draw_phantom
from models.loading import load_classifier
from models.store import bundled_models

FAST = ("grad_cam", "occlusion", "integrated_gradients")
RULER = Path(__file__).resolve().parents[2] / "examples" / "phantom_02_streaks_ruler.png"


def explained(folder: Path, picture: Path, model: str) -> dict[str, Any]:
    options = ExplainOptions((picture,), model, folder / "out", FAST, preset="Fast", quiet=True)
    assert explain_pictures(options, lambda: load_classifier(model)) == 0
    (entry,) = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["pictures"]
    return dict(entry)


def test_on_the_misled_classifier_the_lines_name_the_rulers_edge_and_that_the_answer_changes(tmp_path: Path) -> None:
    entry = explained(tmp_path, RULER, "phantoms_shortcut")
    lines = entry["measures"]["conclusion"]
    assert list(lines) == ["agreement", "hiding", "record"]
    drawn = draw_phantom(2, "streaks", ruler=True)
    rows, columns = np.nonzero(drawn.ruler)
    middle = (rows.mean() / len(drawn.ruler), columns.mean() / len(drawn.ruler))
    side = {"upper": middle[0] < 0.2, "lower": middle[0] > 0.8, "left": middle[1] < 0.2, "right": middle[1] > 0.8}
    (name,) = [name for name, lies_there in side.items() if lies_there]
    assert lines["hiding"].startswith(f"Hide the {name} edge")
    assert "Of 20 equally large places elsewhere, 20 cost less." in lines["hiding"]
    assert "may be a shortcut" in lines["hiding"]
    assert lines["record"].startswith("On this classifier, with evidence that was known, ")
    (hidden,) = entry["measures"]["hidden"]
    assert hidden["outcome"] == HiddenPlaceOutcome.FOLLOWS
    classifier = load_classifier("phantoms_shortcut")
    balanced = Case(classifier, np.zeros((*classifier.size, 3), np.float32), Score(0))
    usual = estimate_explanation_cost([method() for method in SEVEN], balanced).evaluations
    assert entry["measures"]["evaluations"] <= 0.15 * usual, "the agreement and the hiding, of a Balanced run of the seven"


def test_a_model_without_a_library_and_a_card_is_told_nothing(tmp_path: Path) -> None:
    model = tmp_path / "own.keras"
    model.write_bytes(bundled_models()["glass_box"].read_bytes())
    model.with_suffix(".json").write_bytes(bundled_models()["glass_box"].with_suffix(".json").read_bytes())
    picture = tmp_path / "noise.png"
    picture.write_bytes(encode_png(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    lines = explained(tmp_path, picture, str(model))["measures"]["conclusion"]
    assert "cannot be told yet" in lines["agreement"]
    assert "beyond chance" not in lines["agreement"]
    assert lines["record"].endswith("so none is recommended.")


def test_a_card_of_another_model_is_not_used(tmp_path: Path) -> None:
    model = tmp_path / "own.keras"
    model.write_bytes(bundled_models()["glass_box"].read_bytes())
    model.with_suffix(".json").write_bytes(bundled_models()["glass_box"].with_suffix(".json").read_bytes())
    classifier = load_classifier(str(model))
    assert usable_report_card(str(model), classifier) is None
    beside = report_card_path(str(model))
    beside.write_bytes(report_card_path("phantoms").read_bytes())
    assert usable_report_card(str(model), classifier) is None
    beside.write_bytes(report_card_path("glass_box").read_bytes())
    assert usable_report_card(str(model), classifier) is not None
    beside.write_text("{}", encoding="utf-8")
    assert usable_report_card(str(model), classifier) is None


def test_no_map_with_evidence_is_no_agreement() -> None:
    blank = MethodResult(GradCAM(), Attribution(np.zeros((4, 4), np.float32), blank="Nothing."), done=True)
    facts = gather_conclusion_facts(PictureFindings(("a", "b"), (64, 64), 1, [blank], None, ()), None)
    assert (facts.agreement, facts.hiding, facts.record) == (None, None, None)
    assert conclude_from_facts(facts).agreement.startswith("No map shows anything that speaks for “b”")
    assert AgreementLevel.CANNOT_TELL == "cannot be told yet"


@pytest.mark.parametrize("name", ["phantoms", "glass_box"])
def test_the_bundled_cards_are_used(name: str) -> None:
    assert usable_report_card(name, load_classifier(name)) is not None
