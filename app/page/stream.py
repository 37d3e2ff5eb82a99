"""A run is what follows from one event of one visitor: a question, and its answer painted as it grows. The newest run alone speaks."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.page.requests import PageEvent, SessionEndedError, card_markdown
from app.page.views.page import error_status, render_page, status
from app.service.explanation_queue import ExplanationJob
from app.service.request import ExplanationRequest, ExplanationState
from app.service.session import Session
from errors import UserError

if TYPE_CHECKING:
    from app.page.events import PageEvents

log = logging.getLogger(__name__)

PAUSE, LATER = 0.03, 0.15  # seconds between two paintings, before and after every panel has its map; what comes faster is painted together
TICK = 0.5
AGAIN = 50  # looks whether older runs have ended
Values = dict[Any, Any]


class AnswerStream:
    """Wish -> what the page's components show, one dictionary after the other."""

    def __init__(self, handlers: "PageEvents") -> None:
        self.handlers = handlers

    async def run(self, request: gr.Request, wish: PageEvent) -> AsyncIterator[Values]:
        """One run of a session, from the event to the last painting. A wish that is refused leaves the run before it alone."""
        session, words = self.handlers.sessions.of(request.session_hash), ""
        try:
            if self.handlers.choices.nothing_new(session, wish) or self.handlers.choices.overtaken(session, wish):
                yield self.nothing()
                return
            question = self.handlers.choices.question(session, wish)
            job = self.handlers.jobs.ask(question) if question else None
        except UserError as error:
            if not isinstance(error, SessionEndedError) or wish.kind != "classifier":
                yield self.refused(session, str(error))
                return
            question, job, words = None, None, str(error)  # another classifier begins without a picture
        before, run = session.question, session.begin()
        session.question, session.met, session.classifier = question, True, str(wish.classifier)
        session.again = session.runs > 0
        session.runs += 1
        try:
            if question is None or job is None:
                yield self._idle(session, wish, run, words)
            else:
                async for values in self.answers(session, run, question, job, before):
                    yield values
                if await self._alone(session, run):
                    yield {self.handlers.components[name]: value for name, value in session.sent.items()}
            if values := await self._last(session, wish, run):
                yield values
        except Exception as error:
            yield self.refused(session, _said(error)) if session.run == run else self.nothing()
        finally:
            session.runs -= 1

    async def answers(
        self, session: Session, run: int, question: ExplanationRequest, job: ExplanationJob, before: ExplanationRequest | None
    ) -> AsyncIterator[Values]:
        """Paints the job's reports as they come. before: the question to go back to where the picture turns out to be none."""
        async for shared in _reports(session, run, job):
            own = shared.measures.told(session.halted)
            report, trouble = replace(shared, question=question, measures=own), ""  # whoever asked first may have named it otherwise
            if report.target is not None:
                session.report = report
            elif report.state == "failed" and report.place == "picture":
                good, trouble = session.report, report.error
                session.question = good.question if good else before
                report = good.stopped() if good else report
            session.painted, session.answered = report, True
            values = render_page(report, run) | self.handlers.choices.around(report, run)
            given = (session, report, run)
            values |= (
                await asyncio.to_thread(self.handlers.regions.parts, *given) if session.region else self.handlers.regions.parts(*given)
            )
            values["doctor"] = self.handlers.consulting.part(session, question.classifier, run)
            values["picture"]["error"] = values["picture"]["error"] or trouble
            values["status"]["error"] = values["status"]["error"] or session.notice
            if session.again and session.runs == 1:
                session.again, session.sent = False, {}
            if session.run == run and (changed := self._changed(values, session.sent)):
                yield changed  # an empty dictionary is no answer to Gradio

    async def _alone(self, session: Session, run: int) -> bool:
        """Waits until older runs have ended; whether everything has to be said once more.

        What an older run still had under way may come in the same breath as what the newest says, and hide it from the page's parts.
        """
        for _ in range(AGAIN):
            if not (session.again and session.run == run):
                return False
            if session.runs == 1:
                await asyncio.sleep(TICK)
                return session.again and session.run == run
            await asyncio.sleep(TICK / 5)
        return session.run == run

    async def _last(self, session: Session, wish: PageEvent, run: int) -> Values:
        """What has to wait for the classifier where there is a stored answer or no picture: the presets' seconds, the doctor's classes."""
        if session.run == run and wish.kind not in ("arrived", "nudged") and session.question is not None:
            return {}
        if session.run == run:
            shelf = self.handlers.shelf
            loading = shelf.entry(wish.classifier).future if session.question else shelf.start(wish.classifier, awaited=False)
            # Shielded: a visitor who stops waiting must not stop the loading that everybody waits for.
            await asyncio.shield(asyncio.wrap_future(loading))
        if session.run != run:
            return self.nothing()  # Gradio repeats a generator's last values when it ends
        values: Values = {"times": self.handlers.choices.times(wish.classifier)}
        values["doctor"] = self.handlers.consulting.part(session, wish.classifier, run)
        if session.question is None:
            values["about"] = card_markdown(loading.result().card)
        return self._changed(values, session.sent)

    def _idle(self, session: Session, wish: PageEvent, run: int, words: str) -> Values:
        """A classifier without a picture, and the sentence that says why, if there is one."""
        session.answered = False
        values = self.handlers.choices.idle(wish.classifier, run) | {"doctor": self.handlers.consulting.part(session, wish.classifier, run)}
        values["status"]["error"] = words
        return self._changed(values, session.sent)

    def nothing(self) -> Values:
        """Leaves everything as it is. Gradio takes a generator that gives no value at all for one that empties its outputs."""
        return {self.handlers.components["status"]: gr.skip()}

    def refused(self, session: Session, words: str) -> Values:
        """The sentence on the status line: beside the run that goes on, or alone."""
        session.notice = words
        if session.speaking and session.speaking == session.run and session.painted:
            session.wake()
            return {self.handlers.components["status"]: status(session.painted, session.run) | {"error": words}}
        return self._changed(error_status(words, session.begin(), session.answered), {})

    def _changed(self, values: dict[str, Any], sent: dict[str, Any]) -> Values:
        """Component -> value, of those that are not on the screen already."""
        fresh = {name: value for name, value in values.items() if name not in sent or sent[name] != value}
        sent.update(fresh)
        return {self.handlers.components[name]: value for name, value in fresh.items()}


async def _reports(session: Session, run: int, job: ExplanationJob) -> AsyncIterator[ExplanationState]:
    """The job's report whenever it has grown, until it is final, stopped, or a newer run of this session has begun."""
    loop, wake = asyncio.get_running_loop(), asyncio.Event()

    def ring() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    session.wake = ring
    if not job.listen(ring):
        raise UserError("The explanation was stopped just then; press Explain to ask again.")
    session.speaking = run
    try:
        while session.run == run:
            wake.clear()
            report = job.report.stopped() if session.stop_asked else job.report
            yield report
            if report.settled and job.report.final:
                return
            if session.stop_asked and not job.report.final and not job.stop_for(ring):
                return
            await asyncio.sleep(PAUSE if not report.final and len(report.results) < len(report.question.methods) else LATER)
            try:
                await asyncio.wait_for(wake.wait(), TICK)
            except TimeoutError:
                continue
    finally:
        session.speaking = 0 if session.speaking == run else session.speaking
        job.leave(ring)


def _said(error: Exception) -> str:
    """The sentence for the visitor; what is no UserError goes to the log."""
    if isinstance(error, UserError):
        return str(error)
    log.error("the page could not answer", exc_info=error)
    return f"Something went wrong ({type(error).__name__}); the server's log says what."
