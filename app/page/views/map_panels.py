"""The grid: per method a panel with its map as codes, its state and its cost in words; then the consensus and the votes."""

from collections.abc import Sequence
from typing import Any

from app.explanation import method_key
from app.formatting import format_count_with_noun, format_duration
from app.page.views.alt_text import FAMILIES, FAMILY_HELP, KINDS, describe_map, short_class_names
from app.page.views.evidence import more_evaluations_button
from app.page.views.image_data_uris import classifier_input_data_uri, map_data_uri, photo_data_uri
from app.page.views.summary_panels import maps_on_common_grid, summary_panels_view
from app.rendering import quantise_map
from app.service.request import ExplanationState
from explainers.method import Method
from explainers.method_runner import MethodResult

WORDS = {
    "waiting": "waiting",
    "computing": "working…",
    "better": "getting sharper…",
    "converged": "",
    "rough": "≈ rough",
    "blank": "nothing for it",
    "failed": "not possible",
    "stopped": "stopped",
}
HELP = {
    "better": "More evaluations still make the map more exact.",
    "converged": "The map hardly changes when it is made again or with more evaluations. That does not make it true.",
    "rough": "Made again, or with more evaluations, the map may look different; choose Thorough.",
    "blank": "The method found nothing that speaks for the class, so there is nothing to paint.",
}
COST_HELP = (
    "An evaluation is one picture, mostly a changed one, shown to the classifier. Shared ones had been paid for by another method already."
)


def map_panels_view(report: ExplanationState, run: int) -> dict[str, Any]:
    """The panels, and the picture under every map."""
    picture: dict[str, Any] = {}
    if report.image is not None and report.photo is not None:
        height, width = report.image.shape[:2]
        picture = {"photo": photo_data_uri(report.photo), "seen": classifier_input_data_uri(report.image), "width": width, "height": height}
    panels = [*summary_panels_view(report, maps_on_common_grid(report)), *_method_panels(report)] if picture or not report.final else []
    return {"run": run, "picture": picture, "panels": panels, "summary": _summary(panels), "target": _target(report)}


def _summary(panels: Sequence[dict[str, Any]]) -> str:
    """All maps in one sentence, for those who hear the page."""
    shown = sum(bool(panel["map"]) and not panel.get("summary") for panel in panels)
    return f"{format_count_with_noun(shown, 'map')}, and what they share. Arrow keys read each map; Enter enlarges it."


def _target(report: ExplanationState) -> str:
    """The class that the maps explain."""
    if report.card is None or report.target is None:
        return ""
    return short_class_names(report.card.labels)[report.target]


def _method_panels(report: ExplanationState) -> list[dict[str, Any]]:
    """One panel per method, by kind and then in the order of the request, waiting ones too."""
    methods = sorted(report.request.methods, key=lambda method: list(FAMILIES).index(method.family))
    return [_method_panel(method, report.results.get(method_key(method)), report) for method in methods]


def _method_panel(method: Method, result: MethodResult | None, report: ExplanationState) -> dict[str, Any]:
    """What one panel shows."""
    attribution = result.attribution if result else None
    state = _panel_state(result, report)
    members = sum(one.family == method.family for one in report.request.methods)
    panel: dict[str, Any] = {
        "id": method_key(method),
        "title": method.title,
        "family": KINDS[method.family],
        "kindNote": f"{members} of one kind count once",
        "fine": method.family == "gradient",
        "cover": text_in_place_of_map(state, result, report),
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
        "more": more_evaluations_button(method, report) if report.final else None,
    }
    if attribution is not None and not attribution.blank:
        values = attribution.values
        panel["map"] = map_data_uri(attribution, lambda: quantise_map(values, method.signed))
        panel["alt"] = describe_map(method, values)
    return panel


def _panel_state(result: MethodResult | None, report: ExplanationState) -> str:
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


def text_in_place_of_map(state: str, result: MethodResult | None, report: ExplanationState) -> str:
    """What stands in place of a map."""
    if state == "blank":
        return f"Nothing speaks for “{_target(report)}” here"
    if state == "failed" and result is not None:
        return f"Not possible for this model: {result.error}"
    return "Not reached" if state == "stopped" else ""


def _cost(result: MethodResult | None) -> str:
    if result is None or not (result.evaluations or result.shared):
        return ""
    if not result.evaluations:
        return f"{format_count_with_noun(result.shared, 'evaluation')}, shared"
    return format_count_with_noun(result.evaluations, "evaluation") + (f" and {result.shared:,} shared" if result.shared else "")


def _note(result: MethodResult | None) -> str:
    """Why a map is empty, failed or has not converged, or what it rests on; otherwise nothing."""
    if result is None:
        return ""
    if result.error:
        return result.error
    attribution = result.attribution
    if attribution is None:
        return ""
    return attribution.blank or ("" if attribution.converged else attribution.remark) or attribution.caveat
