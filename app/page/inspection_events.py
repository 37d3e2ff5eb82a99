"""The inspection tab's events: a press of its button starts an inspection, whose report is painted when it is there."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from app.page.renderer import PageRenderer, Values
from app.page.requests import NOT_UNDERSTOOD, require_live_session
from app.page.views.page_state import LabelledPictures
from app.service.classifier_registry import ClassifierRegistry
from app.service.inspection_queue import MAX_PICTURES, InspectionJob, InspectionQueue, InspectionRequest
from app.service.session import Session, SessionStore
from app.service.stores.picture_uploads import PictureUploads
from errors import UserError

POLL = 0.2  # seconds
PART = "doctor"


class InspectionEvents:
    """Event -> request -> inspection -> what the tab shows."""

    def __init__(
        self,
        registry: ClassifierRegistry,
        inspections: InspectionQueue,
        sessions: SessionStore,
        uploads: PictureUploads,
        renderer: PageRenderer,
    ) -> None:
        self._registry, self._inspections, self._sessions = registry, inspections, sessions
        self._uploads, self._renderer = uploads, renderer

    async def start(self, owner: str, data: Any, classifier: Any, status: Any) -> AsyncIterator[Values]:
        """Inspects the chosen classifier with the available pictures and those that were sent along."""
        session = self._sessions.of(owner)
        run = session.run or session.begin()
        try:
            require_live_session(session, status)
            entry = self._registry.entry(classifier)
            if session.inspection and not session.inspection.final:
                raise UserError("An examination of yours is under way; wait for it.")
            request = InspectionRequest(entry.name, self._pictures(session, entry.name, data))
            inspection = self._inspections.submit(request, session.address)
        except UserError as error:
            value = self._value(session, session.classifier or str(classifier), run)
            yield self._sent(session, {**value, "error": str(error)})
            return
        session.inspection, session.classifier = inspection, entry.name
        async for values in self._follow(session, inspection, owner):
            yield values

    def stop(self, session: Session) -> None:
        """The visitor no longer waits for the inspection, which ends unless another visitor does."""
        if session.inspection and not session.inspection.final:
            session.inspection = None

    async def _follow(self, session: Session, inspection: InspectionJob, owner: str) -> AsyncIterator[Values]:
        shown: dict[str, Any] = {}
        try:
            while session.inspection is inspection and self._sessions.present(owner):
                final = inspection.final
                value = await asyncio.to_thread(self._value, session, session.classifier, session.run)
                if value != shown:
                    shown = value
                    yield self._sent(session, value)
                if final:
                    return
                await asyncio.sleep(POLL)
        finally:
            inspection.unsubscribe()
        if session.inspection is None and self._sessions.present(owner):
            stopped = {"text": "The examination was stopped."}
            yield self._sent(session, self._value(session, session.classifier, session.run) | stopped)

    def _pictures(self, session: Session, classifier: str, data: Any) -> LabelledPictures:
        """Those sent along first, then the available ones. UserError where what was sent is not the page's."""
        sent = data.get("pictures") if isinstance(data, dict) else None
        if not isinstance(sent, list) or len(sent) > MAX_PICTURES:
            raise UserError(
                f"A model is examined by at most {MAX_PICTURES} pictures; choose fewer." if isinstance(sent, list) else NOT_UNDERSTOOD
            )
        loaded = self._registry.ready(classifier)
        labels = ["", *(loaded.labels if loaded else ())]
        if not all(isinstance(each, dict) and each.get("label", "") in labels for each in sent):
            raise UserError(NOT_UNDERSTOOD)
        given = {self._uploads.take(each.get("token")): str(each.get("label", "")) for each in sent}
        return tuple((dict(self._renderer.inspection_pictures(session, classifier)) | given).items())[-MAX_PICTURES:]

    def _value(self, session: Session, classifier: str, run: int) -> dict[str, Any]:
        value: dict[str, Any] = self._renderer.parts((PART,), session, None, classifier, run)[PART]
        return value

    def _sent(self, session: Session, value: dict[str, Any]) -> Values:
        session.sent |= {PART: value}
        return {PART: value}
