"""The doctor's tab: a press of its button becomes an examination, and what is found is painted when it is there."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.page.views.alt_text import plural
from app.page.views.inspection import LEAD, report_value, summed
from app.service.inspection_queue import MOST, Inspection, InspectionRequest
from app.service.picture_uploads import Picture
from app.service.session import Session
from errors import UserError

if TYPE_CHECKING:
    from app.page.events import PageEvents

TICK = 0.2
UNKNOWN = "The page sent something that this server does not understand; reload it."
Value = dict[str, Any]
Pictures = tuple[tuple[Picture, str], ...]


class InspectionEvents:
    """Event -> subject -> examination -> what the tab shows."""

    def __init__(self, handlers: "PageEvents") -> None:
        self.handlers = handlers

    async def pressed(self, event: gr.EventData, request: gr.Request, classifier: Any, status: Any) -> AsyncIterator[dict[Any, Any]]:
        """Examines the classifier that is chosen by the pictures at hand and those that were sent along."""
        session = self.handlers.sessions.of(request.session_hash)
        run = session.run or session.begin()
        try:
            self.handlers.choices.check_known(session, status)
            entry = self.handlers.shelf.entry(classifier)
            if session.examination and not session.examination.final:
                raise UserError("An examination of yours is under way; wait for it.")
            subject = InspectionRequest(entry.name, self._pictures(session, entry.name, event._data))
            examination = self.handlers.examinations.ask(subject)
        except UserError as error:
            yield self._painted(session, {**self.part(session, session.classifier or str(classifier), run), "error": str(error)})
            return
        session.examination, session.classifier = examination, entry.name
        async for values in self._followed(session, examination, str(request.session_hash)):
            yield values

    async def _followed(self, session: Session, examination: Inspection, owner: str) -> AsyncIterator[dict[Any, Any]]:
        shown: Value = {}
        try:
            while session.examination is examination and self.handlers.sessions.present(owner):
                final = examination.final
                value = await asyncio.to_thread(self.part, session, session.classifier, session.run)
                if value != shown:
                    shown = value
                    yield self._painted(session, value)
                if final:
                    return
                await asyncio.sleep(TICK)
        finally:
            examination.leave()
        if session.examination is None and self.handlers.sessions.present(owner):
            stopped = {"text": "The examination was stopped."}
            yield self._painted(session, self.part(session, session.classifier, session.run) | stopped)

    def halted(self, request: gr.Request) -> None:
        """The visitor no longer waits for the examination, which ends unless somebody else does."""
        session = self.handlers.sessions.of(request.session_hash)
        if session.examination and not session.examination.final:
            session.examination = None

    def part(self, session: Session, classifier: str, run: int) -> Value:
        """What the tab shows while that classifier is chosen: nothing of another one's examination."""
        entry = self.handlers.shelf.entries.get(classifier)
        if entry is None:
            return {"run": run}
        served = self.handlers.shelf.ready(classifier)
        pictures = self._at_hand(session, classifier)
        value: Value = {
            "run": run,
            "title": entry.title,
            "lead": LEAD,
            "hand": _hand(pictures),
            "labels": list(served.labels) if served else [],
            "most": MOST,
            "state": "empty",
        }
        found = session.examination
        if found is None or found.subject.classifier != classifier:
            return value
        value |= {"state": found.state, "text": _now(found, entry.title), "error": found.error, "left": list(found.left_out)}
        if found.state == "running":
            value["asked"] = found.asked
        if found.state == "done" and found.report:
            value |= {"report": report_value(found.report, entry), "text": summed(found.report)}
        return value

    def _pictures(self, session: Session, classifier: str, data: Any) -> Pictures:
        """Those sent along first, then those at hand. UserError where what was sent is none of the page's."""
        sent = data.get("pictures") if isinstance(data, dict) else None
        if not isinstance(sent, list) or len(sent) > MOST:
            raise UserError(f"A model is examined by at most {MOST} pictures; choose fewer." if isinstance(sent, list) else UNKNOWN)
        served = self.handlers.shelf.ready(classifier)
        labels = ["", *(served.labels if served else ())]
        if not all(isinstance(one, dict) and one.get("label", "") in labels for one in sent):
            raise UserError(UNKNOWN)
        given = {self.handlers.uploads.take(one.get("token")): str(one.get("label", "")) for one in sent}
        return tuple((dict(self._at_hand(session, classifier)) | given).items())[-MOST:]

    def _at_hand(self, session: Session, classifier: str) -> Pictures:
        """The visitor's own picture, and the classifier's examples with the class that they show where that is known."""
        found = {one.picture: one.label for one in self.handlers.gallery.of(classifier)}
        question = session.question
        if question and question.classifier == classifier and question.picture not in found:
            found = {question.picture: "", **found}
        return tuple(found.items())[:MOST]

    def _painted(self, session: Session, value: Value) -> dict[Any, Any]:
        session.sent |= {"doctor": value}
        return {self.handlers.components["doctor"]: value}


def _hand(pictures: Pictures) -> str:
    """Which pictures are at hand, in a sentence."""
    if not pictures:
        return "There is no picture at hand; add some, best with their classes. Without any, only the file is looked at."
    known = sum(bool(label) for _, label in pictures)
    words = {0: "the class of none is known", len(pictures): "the class of each is known"}.get(known, f"the class of {known} is known")
    return f"{plural(len(pictures), 'picture')} at hand; {words}. More of known classes make the verdict surer."


def _now(found: Inspection, title: str) -> str:
    if found.state == "waiting":
        return f"{title} is examined as soon as nobody waits for maps."
    if found.state != "running":
        return ""
    return f"{title} is being examined by {plural(len(found.subject.pictures), 'picture')}; a large network takes a minute or two."
