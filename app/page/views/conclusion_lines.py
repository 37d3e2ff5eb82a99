"""The three lines above the tabs: whether the maps agree, what hiding their place showed, what has proved itself on this classifier."""

from typing import Any

from app.conclusion import conclude
from app.conclusion_facts import PictureFindings, gather_facts
from app.service.request import ExplanationState
from explainers.metrics.faithfulness.hidden_place import HiddenConsensusMetric

TITLE = "What these maps say"
READING = "How to read this: docs/reading.md, one page without formulas."


def conclusion_view(report: ExplanationState, run: int) -> dict[str, Any]:
    """No lines before the maps were compared."""
    if not report.final or report.measures.agreement is None or report.card is None or report.target is None:
        return {"run": run, "title": TITLE, "lines": []}
    found = PictureFindings(
        labels=[label.name for label in report.card.labels],
        size=report.card.size,
        target=report.target,
        results=list(report.results.values()),
        consistency=report.measures.consistency,
        hidden=report.measures.of(HiddenConsensusMetric),
    )
    return {"run": run, "title": TITLE, "lines": list(conclude(gather_facts(found, report.measures.card)).lines), "reading": READING}
