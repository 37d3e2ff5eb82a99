"""The three questions below the maps, each with its answer in one line."""

from typing import Any

from app.conclusion import ConclusionFacts
from app.formatting import format_probability, format_score
from app.page.views.answer_verdict import conclusion_facts_of_report
from app.page.views.page_state import PageState
from app.service.request import ExplanationState
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceOutcome

Answer = dict[str, str]


def questions_view(state: PageState) -> dict[str, Any]:
    """Name of a question -> its answer and the tone of it: good, bad, warn or none."""
    report = state.report
    answers: dict[str, Answer] = {"doctor": _read_rightly(state)}
    if report is not None:
        facts = conclusion_facts_of_report(report)
        answers |= {"agreement": _agree(report, facts), "trust": _follows(report, facts)}
    return {"run": state.run, "answers": answers}


def _answer(text: str, tone: str = "none") -> Answer:
    return {"text": text, "tone": tone}


def _agree(report: ExplanationState, facts: ConclusionFacts | None) -> Answer:
    """One word and one score from 0 to 1, where there is one."""
    if facts is None:
        return _answer("Being compared\u2026" if report.measures.running else "Known when all maps are finished.")
    found, consistency = facts.agreement, report.measures.consistency
    if found is None or found.kinds < 2:
        return _answer("There is nothing to compare.")
    score = f": {format_score(consistency.ceiling)} of 1" if consistency and consistency.ceiling is not None else ""
    return {
        AgreementLevel.CANNOT_TELL: _answer("It cannot be told yet."),
        AgreementLevel.NONE: _answer("No; none of them supports another.", "bad"),
        AgreementLevel.SOME: _answer(f"Partly{score}.", "warn"),
        AgreementLevel.STRONG: _answer(f"Yes, strongly{score}.", "good"),
    }[found.strength]


def _follows(report: ExplanationState, facts: ConclusionFacts | None) -> Answer:
    hiding = facts.hiding if facts else None
    if hiding is None:
        return _answer("Not tested yet.")
    after = format_probability(hiding.after)
    if hiding.outcome == HiddenPlaceOutcome.FOLLOWS:
        return _answer(f"Yes: hide that place and {format_probability(hiding.before)} becomes {after}.", "good")
    if hiding.outcome == HiddenPlaceOutcome.STAYS:
        return _answer("Only a little: other places carry the answer too.", "warn")
    return _answer("No: hiding other places changes it as much.", "bad")


def _read_rightly(state: PageState) -> Answer:
    inspection = state.inspection
    if inspection and inspection.state == "running":
        return _answer("Being examined\u2026")
    card = state.report.card if state.report else None
    if card is None:
        return _answer("Not examined yet.")
    return _answer("Guessed; check it with pictures you know.", "warn") if card.inferred else _answer("Yes, as its card says.", "good")
