"""The visitor's region, out of what the browser sent, and the parts of the page that speak of it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.page.views.evidence import trust
from app.page.views.region import Rows, region_table
from app.service.metric_state import positive_maps
from app.service.regions import Region, drawn, known, measured, uploaded
from app.service.request import ExplanationState
from app.service.session import Session
from errors import UserError

if TYPE_CHECKING:
    from app.page.events import PageEvents

UNKNOWN = "The page sent something that this server does not understand; reload it."


class RegionEvents:
    """Event -> region -> table. A region belongs to one picture in front of one classifier."""

    def __init__(self, handlers: "PageEvents") -> None:
        self.handlers = handlers

    def of(self, session: Session, data: Any) -> Region | None:
        """data: {"points": [[x, y], ...]}, {"token": an uploaded mask}, {"known": true}, or {} for none. UserError."""
        report = session.painted
        if not isinstance(data, dict):
            raise UserError(UNKNOWN)
        if report is None or report.image is None or report.card is None:
            raise UserError("There is no picture yet; choose one first.")
        question = report.question
        size = (report.image.shape[0], report.image.shape[1])
        if "points" in data:
            return Region(question.picture, question.classifier, drawn(data["points"], size), "drawn")
        if "token" in data:
            mask = uploaded(self.handlers.uploads.take(data["token"]), question.picture, report.card)
            return Region(question.picture, question.classifier, mask, "uploaded")
        if data.get("known"):
            own = self.handlers.gallery.find(question.classifier, question.picture)
            if own is None or own.evidence is None:
                raise UserError("Nobody knows where this picture's evidence lies; draw a region instead.")
            return Region(question.picture, question.classifier, known(own.evidence, size, report.card.fit), "known")
        return None

    def parts(self, session: Session, report: ExplanationState, run: int) -> dict[str, Any]:
        """The Trust tab's parts that hang on the region: the lines and the table."""
        region = session.region
        if region and (region.picture, region.classifier) != (report.question.picture, report.question.classifier):
            region = None
        maps = _maps(report) if region and report.final else {}
        rows: Rows = measured(maps, region.mask) if region and maps else ((), ())
        own = self.handlers.gallery.find(report.question.classifier, report.question.picture)
        table = region_table(report, run, region, rows, known=own is not None and own.evidence is not None)
        return {"trust": trust(report, run, rows[0], region.source if region else "drawn"), "region": table}


def _maps(report: ExplanationState) -> dict[str, NDArray[np.float32]]:
    """Title -> (h, w) in the order of the question, and the consensus of all."""
    found, weighed = positive_maps(report.results), report.measures.consistency
    maps = {method.title: found[method.title] for method in report.question.methods if method.title in found}
    shared = weighed.consensus if weighed else None
    return maps if shared is None else {**maps, "Consensus": shared.astype(np.float32)}
