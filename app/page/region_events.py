"""The region tab's events: the maps are measured in a region that was drawn, uploaded or is known."""

import asyncio
from typing import Any

from app.page.renderer import PageRenderer, Values
from app.page.requests import NOT_UNDERSTOOD, require_live_session
from app.service.example_gallery import ExampleGallery
from app.service.regions import EvidenceRegion, mask_from_evidence, mask_from_file, mask_from_outline
from app.service.request import ExplanationState
from app.service.session import Session
from app.service.stores.picture_uploads import PictureUploads
from errors import UserError


class RegionEvents:
    """Event -> region -> what the page shows of it. A region belongs to one picture and one classifier."""

    def __init__(self, uploads: PictureUploads, examples: ExampleGallery, renderer: PageRenderer) -> None:
        self._uploads, self._examples, self._renderer = uploads, examples, renderer

    async def change(self, session: Session, data: Any, status: Any) -> Values:
        """The session's region becomes the one that was sent, or none. What is refused comes back as a sentence."""
        report, sentence = session.painted, ""
        try:
            require_live_session(session, status)
            session.region = await asyncio.to_thread(self._parse, report, data)
        except UserError as error:
            sentence = str(error)
        if report is None:
            return {"region": {"run": session.run or session.begin(), "error": sentence}}
        names, classifier = ("trust", "region"), report.request.classifier
        values = await asyncio.to_thread(self._renderer.parts, names, session, report, classifier, session.run)
        values["region"]["error"] = sentence
        session.sent |= values
        return values

    def _parse(self, report: ExplanationState | None, data: Any) -> EvidenceRegion | None:
        """data: {"points": [[x, y], ...]}, {"token": an uploaded mask}, {"known": true}, or {} for none. UserError.

        report: what the page shows.
        """
        if not isinstance(data, dict):
            raise UserError(NOT_UNDERSTOOD)
        if report is None or report.image is None or report.card is None:
            raise UserError("There is no picture yet; choose one first.")
        request = report.request
        size = (report.image.shape[0], report.image.shape[1])
        if "points" in data:
            return EvidenceRegion(request.picture, request.classifier, mask_from_outline(data["points"], size), "drawn")
        if "token" in data:
            mask = mask_from_file(self._uploads.take(data["token"]), request.picture, report.card)
            return EvidenceRegion(request.picture, request.classifier, mask, "uploaded")
        if data.get("known"):
            example = self._examples.find(request.classifier, request.picture)
            if example is None or example.evidence is None:
                raise UserError("Nobody knows where this picture's evidence lies; draw a region instead.")
            return EvidenceRegion(request.picture, request.classifier, mask_from_evidence(example.evidence, size, report.card.fit), "known")
        return None
