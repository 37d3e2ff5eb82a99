"""The parts of the page: one line each. Layout, event bindings, the empty page, answers and scripts are derived from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.page.views.agreement import agreement
from app.page.views.deletion_curves import slides
from app.page.views.evidence import trust
from app.page.views.inspection import inspection
from app.page.views.panels import grid
from app.page.views.picture import empty_picture, picture
from app.page.views.prediction import empty_prediction, prediction
from app.page.views.region import region
from app.page.views.state import PageState
from app.page.views.status import status
from app.service.request import ExplanationState
from app.service.services import Services

Place = Literal["left", "settings", "answer", "status line", "maps", "trust", "end"]
View = Callable[[PageState], dict[str, Any]]


def nothing(state: PageState) -> dict[str, Any]:
    """An empty part."""
    return {}


def always(services: Services) -> bool:
    """For a part that every server has."""
    return True


@dataclass(frozen=True)
class Part:
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
    empty: View = nothing
    enabled: Callable[[Services], bool] = always


def of_report(view: Callable[[ExplanationState, int], dict[str, Any]]) -> View:
    """A view of the report and the run alone."""

    def of_state(state: PageState) -> dict[str, Any]:
        assert state.report is not None
        return view(state.report, state.run)

    return of_state


def evidence(state: PageState) -> dict[str, Any]:
    """The Trust tab's first part, with the scores in the visitor's region."""
    assert state.report is not None
    return trust(state.report, state.run, state.region_rows[0], state.region.source if state.region else "drawn")


PARTS = (
    Part("picture", picture, place="left", events={"pick": "picked"}, empty=empty_picture),
    Part("forget", None, place="left", events={"forget": "forget"}),
    Part("bring", None, "model_upload", "settings", {"bring": "upload model"}, enabled=lambda services: services.model_uploads is not None),
    Part("prediction", of_report(prediction), place="answer", events={"target": "bar"}, empty=empty_prediction),
    Part("status", of_report(status), place="status line", events={"nudge": "resync"}),
    Part("grid", of_report(grid), "panels", "maps", {"parameters": "parameters", "more": "more"}),
    Part("tabs", None, place="maps"),
    Part("agreement", of_report(agreement), place="maps"),
    Part("trust", evidence, "evidence", "trust", {"more": "more", "measure": "measure", "halt": "stop measure"}),
    Part("slides", of_report(slides), "deletion_curves", "trust"),
    Part("region", region, place="trust", events={"region": "region"}),
    Part("doctor", inspection, "inspection", "end", {"examine": "inspect", "halt": "stop inspection"}, empty=inspection),
)
PAINTED = tuple(part for part in PARTS if part.view)
"""The parts whose values the server sends."""
