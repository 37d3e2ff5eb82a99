"""`python -m app report-card`: goes on where it was stopped, appears whole, and is read beside the model."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import report_cards
from app.cli import main
from app.commands.report_card import make_report_card, report_card_table
from app.model_files import read_report_card_of_model, report_card_path
from app.options import ReportCardOptions
from app.report_cards import ReportCardPlan, measure_report_card
from errors import UserError
from explainers.explanation_case import ExplanationSettings
from explainers.methods.grad_cam import GradCAM
from explainers.report_card.known_evidence_cases import EvidenceKind
from explainers.report_card.report_card_file import read_card
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
from models.loading import load_classifier

DRAWN = [draw_colour_patches(seed, NAMES[seed % 4]) for seed in range(8)]


def plan(cases: int = 6) -> ReportCardPlan:
    masks = {number: drawn.evidence for number, drawn in enumerate(DRAWN)}
    return ReportCardPlan([drawn.image for drawn in DRAWN], masks, cases, ExplanationSettings("Fast"), (GradCAM(),))


def test_a_stopped_card_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "box.report_card.json"
    classifier = load_classifier("glass_box")
    running = measure_report_card(classifier, "glass_box", plan(), path)
    for _ in range(4):
        next(running)
    running.close()
    assert [each.name for each in tmp_path.iterdir()] == [".box.report_card.json.part"]
    made = []
    examine_case = report_cards.explain_known_evidence_case
    monkeypatch.setattr(report_cards, "explain_known_evidence_case", lambda *rest: made.append(rest[1].key) or examine_case(*rest))
    *_, card = measure_report_card(classifier, "glass_box", plan(), path)
    assert len(card.outcomes) == 6
    assert len(made) == 2, "four of six were known"
    assert [each.name for each in tmp_path.iterdir()] == ["box.report_card.json"]
    assert read_card(path.read_text(encoding="utf-8"), "c") == card
    assert card.kinds == dict.fromkeys(EvidenceKind, 2)
    (tally,) = card.tallies()
    assert tally.found >= 5, "Grad-CAM is exact on the glass box"
    made.clear()
    *_, again = measure_report_card(classifier, "glass_box", plan(7), path)
    assert len(made) == len(again.outcomes), "made otherwise, it is made from the start"


def test_one_picture_alone_has_no_case(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no case of known evidence among these 1 pictures"):
        list(measure_report_card(load_classifier("glass_box"), "glass_box", ReportCardPlan([DRAWN[0].image], {}), tmp_path / "c.json"))
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_card_and_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "masks").mkdir()
    for number, drawn in enumerate(DRAWN[:4]):
        Image.fromarray(np.round(drawn.image * 255).astype(np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
    Image.fromarray(255 * DRAWN[0].evidence.astype(np.uint8)).save(tmp_path / "masks" / "0_mask.png")
    (tmp_path / "pictures" / "broken.png").write_bytes(b"nothing")
    out = tmp_path / "card.json"
    assert make_report_card(ReportCardOptions("glass_box", tmp_path / "pictures", tmp_path / "masks", 3, out)) == 1
    said = capsys.readouterr()
    assert "broken.png" in said.err
    card = read_card(out.read_text(encoding="utf-8"), "c")
    assert card.kinds == {EvidenceKind.GRID: 1, EvidenceKind.MASK: 1}, "no patch of these four turns another"
    assert report_card_table(card) in said.out
    assert "| consensus |" in said.out
    assert "Only 2 cases: fewer than 20 say nothing of a method." in said.out
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written) == ["format", "made_with", "kinds", "chance", "tallies", "cases"]


def test_a_card_is_read_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"weights")
    model = str(tmp_path / "m.keras")
    assert read_report_card_of_model(model) is None
    report_card_path(model).write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"m\.report_card\.json is no report card"):
        read_report_card_of_model(model)
    assert report_card_path("phantoms").name == "phantoms.report_card.json"


@pytest.mark.parametrize(("flag", "value"), [("--cases", "1"), ("--masks", "nowhere")])
def test_a_wrong_flag_is_one_sentence(flag: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report-card", "--model", "glass_box", "--pictures", str(tmp_path), flag, value]) == 2
    assert f"{flag} is" in capsys.readouterr().err
