"""The three lines: every state in words that anybody reads, each with its numbers, and nothing claimed that was not measured."""

import itertools
import re
from dataclasses import replace

import pytest

from app.conclusion import (
    WORDS,
    AgreementFacts,
    ConclusionFacts,
    HidingFacts,
    ReportCardFacts,
    conclude_from_facts,
    overall_agreement_level,
)
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceOutcome
from explainers.report_card.report_card_file import FoundCount

CANNOT, NONE, SOME, STRONG = AgreementLevel
AGREEMENT = AgreementFacts(STRONG, kinds=4, agreeing=6, told=6, pairs=6, place="the lower edge")
HIDING = HidingFacts(HiddenPlaceOutcome.FOLLOWS, "the lower edge", 0.1, 0.998, 0.06, "plain", 20, 20, at_edge=True)
RECORD = ReportCardFacts(
    FoundCount("Integrated Gradients", 91, 100, 0.84, 0.95),
    FoundCount("Grad-CAM", 74, 100, 0.65, 0.82),
    FoundCount("consensus", 88, 100, 0.8, 0.93),
    0.2,
)
FACTS = ConclusionFacts("streaks", AGREEMENT, HIDING, RECORD)
JARGON = re.compile(
    r"[Α-ωκμσ]|kappa|p-value|null|saliency|attribution|heatmap|faithful|logit|significan|famil|surrogate|gradient(?!s found)", re.I
)

AGREEMENTS = [
    None,
    replace(AGREEMENT, kinds=1, agreeing=0, told=0, pairs=0),
    replace(AGREEMENT, strength=CANNOT, agreeing=0, told=0, has_library=False),
    replace(AGREEMENT, strength=CANNOT, agreeing=0, told=2),
    replace(AGREEMENT, strength=NONE, agreeing=0),
    replace(AGREEMENT, strength=SOME, agreeing=3),
    AGREEMENT,
    replace(AGREEMENT, place="several places"),
]
HIDINGS = [
    None,
    HIDING,
    replace(HIDING, at_edge=False, place="the upper left", answer=""),
    replace(HIDING, outcome=HiddenPlaceOutcome.STAYS, after=0.97, answer=""),
    replace(HIDING, outcome=HiddenPlaceOutcome.NO_MORE, more_than=7, after=0.97, answer=""),
    replace(HIDING, place="several places"),
]
RECORDS = [None, RECORD, replace(RECORD, advised="Integrated Gradients")]
LABELS = ["streaks", "spider monkey, Ateles geoffroyi, a very long name", "an extraordinarily long name of a class in many words"]
EVERY = [ConclusionFacts(label, *rest) for label in LABELS for rest in itertools.product(AGREEMENTS, HIDINGS, RECORDS)]


def sentences(line: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", line)


def test_every_state_is_three_lines_of_short_plain_sentences() -> None:
    for facts in EVERY:
        for line in conclude_from_facts(facts).lines:
            assert line.endswith((".", ".”"))
            assert not JARGON.search(line.replace("Integrated Gradients", "")), line
            for each in sentences(line):
                assert len(each.split()) <= WORDS, f"{len(each.split())} words: {each}"


def test_every_line_gives_its_numbers() -> None:
    for facts in EVERY:
        lines = conclude_from_facts(facts)
        assert re.search(r"\d", lines.agreement), lines.agreement
        assert re.search(r"\d", lines.hiding) or facts.agreement is None, lines.hiding
        assert re.search(r"\d", lines.record), lines.record


def test_the_words_of_each_strength() -> None:
    strong, some, none, cannot = (
        conclude_from_facts(replace(FACTS, agreement=replace(AGREEMENT, strength=strength, agreeing=agreeing))).agreement
        for strength, agreeing in ((STRONG, 6), (SOME, 3), (NONE, 0), (CANNOT, 0))
    )
    assert (
        strong == "All 4 kinds of method agree, at the lower edge: 6 of 6 pairs of kinds agree beyond chance. They can still all be wrong."
    )
    assert some.startswith("The 4 kinds of method partly overlap, at the lower edge: 3 of 6 pairs of kinds agree beyond chance.")
    assert "Do not rest on any single map." in some
    assert none.startswith("The 4 kinds of method point to different places: 0 of 6 pairs")
    assert "Believe none of them before its place has been hidden." in none
    assert "cannot be told yet" in cannot
    assert "6 of 6 pairs" in cannot


def test_without_a_library_and_a_report_card_nothing_is_claimed() -> None:
    facts = ConclusionFacts("dog", replace(AGREEMENT, strength=CANNOT, agreeing=0, told=0, has_library=False), None, None)
    lines = conclude_from_facts(facts)
    assert lines.agreement == (
        "Whether the 4 kinds of method agree cannot be told yet: there are no maps of other pictures to compare with."
    )
    assert lines.hiding == "Their shared place has not been hidden yet; that takes 21 evaluations."
    assert lines.record == "No method has been tested on this classifier (0 cases of known evidence), so none is recommended."


def test_a_suspected_shortcut_names_the_edge_and_that_the_answer_changes() -> None:
    line = conclude_from_facts(FACTS).hiding
    assert line == (
        "Hide the lower edge (10 % of the picture), and “streaks” falls from 99.8 % to 6.0 %. "
        "Of 20 equally large places elsewhere, 20 cost less. Then the answer is “plain”. "
        "What lies at an edge may be a shortcut: look at it."
    )


@pytest.mark.parametrize("outcome", [HiddenPlaceOutcome.STAYS, HiddenPlaceOutcome.NO_MORE])
def test_no_shortcut_is_suspected_where_the_answer_does_not_follow(outcome: HiddenPlaceOutcome) -> None:
    assert "shortcut" not in conclude_from_facts(replace(FACTS, hiding=replace(HIDING, outcome=outcome))).hiding
    assert "shortcut" not in conclude_from_facts(replace(FACTS, hiding=replace(HIDING, at_edge=False))).hiding


def test_maps_whose_place_does_not_matter_are_not_to_be_believed() -> None:
    line = conclude_from_facts(replace(FACTS, hiding=HIDINGS[4])).hiding
    assert line.endswith(
        "Of 20 equally large places elsewhere, 7 cost less. The answer does not follow that place: do not believe these maps."
    )


def test_the_record_says_what_was_found_and_recommends_only_what_was_advised() -> None:
    line = conclude_from_facts(FACTS).record
    assert line.startswith(
        "On this classifier, with evidence that was known, Integrated Gradients found it in 91 of 100 cases, Grad-CAM in 74; "
        "the consensus in 88."
    )
    assert "By chance it would be 20." in line
    assert "Look first" not in line
    assert conclude_from_facts(replace(FACTS, record=RECORDS[2])).record.endswith("Look first at Integrated Gradients.")


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], CANNOT),
        ([CANNOT] * 6, CANNOT),
        ([NONE] * 6, NONE),
        ([NONE] * 3 + [CANNOT] * 3, CANNOT),
        ([NONE] * 4 + [CANNOT] * 2, NONE),
        ([STRONG] * 6, STRONG),
        ([STRONG] * 2 + [SOME] * 2 + [CANNOT] * 2, STRONG),
        ([STRONG] * 3 + [SOME] * 2 + [NONE], SOME),
        ([SOME] * 6, SOME),
        ([SOME] + [NONE] * 5, SOME),
        ([SOME] + [CANNOT] * 5, SOME),
        ([STRONG] + [CANNOT] * 5, SOME),
    ],
)
def test_the_strength_of_all_together(levels: list[AgreementLevel], expected: AgreementLevel) -> None:
    assert overall_agreement_level(levels) == expected
