"""What happens when somebody does something: an event becomes a question, and its report is painted as it grows."""

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from app import first_answer
from app.brought import Brought
from app.examining import Examinations
from app.gallery import Gallery
from app.jobs import Job, Jobs
from app.measures import AGREEMENT, Measures
from app.options import ServeOptions
from app.page import pictures
from app.page.choices import FIRST, Choices, Wish
from app.page.consulting import Consulting
from app.page.paint import paint, refused, status
from app.page.regions import Regions
from app.session import Question, Report, Session, Sessions
from app.shelf import BUNDLED, Shelf
from app.uploads import Uploads
from errors import UserError
from explainers.method import Method
from explainers.methods import METHODS, SEVEN
from models.store import bundled

log = logging.getLogger(__name__)

PAUSE, LATER = 0.03, 0.15  # seconds between two paintings, before and after every panel has its map; what comes faster is painted together
TICK = 0.5
AGAIN = 50  # looks whether older runs have ended
SWEEP = 60.0
ARRIVAL = 5.0
SHARED = "Another visitor waits for this measure too, so it goes on."
Values = dict[Any, Any]


class Handlers:
    """The page's behaviour. Every handler is public, so each checks all that it is given."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.defaults: dict[str, Method] = {method.__name__: method() for method in METHODS}
        self.usual = tuple(method.__name__ for method in SEVEN)
        self.methods = tuple(self.defaults.values())
        self.shelf = Shelf((*options.models, *(name for name in BUNDLED if name in bundled())), options.trust)
        self.jobs = Jobs(self.shelf, options.concurrency, options.queue, options.budget)
        self.sessions, self.uploads = Sessions(), Uploads()
        self.jobs.wanted = self.sessions.have
        self.brought = _brought(options, self.shelf, self.sessions)
        self.gallery = Gallery(options.examples)
        self.examinations = Examinations(self.shelf, self.jobs.quiet)
        self.choices, self.regions, self.consulting = Choices(self), Regions(self), Consulting(self)
        self.components: dict[str, Any] = {}

    def start(self) -> None:
        """Begins to load the first classifier; until it is there, the stored answer is what the first visitor sees."""
        if self.shelf.first == first_answer.CLASSIFIER and (stored := first_answer.read()):
            job = self.jobs.keep(replace(stored, measures=Measures(running=AGREEMENT)))
            self.jobs.judges.first(job, lambda: first_answer.weighed(stored))
        self.shelf.start(self.shelf.first)

    def close(self) -> None:
        """Stops all jobs."""
        self.jobs.close()
        self.examinations.close()
        if self.brought:
            self.brought.close()

    def classifier_choices(self, owner: str = "") -> list[tuple[str, str]]:
        """What everybody is offered, and what a session has brought itself."""
        own = self.brought.of(owner) if self.brought else []
        return [(entry.title, name) for name, entry in list(self.shelf.entries.items()) if entry.file is None or name in own]

    def bind(self, blocks: gr.Blocks, components: dict[str, Any]) -> None:
        """Ties the events of the page's components to the handlers; called inside the Blocks."""
        self.components = c = components
        parts = ("picture", "prediction", "status", "grid", "agreement", "trust", "slides", "region", "doctor")
        shown = [c[name] for name in (*parts, "target", "rather", "about", "times")]
        inputs = [c[name] for name in ("classifier", "methods", "preset")]
        # Newest wins: a second event of a session may start while the first still speaks, and then silences it.
        usual = {
            "outputs": shown,
            "trigger_mode": "multiple",
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        alone = {name: value for name, value in usual.items() if name != "outputs"}
        c["picture"].pick(self._on_part("picked"), inputs, **usual)
        c["prediction"].target(self._on_part("bar"), inputs, **usual)
        c["grid"].parameters(self._on_part("parameters"), inputs, **usual)
        for name in ("grid", "trust"):
            c[name].more(self._on_part("more"), inputs, **usual)
        c["status"].nudge(self.nudged, inputs, **usual)
        c["trust"].measure(self.measure_pressed, None, **usual)
        c["trust"].halt(self.halt_pressed, **alone)
        c["region"].region(self.region_given, None, **{**usual, "outputs": [c["region"], c["trust"]]})
        c["doctor"].examine(self.consulting.pressed, [c["classifier"]], **{**usual, "outputs": [c["doctor"]]})
        c["doctor"].halt(self.consulting.halted, None, **alone)
        c["classifier"].input(self._on("classifier"), inputs, **usual)
        # A list of classes is read when somebody uses it, and only then: it may still show the class of an older picture.
        for name in ("target", "rather"):
            c[name].input(self._on(name), [*inputs, c[name]], **usual)
        c["explain"].click(self._on("explain"), inputs, **usual)
        if "bring" in c:
            c["bring"].bring(self.model_brought, inputs, **{**usual, "outputs": [*shown, c["classifier"], c["bring"]]})
        blocks.load(self._on("arrived"), inputs, **usual)
        c["stop"].click(self.stop_pressed, **alone)
        blocks.unload(self.left)

    def _on(self, kind: str) -> Any:
        """The handler of an event that brings nothing but the inputs."""

        async def handle(request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
            async for values in self.run(request, Wish(kind, None, *inputs)):
                yield values

        return handle

    def _on_part(self, kind: str) -> Any:
        """The handler of an event of one of the page's own parts, with what its script sent along."""

        async def handle(event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
            async for values in self.run(request, Wish(kind, event._data, *inputs)):
                yield values

        return handle

    async def model_brought(self, event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
        """Offers a visitor's model to that visitor alone, and explains the picture by it."""
        owner = str(request.session_hash)
        session = self.sessions.of(owner)
        try:
            if self.brought is None:
                raise UserError("This page takes no models; start it with --allow-model-upload.")
            token = event._data.get("token") if isinstance(event._data, dict) else None
            name = self.brought.claim(token, owner)
        except UserError as error:
            yield self._refused(session, str(error))
            return
        # With the run's first words, not before them: of two answers in one breath the page may drop the first.
        offered = {self.components["classifier"]: gr.update(choices=self.classifier_choices(owner), value=name)}
        async for values in self.run(request, Wish("classifier", event._data, name, *inputs[1:])):
            yield offered | values
            offered = {}
        if offered:  # a newer wish came first: the model is on offer, and what that wish chose stays chosen
            yield {self.components["classifier"]: gr.update(choices=self.classifier_choices(owner))}

    def stop_pressed(self, request: gr.Request) -> None:
        self.sessions.of(request.session_hash).stop()

    async def nudged(self, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
        """Says again what the newest run has said; begins where the page's first event never came."""
        session = self.sessions.of(request.session_hash)
        if session.sent:
            yield {self.components[name]: value for name, value in session.sent.items()}
            return
        async for values in self.run(request, Wish("arrived", None, *inputs)):
            yield values

    def halt_pressed(self, request: gr.Request) -> None:
        """Ends the measure under way, unless another visitor waits for it too; what it has found stands."""
        session = self.sessions.of(request.session_hash)
        with contextlib.suppress(UserError):
            session.halted = self.jobs.known(session.question).stop_measure(session.wake)
            if not session.halted and session.speaking == session.run:
                session.notice = SHARED
                session.wake()

    async def measure_pressed(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Values]:
        """Begins a measure of the maps on the screen and paints what it finds, unless the run that speaks does so."""
        session = self.sessions.of(request.session_hash)
        try:
            job = self.jobs.known(session.question)
            self.jobs.judges.measure(job, event._data.get("kind") if isinstance(event._data, dict) else None)
        except UserError as error:
            yield self._refused(session, str(error))
            return
        session.halted, session.notice = False, ""
        run, question = session.run, session.question
        if session.speaking == run or question is None:
            session.wake()
            return
        async for values in self._answers(session, run, question, job, question):
            yield values

    async def region_given(self, event: gr.EventData, request: gr.Request) -> Values:
        """Measures the maps on a region that was drawn, uploaded or is known; or forgets it."""
        session = self.sessions.of(request.session_hash)
        report, words = session.painted, ""
        try:
            session.region = await asyncio.to_thread(self.regions.of, session, event._data)
        except UserError as error:
            words = str(error)
        if report is None:
            return {self.components["region"]: {"run": session.run, "error": words}}
        values = await asyncio.to_thread(self.regions.parts, session, report, session.run)
        values["region"]["error"] = words
        session.sent |= values
        return {self.components[name]: value for name, value in values.items()}

    def left(self, request: gr.Request) -> None:
        self.sessions.leave(request.session_hash)
        self.forget()

    def forget(self) -> None:
        """Drops the sessions, uploads, answers and pictures that belong to nobody any more."""
        self.sessions.forget()
        self.uploads.forget()
        self.jobs.forget()
        if self.brought:
            self.brought.forget()
        self.examinations.forget()
        pictures.forget()

    async def keep_forgetting(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            self.forget()
            await asyncio.to_thread(gc.collect)  # a case and its methods hold each other

    async def run(self, request: gr.Request, wish: Wish) -> AsyncIterator[Values]:
        """One run of a session, from the event to the last painting. A wish that is refused leaves the run before it alone."""
        session = self.sessions.of(request.session_hash)
        if wish.kind not in FIRST:
            await _arrival(session)
        try:
            if self.choices.nothing_new(session, wish) or self.choices.overtaken(session, wish):
                return
            question = self.choices.question(session, wish)
            job = self.jobs.ask(question) if question else None
        except UserError as error:
            yield self._refused(session, str(error))
            return
        before, run = session.question, session.begin()
        session.question, session.met, session.classifier = question, True, str(wish.classifier)
        session.again = session.runs > 0
        session.runs += 1
        try:
            if question is None or job is None:
                idle = self.choices.idle(wish.classifier, run)
                yield self._changed(idle | {"doctor": self.consulting.part(session, wish.classifier, run)}, session.sent)
            else:
                async for values in self._answers(session, run, question, job, before):
                    yield values
                if await self._alone(session, run):
                    yield {self.components[name]: value for name, value in session.sent.items()}
            if values := await self._last(session, wish, run):
                yield values
        except Exception as error:
            if session.run == run:
                yield self._refused(session, _said(error))
        finally:
            session.runs -= 1

    async def _answers(self, session: Session, run: int, question: Question, job: Job, before: Question | None) -> AsyncIterator[Values]:
        """Paints the job's reports as they come. before: the question to go back to where the picture turns out to be none."""
        async for shared in self._reports(session, run, job):
            own = shared.measures.told(session.halted)
            report, trouble = replace(shared, question=question, measures=own), ""  # whoever asked first may have named it otherwise
            if report.target is not None:
                session.report = report
            elif report.state == "failed" and report.place == "picture":
                good, trouble = session.report, report.error
                session.question = good.question if good else before
                report = good.stopped() if good else report
            session.painted = report
            values = paint(report, run) | self.choices.around(report, run)
            given = (session, report, run)
            values |= await asyncio.to_thread(self.regions.parts, *given) if session.region else self.regions.parts(*given)
            values["doctor"] = self.consulting.part(session, question.classifier, run)
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

    async def _last(self, session: Session, wish: Wish, run: int) -> Values:
        """What has to wait for the classifier where there is a stored answer or no picture: the presets' seconds, the doctor's classes."""
        if session.run == run and wish.kind != "arrived" and session.question is not None:
            return {}
        if session.run == run:
            loading = self.shelf.entry(wish.classifier).future if session.question else self.shelf.start(wish.classifier)
            # Shielded: a visitor who stops waiting must not stop the loading that everybody waits for.
            await asyncio.shield(asyncio.wrap_future(loading))
        if session.run != run:
            return {self.components["status"]: gr.skip()}  # Gradio repeats a generator's last values when it ends
        doctor = self.consulting.part(session, wish.classifier, run)
        return self._changed({"times": self.choices.times(wish.classifier), "doctor": doctor}, session.sent)

    def _refused(self, session: Session, words: str) -> Values:
        """The sentence on the status line: beside the run that goes on, or alone."""
        session.notice = words
        if session.speaking and session.speaking == session.run and session.painted:
            session.wake()
            return {self.components["status"]: status(session.painted, session.run) | {"error": words}}
        return self._changed(refused(words, session.begin()), {})

    async def _reports(self, session: Session, run: int, job: Job) -> AsyncIterator[Report]:
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

    def _changed(self, values: dict[str, Any], sent: dict[str, Any]) -> Values:
        """Component -> value, of those that are not on the screen already."""
        fresh = {name: value for name, value in values.items() if name not in sent or sent[name] != value}
        sent.update(fresh)
        return {self.components[name]: value for name, value in fresh.items()}


async def _arrival(session: Session) -> None:
    """Until the page has said that it is open: who is quick may be heard before that. In vain where the session has ended."""
    until = time.monotonic() + ARRIVAL
    while not session.met and time.monotonic() < until:
        await asyncio.sleep(TICK / 10)


def _brought(options: ServeOptions, shelf: Shelf, sessions: Sessions) -> Brought | None:
    """None where visitors may bring no models, or nothing would keep a model from this machine's files."""
    if not options.allow_model_upload:
        return None
    if not Brought.possible():
        log.warning("--allow-model-upload is off: this system has no Landlock, so nothing would keep a visitor's model from its files.")
        return None
    return Brought(shelf, sessions.present)


def _said(error: Exception) -> str:
    """The sentence for the visitor; what is no UserError goes to the log."""
    if isinstance(error, UserError):
        return str(error)
    log.error("the page could not answer", exc_info=error)
    return f"Something went wrong ({type(error).__name__}); the server's log says what."
