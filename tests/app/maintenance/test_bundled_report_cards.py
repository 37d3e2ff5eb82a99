"""The bundled classifiers' report cards: of these weights and methods, and made of pictures whose evidence is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from app.maintenance.bundled_report_cards import known_evidence_of_picture, main, make_report_card_of
from app.model_files import model_identity, read_report_card_of_model
from app.report_cards import ReportCardPlan, method_revisions
from explainers.methods import SEVEN
from explainers.methods.grad_cam import GradCAM
from explainers.report_card.report_card_file import CONSENSUS, read_card
from models.loading import load_classifier
from models.store import bundled_models

CARRIED = sorted(path.name.split(".")[0] for path in bundled_models()["phantoms"].parent.glob("*.report_card.json"))


def test_the_synthetic_ones_carry_a_card() -> None:
    assert {"glass_box", "phantoms", "phantoms_shortcut"} <= set(CARRIED)


@pytest.mark.parametrize("name", CARRIED)
def test_what_is_bundled_holds_for_these_weights_and_methods(name: str) -> None:
    card = read_report_card_of_model(name)
    assert card is not None
    made_with = {"model": model_identity(name, load_classifier(name)), "methods": method_revisions()}
    assert card.mismatch(made_with) == "", f"python -m app.maintenance.bundled_report_cards {name}"
    assert set(card.titles) == {method.title for method in SEVEN}
    assert card.conclusive


def test_on_the_glass_box_every_method_finds_the_evidence_and_the_centre_does_not() -> None:
    card = read_report_card_of_model("glass_box")
    assert card is not None
    assert all(tally.share > 0.9 for tally in card.tallies())
    consensus, centre = card.baselines()
    assert consensus.title == CONSENSUS
    assert consensus.share > 0.9 > 0.5 > centre.share


def test_evidence_is_known_where_the_class_rests_on_it() -> None:
    classifier = load_classifier("phantoms")
    known = {number: known_evidence_of_picture("phantoms", number, classifier) for number in range(8)}
    assert known[0] is known[4] is None, "a plain phantom has none"
    assert any(mask is not None for mask in known.values())
    assert known_evidence_of_picture("phantoms_shortcut", 1, classifier) is None
    drawn = known_evidence_of_picture("glass_box", 1, classifier)
    assert drawn is not None
    assert 0 < drawn.mean() < 0.5


def test_a_card_is_made_of_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one method and a few pictures, because all take minutes."""
    monkeypatch.setattr("app.maintenance.bundled_report_cards.PICTURES", 8)
    monkeypatch.setattr("app.maintenance.bundled_report_cards.ReportCardPlan", lambda *rest: ReportCardPlan(*rest, methods=(GradCAM(),)))
    out = tmp_path / "card.json"
    card = make_report_card_of("glass_box", 6, out)
    assert read_card(out.read_text(encoding="utf-8"), "card") == card
    assert np.mean([each.found["Grad-CAM"] for each in card.outcomes]) > 0.8
    assert json.loads(out.read_text(encoding="utf-8"))["made_with"]["methods"] == {"Grad-CAM": GradCAM.revision}


def test_an_unknown_name_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["horses"]) == 2
    assert "The card of 'horses' cannot be made of drawings" in capsys.readouterr().err
