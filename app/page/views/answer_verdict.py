"""The answer strip: what the classifier says, how sure it is, where the kinds of method point, and whether that holds when it is tested."""

from typing import Any

import numpy as np

from app.conclusion import ConclusionFacts, PictureConclusion, conclude_from_facts
from app.conclusion_facts import PictureFindings, gather_conclusion_facts
from app.formatting import format_estimated_time, format_probability, format_quantity
from app.page.views.alt_text import short_class_names
from app.page.views.page_state import PageState
from app.service.request import ExplanationState
from examples import examples_for
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenConsensusMetric, HiddenPlaceOutcome

Phrase = tuple[str, bool]
Tag = dict[str, str]
VERY_SURE, FAIRLY_SURE = 0.95, 0.60


def verdict_view(state: PageState) -> dict[str, Any]:
    """The picture's facts, what the classifier says, the tag, and the first two of the three lines."""
    report, example = state.report, state.example
    assert report is not None
    chosen = report.request.picture
    title = example.title if example else chosen.name
    size = f" \u00b7 seen at {report.image.shape[1]} \u00d7 {report.image.shape[0]} pixels" if report.image is not None else ""
    value: dict[str, Any] = {
        "run": state.run,
        "alt": f"The picture explained: {title}",
        "facts": title + size,
        "caption": example.caption if example else "",
        "credit": example.credit if example else "",
        "notes": " ".join(report.picture_notes),
        "page": chosen.page,
        "pages": report.pages,
        "tag": None,
        "where": [],
    }
    if report.probabilities is None or report.card is None:
        return value | {"sentence": "Loading the classifier\u2026" if report.state == "loading" else "", "sure": ""}
    top = int(np.argmax(report.probabilities))
    name = short_class_names(report.card.labels)[top]
    value |= {"sentence": f"It says \u201c{name}\u201d", "sure": _sure(report, top)}
    if report.card.head == "number":
        value |= {"sentence": f"It gives {format_quantity(float(report.probabilities[top]), report.card.unit)}", "sure": ""}
    facts = conclusion_facts_of_report(report)
    if facts is None:
        return value | {"tag": _progress_tag(report), "where": [[(_unfinished(report), False)]]}
    return value | {"tag": verdict_tag(facts), "where": conclusion_phrases(facts, conclude_from_facts(facts)), "offer": _offer(report)}


def empty_verdict_view(state: PageState) -> dict[str, Any]:
    """Before there is a picture: what to do."""
    words = "Drop a picture anywhere on this page" + (", or take an example." if state.examples else ".")
    sentence = "Where did the classifier look, and should you believe it?"
    return {"run": state.run, "sentence": sentence, "where": [[(words, False)]], "tag": None}


def conclusion_facts_of_report(report: ExplanationState) -> ConclusionFacts | None:
    """What was measured; None before the maps were compared."""
    if not report.final or report.measures.agreement is None or report.card is None or report.target is None:
        return None
    found = PictureFindings(
        labels=[label.name for label in report.card.labels],
        size=report.card.size,
        target=report.target,
        results=list(report.results.values()),
        consistency=report.measures.consistency,
        hidden=report.measures.of(HiddenConsensusMetric),
    )
    return gather_conclusion_facts(found, report.measures.card)


def verdict_tag(facts: ConclusionFacts) -> Tag:
    """The answer to "do I believe it?" in a few words, and its tone: good, warn, bad or unsure."""
    found, hiding = facts.agreement, facts.hiding
    if found is None or found.kinds < 2:
        return {"tone": "unsure", "text": "Nothing to compare"}
    if hiding and hiding.outcome == HiddenPlaceOutcome.FOLLOWS and hiding.at_edge and found.strength != AgreementLevel.NONE:
        return {"tone": "warn", "text": "At the edge: may be a shortcut"}
    if found.strength == AgreementLevel.CANNOT_TELL:
        return {"tone": "unsure", "text": "Agreement cannot be told yet"}
    if found.strength == AgreementLevel.NONE:
        return {"tone": "bad", "text": "No agreement"}
    if hiding and hiding.outcome != HiddenPlaceOutcome.FOLLOWS:
        return {"tone": "bad", "text": "The answer does not follow the maps"}
    if found.strength == AgreementLevel.SOME:
        return {"tone": "warn", "text": "Some agreement, and it holds when tested" if hiding else "Some agreement"}
    if hiding:
        return {"tone": "good", "text": "They agree, and it holds when tested"}
    return {"tone": "unsure", "text": "They agree; not tested yet"}


def conclusion_phrases(facts: ConclusionFacts, conclusion: PictureConclusion) -> list[list[Phrase]]:
    """The three lines, the place standing out where it is named first."""
    place = facts.agreement.place if facts.agreement else ""
    lines = []
    for line in conclusion.lines:
        before, found, after = line.partition(place) if place else (line, "", "")
        lines.append([phrase for phrase in ((before, False), (found, True), (after, False)) if phrase[0]])
        place = ""
    return lines


def _offer(report: ExplanationState) -> dict[str, str] | None:
    """The button that hides the place, where that did not run by itself; None while it cannot be pressed."""
    key, measures = HiddenConsensusMetric.key, report.measures
    price = measures.prices.get(key)
    if measures.of(HiddenConsensusMetric) or measures.running or price is None or not price.evaluations:
        return None
    return {"kind": key, "text": f"Hide that place and evaluate again, {format_estimated_time(price.seconds)}"}


def _progress_tag(report: ExplanationState) -> Tag | None:
    if report.state == "stopped":
        return {"tone": "warn", "text": "Stopped before all maps were done"}
    return None


def _unfinished(report: ExplanationState) -> str:
    if not report.final:
        return "The verdict comes when all kinds of method have answered."
    return "The maps are being compared\u2026" if report.measures.running else "The maps were not compared."


def _sure(report: ExplanationState, top: int) -> str:
    """In words only where the confidence was measured on pictures of this kind; else what the classifier gives itself."""
    assert report.probabilities is not None
    share = float(report.probabilities[top])
    if not confidence_was_measured(report):
        return f"it gives itself {format_probability(share)}"
    words = "very sure" if share >= VERY_SURE else "fairly sure" if share >= FAIRLY_SURE else "unsure"
    return f"{words}, {format_probability(share)}"


def confidence_was_measured(report: ExplanationState) -> bool:
    """Whether the confidence is calibrated, and the picture of the kind that it was measured on: only its own examples are known to be."""
    picture, classifier = report.request.picture, report.request.classifier
    known = bool(picture.example) and any(example.name == picture.example for example in examples_for(classifier))
    return known and report.card is not None and report.card.temperature != 1.0
