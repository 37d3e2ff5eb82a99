"""The parts of the page: one line each. Layout, event bindings, the empty page, answers and scripts are derived from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.page.views.agreement import agreement_view
from app.page.views.answer_verdict import empty_verdict_view, verdict_view
from app.page.views.deletion_curves import deletion_slider_view
from app.page.views.evidence import trust_view
from app.page.views.inspection import inspection_view
from app.page.views.map_panels import map_panels_view
from app.page.views.page_state import PageState
from app.page.views.picture import empty_picture_view, picture_view
from app.page.views.prediction import empty_prediction_view, prediction_view, preprocessing_guess_view
from app.page.views.region import region_view
from app.page.views.settings_drawer import settings_view
from app.page.views.status_line import status_view
from app.page.views.summary_questions import questions_view
from app.service.request import ExplanationState
from app.service.services import Services

Place = Literal["rail", "top", "notice", "answer", "status line", "maps", "trust", "drawer", "end"]
View = Callable[[PageState], dict[str, Any]]


def _empty_part(state: PageState) -> dict[str, Any]:
    """An empty part."""
    return {}


def _always_available(services: Services) -> bool:
    """For a part that every server has."""
    return True


@dataclass(frozen=True)
class PagePart:
    """A part of the page that its own script paints.

    name: of its component, whose id is `cc-<name>`. view: what it shows of an answer; None where it shows nothing of one. script: its
    module below static/parts, the name where it is empty. place: where it stands in the layout, after the parts before it. events: what
    its script triggers -> the kind of event, one of `PageEvents.handlers` or, for any other, one that begins a run. empty: what it shows
    before there is a picture. enabled: whether this server has the part.
    """

    name: str
    view: View | None
    script: str = ""
    place: Place = "end"
    events: Mapping[str, str] = field(default_factory=dict)
    empty: View = _empty_part
    enabled: Callable[[Services], bool] = _always_available


def _report_view(view: Callable[[ExplanationState, int], dict[str, Any]]) -> View:
    """A view of the report and the run alone."""

    def of_state(state: PageState) -> dict[str, Any]:
        assert state.report is not None
        return view(state.report, state.run)

    return of_state


def _trust_part(state: PageState) -> dict[str, Any]:
    """What speaks for and against each map, with the scores in the visitor's region."""
    assert state.report is not None
    return trust_view(state.report, state.run, state.region_rows[0], state.region.source if state.region else "drawn")


PARTS = (
    PagePart("picture", picture_view, place="rail", events={"pick": "picked", "drop": "remove picture"}, empty=empty_picture_view),
    PagePart("settings", settings_view, place="top", events={"restore": "restore"}, empty=settings_view),
    PagePart("guess", _report_view(preprocessing_guess_view), place="notice"),
    PagePart("verdict", verdict_view, place="answer", events={"measure": "measure", "turn": "page"}, empty=empty_verdict_view),
    PagePart("prediction", _report_view(prediction_view), place="answer", events={"target": "bar"}, empty=empty_prediction_view),
    PagePart("status", _report_view(status_view), place="status line", events={"nudge": "resync"}),
    PagePart("grid", _report_view(map_panels_view), "panels", "maps", {"parameters": "parameters", "more": "more"}),
    PagePart("questions", questions_view, place="maps", empty=questions_view),
    PagePart("agreement", _report_view(agreement_view), place="maps"),
    PagePart("trust", _trust_part, "evidence", "trust", {"more": "more", "measure": "measure", "halt": "stop measure"}),
    PagePart("slides", _report_view(deletion_slider_view), "deletion_curves", "trust"),
    PagePart("region", region_view, place="trust", events={"region": "region"}),
    PagePart("doctor", inspection_view, "inspection", "end", {"examine": "inspect", "halt": "stop inspection"}, empty=inspection_view),
    PagePart(
        "bring", None, "model_upload", "drawer", {"bring": "upload model"}, enabled=lambda services: services.model_uploads is not None
    ),
    PagePart("forget", None, place="drawer", events={"forget": "forget"}),
)
PAINTED = tuple(part for part in PARTS if part.view)
"""The parts whose values the server sends."""
