"""The advice: its rule by hand, and its recorded verdict, which has to be of the rule and the methods as they are."""

import json
from dataclasses import replace

import pytest

from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.report_card import recommendation_gate
from explainers.report_card.known_evidence_cases import EvidenceKind
from explainers.report_card.map_recommendation import found_shares_by_title, ranks_by_hidden_place_fall, recommended_map
from explainers.report_card.recommendation_gate import FILE, read_recommendation_gate, recommendation_rule_fingerprint
from explainers.report_card.report_card_file import KnownEvidenceOutcome, ReportCard


def test_the_verdict_is_of_the_rule_as_it_is() -> None:
    assert read_recommendation_gate().rule == recommendation_rule_fingerprint(), "run python -m benchmarks.advice again, with --write"


def test_what_is_shown_follows_from_the_recorded_sets() -> None:
    written = json.loads(FILE.read_text(encoding="utf-8"))
    assert [each["name"] for each in written["sets"]] == ["phantoms", "glass boxes", "grid game", "boxes"]
    for each in written["sets"]:
        assert each["beats_random"] == (each["over_random"][1] > 0)
    assert written["passed"] == all(each["beats_random"] and each["no_worse_than_fixed"] for each in written["sets"])
    assert read_recommendation_gate().pictures == sum(each["pictures"] for each in written["sets"]) > 0


def test_a_changed_rule_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_recommendation_gate().stale
    assert replace(read_recommendation_gate(), rule="older").stale
    before = recommendation_rule_fingerprint()
    for name, value in (
        ("PATCH", 0.5),
        ("recommended_map", lambda shares, falls, weight: "LIME"),
        ("strongest_cell_lies_in", lambda share, where: True),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(recommendation_gate, name, value)
            recommendation_rule_fingerprint.cache_clear()
            assert recommendation_rule_fingerprint() != before
    recommendation_rule_fingerprint.cache_clear()
    assert recommendation_rule_fingerprint() == before


def test_ranks_and_advice_by_hand() -> None:
    falls = {"A": 3.0, "B": 1.0, "C": 1.0}
    assert ranks_by_hidden_place_fall(falls) == {"A": 1.0, "B": 0.25, "C": 0.25}
    shares = {"A": 0.5, "B": 0.9, "C": 0.9, "D": 1.0}
    assert recommended_map(shares, falls, 0.0) == "B", "the first of two; D was not hidden"
    assert recommended_map(shares, falls, 1.0) == "A"
    with pytest.raises(ValueError, match="no map"):
        recommended_map({"D": 1.0}, falls, 0.0)


def test_the_cards_shares_with_the_consensus_under_its_title_among_the_maps() -> None:
    outcomes = [KnownEvidenceOutcome(str(n), EvidenceKind.GRID, 0.25, False, n < 3, {"A": n < 1, "B": n < 2}, {}, {}) for n in range(4)]
    assert found_shares_by_title(ReportCard({}, tuple(outcomes))) == {"A": 0.25, "B": 0.5, CONSENSUS: 0.75}
