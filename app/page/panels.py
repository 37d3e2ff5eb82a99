"""The grid's panels: for each method its map as codes, and its state, cost and meaning in words; the consensus comes last."""

from dataclasses import asdict
from typing import Any

from app.page.pictures import codes_uri
from app.page.words import described, duration, plural
from app.render import scaled
from app.session import Report, key_of
from explainers.method import Method
from explainers.study import Result

FAMILIES = {"CAM": "class activation", "surrogate": "surrogate model", "occlusion": "occlusion", "gradient": "gradient"}


def panels_of(report: Report) -> list[dict[str, Any]]:
    """A panel a method in the order of the question, waiting ones too."""
    return [panel_of(method, report.results.get(key_of(method)), report) for method in report.question.methods]


def panel_of(method: Method, result: Result | None, report: Report) -> dict[str, Any]:
    """What one panel shows."""
    attribution = result.attribution if result else None
    painted = attribution is not None and not attribution.blank
    state = state_of(result, report)
    panel: dict[str, Any] = {
        "id": key_of(method),
        "title": method.title,
        "family": FAMILIES[method.family],
        "state": state,
        "word": _word(state, result),
        "cost": _cost(result),
        "time": duration(result.seconds) if result and result.seconds else "",
        "note": _note(result),
        "alt": f"{method.title}: {_word(state, result)}.",
        "map": "",
        "signed": method.signed,
        "final": result.done if result else report.final,
        "parameters": asdict(method),
        "version": result.evaluations if result else 0,
    }
    if painted:
        values = attribution.values
        panel["map"] = codes_uri(attribution, lambda: scaled(values, method.signed))
        panel["alt"] = described(method, values)
    return panel


def state_of(result: Result | None, report: Report) -> str:
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


def _word(state: str, result: Result | None) -> str:
    words = {
        "waiting": "waiting",
        "computing": "computing",
        "better": "getting sharper",
        "converged": "converged",
        "rough": "not converged",
        "blank": "no positive evidence",
        "failed": "failed",
        "stopped": "stopped",
    }
    return words[state]


def _cost(result: Result | None) -> str:
    if result is None or not (result.evaluations or result.shared):
        return ""
    shared = f", {result.shared:,} shared" if result.shared else ""
    return f"{plural(result.evaluations, 'evaluation')}{shared}"


def _note(result: Result | None) -> str:
    """Why a map is blank, failed or rough; otherwise nothing."""
    if result is None:
        return ""
    if result.error:
        return result.error
    attribution = result.attribution
    if attribution is None:
        return ""
    return attribution.blank or ("" if attribution.converged else attribution.remark)
