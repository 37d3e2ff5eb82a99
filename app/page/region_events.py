"""The visitor's region: parsed from what the browser sent."""

from typing import Any

from app.page.requests import NOT_UNDERSTOOD
from app.service.example_gallery import ExampleGallery
from app.service.picture_uploads import PictureUploads
from app.service.regions import Region, drawn, known, uploaded
from app.service.request import ExplanationState
from errors import UserError


class RegionParser:
    """Event -> region. A region belongs to one picture and one classifier."""

    def __init__(self, uploads: PictureUploads, examples: ExampleGallery) -> None:
        self._uploads, self._examples = uploads, examples

    def parse(self, report: ExplanationState | None, data: Any) -> Region | None:
        """data: {"points": [[x, y], ...]}, {"token": an uploaded mask}, {"known": true}, or {} for none. UserError.

        report: what the page shows.
        """
        if not isinstance(data, dict):
            raise UserError(NOT_UNDERSTOOD)
        if report is None or report.image is None or report.card is None:
            raise UserError("There is no picture yet; choose one first.")
        request = report.question
        size = (report.image.shape[0], report.image.shape[1])
        if "points" in data:
            return Region(request.picture, request.classifier, drawn(data["points"], size), "drawn")
        if "token" in data:
            mask = uploaded(self._uploads.take(data["token"]), request.picture, report.card)
            return Region(request.picture, request.classifier, mask, "uploaded")
        if data.get("known"):
            example = self._examples.find(request.classifier, request.picture)
            if example is None or example.evidence is None:
                raise UserError("Nobody knows where this picture's evidence lies; draw a region instead.")
            return Region(request.picture, request.classifier, known(example.evidence, size, report.card.fit), "known")
        return None
