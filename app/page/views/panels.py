"""The grid: per method a panel with its map as codes, its state and its cost in words; then the consensus and the votes."""

from typing import Any

from app.explanation import key_of
from app.formatting import format_duration, plural
from app.page.views.alt_text import FAMILIES, FAMILY_HELP, map_description
from app.page.views.evidence import more
from app.page.views.images import codes_uri, photo_uri, seen_uri
from app.page.views.summaries import evidence_of, summaries
from app.rendering import scaled
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.runner import Result

WORDS = {
    "waiting": "waiting",
    "computing": "computing",
    "better": "getting sharper",
    "converged": "converged",
    "rough": "not converged",
    "blank": "no positive evidence",
    "failed": "failed",
    "stopped": "stopped",
}
HELP = {
    "better": "More evaluations still make the map more exact.",
    "converged": "The map hardly changes when it is made anew or with more evaluations. That does not make it true.",
    "rough": "Made anew, or with more evaluations, the map may look different; choose Thorough.",
    "blank": "The method found nothing that speaks for the class, so there is nothing to paint.",
}
COST_HELP = (
    "An evaluation is one picture, mostly a changed one, shown to the classifier. Shared ones had been paid for by another method already."
)


def grid(report: ExplanationState, run: int) -> dict[str, Any]:
    """The panels, and the picture under every map."""
    picture: dict[str, Any] = {}
    if report.image is not None and report.photo is not None:
        height, width = report.image.shape[:2]
        picture = {"photo": photo_uri(report.photo), "seen": seen_uri(report.image), "width": width, "height": height}
    panels = [*panels_of(report), *summaries(report, evidence_of(report))] if picture or not report.final else []
    return {"run": run, "picture": picture, "panels": panels}


def panels_of(report: ExplanationState) -> list[dict[str, Any]]:
    """One panel per method in the order of the request, waiting ones too."""
    return [panel_of(method, report.results.get(key_of(method)), report) for method in report.request.methods]


def panel_of(method: Method, result: Result | None, report: ExplanationState) -> dict[str, Any]:
    """What one panel shows."""
    attribution = result.attribution if result else None
    state = state_of(result, report)
    panel: dict[str, Any] = {
        "id": key_of(method),
        "title": method.title,
        "family": FAMILIES[method.family],
        "state": state,
        "word": WORDS[state],
        "wordHelp": HELP.get(state, ""),
        "help": FAMILY_HELP[method.family],
        "cost": _cost(result),
        "costHelp": COST_HELP,
        "time": format_duration(result.seconds) if result and result.seconds else "",
        "note": _note(result),
        "alt": f"{method.title}: {WORDS[state]}.",
        "map": "",
        "signed": method.signed,
        "final": result.done if result else report.final,
        "parameters": method.parameter_values(),
        "version": result.evaluations if result else 0,
        "more": more(method, report) if report.final else None,
    }
    if attribution is not None and not attribution.blank:
        values = attribution.values
        panel["map"] = codes_uri(attribution, lambda: scaled(values, method.signed))
        panel["alt"] = map_description(method, values)
    return panel


def state_of(result: Result | None, report: ExplanationState) -> str:
    """waiting, computing, better (a first map is there), converged, rough, blank, failed or stopped."""
    if result is None or (result.attribution is None and not result.error):
        waiting = "computing" if report.state == "running" else "waiting"
        return "stopped" if report.final else waiting
    if result.attribution is None:
        return "stopped" if report.state == "stopped" else "failed"
    if result.attribution.blank:
        return "blank"
    if not result.done:
        return "better"
    return "converged" if result.attribution.converged else "rough"


def _cost(result: Result | None) -> str:
    if result is None or not (result.evaluations or result.shared):
        return ""
    if not result.evaluations:
        return f"{plural(result.shared, 'evaluation')}, shared"
    return plural(result.evaluations, "evaluation") + (f" and {result.shared:,} shared" if result.shared else "")


def _note(result: Result | None) -> str:
    """Why a map is empty, failed or has not converged, or what it rests on; otherwise nothing."""
    if result is None:
        return ""
    if result.error:
        return result.error
    attribution = result.attribution
    if attribution is None:
        return ""
    return attribution.blank or ("" if attribution.converged else attribution.remark) or attribution.caveat
