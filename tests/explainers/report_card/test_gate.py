"""The advice: its rule by hand, and its recorded verdict, which has to be of the rule and the methods as they are."""

import json
from dataclasses import replace

import pytest

from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.report_card import gate
from explainers.report_card.advice import advised_map, card_shares, hidden_ranks
from explainers.report_card.card import CaseOutcome, ReportCard
from explainers.report_card.gate import FILE, recorded_gate, rule_version
from explainers.report_card.known_cases import Kind


def test_the_verdict_is_of_the_rule_as_it_is() -> None:
    assert recorded_gate().rule == rule_version(), "run python -m benchmarks.advice again, with --write"


def test_what_is_shown_follows_from_the_recorded_sets() -> None:
    written = json.loads(FILE.read_text(encoding="utf-8"))
    assert [each["name"] for each in written["sets"]] == ["phantoms", "glass boxes", "grid game", "boxes"]
    for each in written["sets"]:
        assert each["beats_random"] == (each["over_random"][1] > 0)
    assert written["passed"] == all(each["beats_random"] and each["no_worse_than_fixed"] for each in written["sets"])
    assert recorded_gate().pictures == sum(each["pictures"] for each in written["sets"]) > 0


def test_a_changed_rule_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not recorded_gate().stale
    assert replace(recorded_gate(), rule="older").stale
    before = rule_version()
    for name, value in (("PATCH", 0.5), ("advised_map", lambda shares, falls, weight: "LIME"), ("found_at", lambda share, where: True)):
        with monkeypatch.context() as changed:
            changed.setattr(gate, name, value)
            rule_version.cache_clear()
            assert rule_version() != before
    rule_version.cache_clear()
    assert rule_version() == before


def test_ranks_and_advice_by_hand() -> None:
    falls = {"A": 3.0, "B": 1.0, "C": 1.0}
    assert hidden_ranks(falls) == {"A": 1.0, "B": 0.25, "C": 0.25}
    shares = {"A": 0.5, "B": 0.9, "C": 0.9, "D": 1.0}
    assert advised_map(shares, falls, 0.0) == "B", "the first of two; D was not hidden"
    assert advised_map(shares, falls, 1.0) == "A"
    with pytest.raises(ValueError, match="no map"):
        advised_map({"D": 1.0}, falls, 0.0)


def test_the_cards_shares_with_the_consensus_under_its_title_among_the_maps() -> None:
    outcomes = [CaseOutcome(str(n), Kind.GRID, 0.25, False, n < 3, {"A": n < 1, "B": n < 2}, {}, {}) for n in range(4)]
    assert card_shares(ReportCard({}, tuple(outcomes))) == {"A": 0.25, "B": 0.5, CONSENSUS: 0.75}
