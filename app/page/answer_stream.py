"""An answer as it grows. A run follows from one event of one visitor; only the newest run of a session paints."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from app.page.renderer import PageRenderer, Values
from app.page.requests import PageEvent, RequestParser, VisitorSessionEndedError, is_duplicate_event, is_stale_event
from app.page.views.dropdown_controls import model_card_markdown
from app.page.views.status_line import error_status_view, status_view
from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_error_message
from app.service.explanation_job import ExplanationJob
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationRequest, ExplanationState
from app.service.session import Session
from errors import UserError

PAUSE, LATER = 0.03, 0.15  # seconds between two paintings, before and after every panel has its map; what comes faster is painted together
TICK = 0.5
POLLS = 50  # for the end of older runs


class AnswerStream:
    """Event -> values, one dictionary after another."""

    def __init__(self, registry: ClassifierRegistry, explanations: ExplanationQueue, parser: RequestParser, renderer: PageRenderer) -> None:
        self._registry, self._explanations, self._parser, self._renderer = registry, explanations, parser, renderer

    async def run(self, session: Session, event: PageEvent) -> AsyncIterator[Values]:
        """One run of a session, from the event to the last painting. A refused event leaves the run before it alone."""
        words = ""
        try:
            if is_duplicate_event(session, event) or is_stale_event(session, event):
                yield skip_all_updates()
                return
            request = self._parser.parse(session, event)
            job = self._explanations.submit(request, session.address) if request else None
        except UserError as error:
            if not isinstance(error, VisitorSessionEndedError) or event.kind != "classifier":
                yield self.refuse(session, str(error))
                return
            request, job, words = None, None, str(error)  # another classifier begins without a picture
        before, run = session.request, session.begin()
        if request:
            event = replace(event, classifier=request.classifier)  # a picture of this visit comes back with its own
        session.request, session.opened, session.classifier = request, True, str(event.classifier)
        session.repeat = session.active_runs > 0
        session.active_runs += 1
        try:
            if request is None or job is None:
                yield self._empty_page(session, event, run, words)
            else:
                async for values in self.answers(session, run, request, job, before):
                    yield values
                if await self._alone(session, run):
                    yield dict(session.sent)
            last = await self._last(session, event, run)
            if last is not None:
                yield last
        except Exception as error:
            yield self.refuse(session, public_error_message(error)) if session.run == run else skip_all_updates()
        finally:
            session.active_runs -= 1

    async def answers(
        self, session: Session, run: int, request: ExplanationRequest, job: ExplanationJob, before: ExplanationRequest | None
    ) -> AsyncIterator[Values]:
        """Paints the job's reports as they come. before: the request to return to where the picture cannot be read."""
        async for shared in _reports(session, run, job):
            own = shared.measures.visible_to(session.metric_stopped)
            report, picture_error, refused = replace(shared, request=request, measures=own), "", ""  # the picture may have another name
            if report.target is not None:
                session.report = report
                session.visit(report)
            elif report.state == "failed" and report.place == "picture":
                good, picture_error = session.report, report.error
                session.request = good.request if good else before
                report = good.stopped() if good else report
            elif report.state == "failed" and report.place == "classifier" and (good := self._former(session)):
                refused, report = report.error, good.stopped()
                session.request, session.classifier = good.request, good.request.classifier
            session.painted, session.answered = report, True
            values = await self._render(session, report, session.classifier if refused else request.classifier, run)
            values["picture"]["error"] = values["picture"]["error"] or picture_error
            values["status"]["error"] = refused or values["status"]["error"] or session.notice
            if session.repeat and session.active_runs == 1:
                session.repeat, session.sent = False, {}
            if session.run == run and (changed := _changed(values, session.sent)):
                yield changed

    def _former(self, session: Session) -> ExplanationState | None:
        """The answer before one whose classifier did not open: it stays, with its classifier, if that is still here."""
        good = session.report
        return good if good and good.request.classifier in self._registry.entries else None

    async def _render(self, session: Session, report: ExplanationState, classifier: str, run: int) -> Values:
        """In a thread where every map has to be measured in the visitor's region."""
        if session.region:
            return await asyncio.to_thread(self._renderer.answer, session, report, classifier, run)
        return self._renderer.answer(session, report, classifier, run)

    async def _alone(self, session: Session, run: int) -> bool:
        """Waits until older runs have ended; whether everything has to be sent once more.

        An older run's last values may arrive together with the newest run's and hide them from the page's parts.
        """
        for _ in range(POLLS):
            if not (session.repeat and session.run == run):
                return False
            if session.active_runs == 1:
                await asyncio.sleep(TICK)
                return session.repeat and session.run == run
            await asyncio.sleep(TICK / 5)
        return session.run == run

    async def _last(self, session: Session, event: PageEvent, run: int) -> Values | None:
        """What waits for the classifier where there is a stored answer or no picture: the presets' seconds, the inspection's classes."""
        if session.run == run and event.kind not in ("arrived", "resync") and session.request is not None:
            return None
        if session.run == run:
            registry = self._registry
            loading = registry.entry(event.classifier).future if session.request else registry.start(event.classifier, awaited=False)
            # Shielded: a visitor who stops waiting must not cancel the loading that others wait for.
            await asyncio.shield(asyncio.wrap_future(loading))
        if session.run != run:
            return skip_all_updates()  # Gradio repeats a generator's last values when it ends
        values = self._renderer.parts(("doctor",), session, None, event.classifier, run)
        values["times"] = self._renderer.times(event.classifier)
        if session.request is None:
            values["about"] = model_card_markdown(loading.result().card)
        return _changed(values, session.sent) or None

    def _empty_page(self, session: Session, event: PageEvent, run: int, words: str) -> Values:
        """A classifier without a picture, and the sentence that says why, if there is one."""
        session.answered = False
        values = self._renderer.empty_page(session, event.classifier, run)
        values["status"]["error"] = words
        return _changed(values, session.sent)

    def forgotten(self, session: Session) -> Values:
        """The page without a picture, after everything was deleted."""
        session.answered = False
        return _changed(self._renderer.empty_page(session, session.classifier, session.begin()), session.sent)

    def refuse(self, session: Session, sentence: str) -> Values:
        """The sentence on the status line: with the run in progress, or alone."""
        session.notice = sentence
        if session.painting and session.painting == session.run and session.painted:
            session.wake()
            return {"status": status_view(session.painted, session.run) | {"error": sentence}}
        return _changed({"status": error_status_view(sentence, session.begin(), session.answered)}, {})


def skip_all_updates() -> Values:
    """The update that changes no component of the page."""
    return {}


def _changed(values: Values, sent: Values) -> Values:
    """The values that are not on the screen already; they count as sent."""
    fresh = {name: value for name, value in values.items() if name not in sent or sent[name] != value}
    sent.update(fresh)
    return fresh


async def _reports(session: Session, run: int, job: ExplanationJob) -> AsyncIterator[ExplanationState]:
    """The job's report whenever it has grown, until it is final, stopped, or a newer run of this session has begun."""
    loop, wake = asyncio.get_running_loop(), asyncio.Event()

    def ring() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    session.wake = ring
    if not job.subscribe(ring):
        raise UserError("The explanation was stopped just then; press Explain to ask again.")
    session.painting = run
    try:
        while session.run == run:
            wake.clear()
            report = job.report.stopped() if session.stop_asked else job.report
            yield report
            if report.settled and job.report.final:
                return
            if session.stop_asked and not job.report.final and not job.stop_if_last(ring):
                return
            await asyncio.sleep(PAUSE if not report.final and len(report.results) < len(report.request.methods) else LATER)
            try:
                await asyncio.wait_for(wake.wait(), TICK)
            except TimeoutError:
                continue
    finally:
        session.painting = 0 if session.painting == run else session.painting
        job.unsubscribe(ring)
