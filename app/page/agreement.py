"""The table of agreement: how alike each pair of maps is, with numbers, colours and words; chance is not yet taken out."""

from itertools import combinations
from typing import Any

from app.session import Report, key_of
from explainers.measures.agreement import agreement_of

LEAD = "Raw similarity of each pair of maps, from 0 to 1: same strongest places, same share of evidence, same order. Chance is not yet taken out."
WORDS = (
    "Read it with care: two maps that have nothing to do with each other already reach about 0.2 to 0.4 here, more where both light the centre. "
    "Only differences between pairs of this one table say something.",
    "Methods of one family (Grad-CAM, Grad-CAM++ and Score-CAM; LIME and SHAP) ask nearly the same question, so that they agree says little.",
    "Agreeing explanations can all be wrong: they would agree as well on what the classifier should not have looked at.",
)
RAMP = ((239, 242, 248), (166, 202, 219), (82, 140, 178), (24, 70, 120))


def table_of(report: Report) -> dict[str, Any]:
    """The table's rows and columns are the methods of the question; pairs without two maps stay empty."""
    methods = [{"id": key_of(method), "title": method.title} for method in report.question.methods]
    pairs = [pair_of(a, b, report) for a, b in combinations(report.question.methods, 2)]
    return {
        "lead": LEAD,
        "words": list(WORDS),
        "hint": "Point at a pair to read it in words; press it to compare the two maps.",
        "methods": methods,
        "pairs": [pair for pair in pairs if pair],
    }


def ramp(value: float) -> tuple[str, str]:
    """A score from 0 to 1 -> background and ink with a contrast above 4.5."""
    position = min(max(value, 0.0), 0.9999) * (len(RAMP) - 1)
    low, part = int(position), position - int(position)
    colour = [round(a + (b - a) * part) for a, b in zip(RAMP[low], RAMP[low + 1], strict=True)]
    return f"rgb({colour[0]} {colour[1]} {colour[2]})", "#fff" if value > 0.6 else "#10192e"


def pair_of(a: Any, b: Any, report: Report) -> dict[str, Any] | None:
    return None
