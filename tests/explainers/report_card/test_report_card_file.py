"""The report card: counted by hand, Wilson's interval from its formula, and read back as it was written."""

import json
import math

import numpy as np
import pytest

from errors import UserError
from explainers.explanation_case import ExplanationSettings
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
from explainers.report_card.case_examination import explain_known_evidence_case, strongest_cell_lies_in
from explainers.report_card.known_evidence_cases import EvidenceKind, KnownEvidenceCase
from explainers.report_card.report_card_file import CENTRE, CONSENSUS, KnownEvidenceOutcome, ReportCard, read_card
from tests.explainers.toy_classifiers import Detectors, ToyScore


def outcome(number: int, found: dict[str, bool], kind: EvidenceKind = EvidenceKind.GRID, **rest) -> KnownEvidenceOutcome:
    known = {"chance": 0.25, "centre": False, "consensus": True, "reliability": {}, "fills": {}}
    return KnownEvidenceOutcome(f"case {number}", kind, found=found, **{**known, **rest})


def card_of(*outcomes: KnownEvidenceOutcome) -> ReportCard:
    return ReportCard({"model": "m", "methods": {"A": 1, "B": 2}}, outcomes)


def test_tallies_by_hand() -> None:
    outcomes = [
        outcome(n, {"A": n < 3, "B": n < 7}, EvidenceKind.GRID if n < 4 else EvidenceKind.PLANTED, centre=n == 0) for n in range(10)
    ]
    card = card_of(*outcomes)
    first, second = card.tallies()
    assert [(each.title, each.found, each.cases) for each in (first, second)] == [("B", 7, 10), ("A", 3, 10)]
    z, n, p = 1.959964, 10, 0.7
    middle, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert (first.low, first.high) == pytest.approx((middle - half, middle + half), abs=1e-6)
    assert [(each.title, each.found) for each in card.baselines()] == [(CONSENSUS, 10), (CENTRE, 1)]
    assert card.kinds == {EvidenceKind.GRID: 4, EvidenceKind.PLANTED: 6}
    assert [each.found for each in card.tallies(EvidenceKind.PLANTED)] == [3, 0]
    assert card.chance() == pytest.approx(0.25)
    assert not card.conclusive


def test_stability_and_fills_are_means_over_the_cases_that_have_them() -> None:
    card = card_of(outcome(0, {"A": True}, reliability={"A": 0.8}, fills={"A": 0.5}), outcome(1, {"A": True}, reliability={"A": 0.6}))
    assert card.reliability("A") == pytest.approx(0.7)
    assert card.between_fills("A") == 0.5
    assert card.reliability("B") is None


def test_a_card_is_read_back_as_it_was_written() -> None:
    card = card_of(*(outcome(n, {"A": True, "B": n > 1}, reliability={"A": 0.5}) for n in range(3)))
    assert read_card(json.dumps(card.to_json()), "c") == card


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "has format 2, and this version reads 1; make it again"),
        ({"cases": [{}]}, "is no report card"),
        ({"cases": 5}, "is no report card"),
        ({"made_with": 3}, "is no report card"),
    ],
)
def test_what_is_no_card_is_refused_in_a_sentence(change: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_card(json.dumps({**card_of(outcome(0, {"A": True})).to_json(), **change}), "m.report_card.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"format": 1}', "1"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no report card"):
        read_card(text, "c")


def test_cases_that_do_not_fit_together_are_refused() -> None:
    whole = card_of(outcome(0, {"A": True})).to_json()
    for other in (outcome(0, {"A": True}), outcome(1, {"B": True})):
        with pytest.raises(UserError, match="do not fit together"):
            read_card(json.dumps({**whole, "cases": [*whole["cases"], other.to_json()]}), "c")


def test_a_card_of_another_model_or_method_says_so() -> None:
    card = card_of(outcome(0, {"A": True}))
    assert card.mismatch({"model": "m", "methods": {"A": 1, "B": 2, "C": 9}}) == ""
    assert "another model; make it again" in card.mismatch({"model": "n", "methods": {}})
    assert "another B; make it again" in card.mismatch({"model": "m", "methods": {"A": 1, "B": 3}})


def test_the_strongest_cell_decides() -> None:
    share, where = np.zeros((4, 4)), np.zeros((64, 64), bool)
    where[:16, :16] = True
    share[0, 0], share[3, 3] = 0.6, 0.4
    assert strongest_cell_lies_in(share, where)
    assert not strongest_cell_lies_in(share[::-1], where)
    assert not strongest_cell_lies_in(None, where)


def test_methods_find_what_a_known_classifier_goes_by() -> None:
    """One red detector: the evidence is where the picture is red, and nothing else moves the score."""
    toy = Detectors((8, 8), 8, np.array([[4.0, 0], [0, 1], [0, 1]]), np.array([-1.0, 0]), np.array([[9.0, 0], [0, 1]]), np.zeros(2))
    image = np.full((64, 64, 3), 0.1, np.float32)
    image[8:24, 40:56] = (1, 0.1, 0.1)
    evidence = (image[..., 0] > 0.5).astype(bool)
    known = KnownEvidenceCase("red", EvidenceKind.MASK, image, 0, evidence)
    found = explain_known_evidence_case(
        toy, known, ToyScore(0, "centred"), [GradCAM(), Occlusion()], ExplanationSettings("Fast", fill="mean colour"), True
    )
    assert found.found == {"Grad-CAM": True, Occlusion.title: True}
    assert found.consensus
    assert not found.centre
    assert found.chance == pytest.approx(evidence.mean())
    assert found.fills["Grad-CAM"] == 1.0, "it hides nothing"
    assert found.fills[Occlusion.title] > 0.5
    elsewhere = KnownEvidenceCase("not red", EvidenceKind.MASK, image, 0, ~evidence & (np.indices((64, 64))[0] > 40))
    assert explain_known_evidence_case(toy, elsewhere, ToyScore(0, "centred"), [GradCAM()], ExplanationSettings("Fast"), False).found == {
        "Grad-CAM": False
    }
