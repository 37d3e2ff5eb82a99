"""The drawer of settings: whether the maps are of what is chosen there, and how long each preset takes."""

from typing import Any

from app.explanation import method_key
from app.formatting import format_estimated_time
from app.page.views.page_state import PageState
from app.service.request import ExplanationState
from app.service.stores.model_uploads import TOKEN


def settings_view(state: PageState) -> dict[str, Any]:
    """Seconds of each preset on this machine in words; empty before the classifier has been timed."""
    seconds = {preset: format_estimated_time(each) for preset, each in state.seconds.items()}
    return {"run": state.run, "explained": state.report is not None, "seconds": seconds, "link": _link(state.report)}


def _link(report: ExplanationState | None) -> dict[str, str]:
    """What brings this answer back, for the address of the page; nothing that names the visitor. An own picture has its name alone."""
    if report is None:
        return {}
    request = report.request
    own = {} if request.picture.example else {"picture": request.picture.name}
    link = {"model": request.classifier, "example": request.picture.example, **own, "preset": request.preset}
    link["methods"] = ",".join(method_key(method) for method in request.methods)
    link["class"] = "" if request.target is None else str(request.target)
    link["rather"] = "" if request.rather_than is None else str(request.rather_than)
    return {name: value for name, value in link.items() if value} if not request.classifier.startswith(TOKEN) else {}
