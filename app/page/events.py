"""What happens when somebody does something: each of the page's events becomes a wish, a measure or a press of a button."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from app.options import ServeOptions
from app.page.inspection_events import InspectionEvents
from app.page.region_events import RegionEvents
from app.page.requests import PageEvent, RequestParser
from app.page.stream import AnswerStream, Values
from app.page.views import images
from app.service import cached_answer
from app.service.classifier_registry import BUNDLED, ClassifierRegistry
from app.service.example_gallery import ExampleGallery
from app.service.explanation_queue import ExplanationQueue
from app.service.inspection_queue import InspectionQueue
from app.service.metric_state import AGREEMENT, MetricState
from app.service.model_uploads import ModelUploads
from app.service.picture_uploads import PictureUploads
from app.service.session import SessionStore
from errors import UserError
from explainers.method import Method
from explainers.methods import METHODS, SEVEN
from models.store import bundled

log = logging.getLogger(__name__)

SWEEP = 60.0
SHARED = "Another visitor waits for this measure too, so it goes on."


class PageEvents:
    """The page's behaviour. Every handler is public, so each checks all that it is given."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.defaults: dict[str, Method] = {method.__name__: method() for method in METHODS}
        self.usual = tuple(method.__name__ for method in SEVEN)
        self.methods = tuple(self.defaults.values())
        self.shelf = ClassifierRegistry((*options.models, *(name for name in BUNDLED if name in bundled())), options.trust)
        self.jobs = ExplanationQueue(self.shelf, options.concurrency, options.queue, options.budget)
        self.sessions, self.uploads = SessionStore(), PictureUploads()
        self.jobs.wanted = self.sessions.references
        self.brought = _brought(options, self.shelf, self.sessions)
        self.gallery = ExampleGallery(options.examples)
        self.examinations = InspectionQueue(self.shelf, self.jobs.quiet)
        self.choices, self.regions, self.consulting, self.runs = (
            RequestParser(self),
            RegionEvents(self),
            InspectionEvents(self),
            AnswerStream(self),
        )
        self.components: dict[str, Any] = {}

    def start(self) -> None:
        """Begins to load the first classifier; until it is there, the stored answer is what the first visitor sees."""
        if self.shelf.first == cached_answer.CLASSIFIER and (stored := cached_answer.read()):
            job = self.jobs.keep(replace(stored, measures=MetricState(running=AGREEMENT)))
            self.jobs.judges.first(job, lambda: cached_answer.cached_consistency(stored))
        self.shelf.start(self.shelf.first, awaited=False)

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
        inputs = [c[name] for name in ("classifier", "methods", "preset", "status")]
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
        c["trust"].measure(self.measure_pressed, [c["status"]], **usual)
        c["trust"].halt(self.halt_pressed, **alone)
        c["region"].region(self.region_given, [c["status"]], **{**usual, "outputs": [c["region"], c["trust"]]})
        c["doctor"].examine(self.consulting.pressed, [c["classifier"], c["status"]], **{**usual, "outputs": [c["doctor"]]})
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
            async for values in self.runs.run(request, PageEvent(kind, None, *inputs)):
                yield values

        return handle

    def _on_part(self, kind: str) -> Any:
        """The handler of an event of one of the page's own parts, with what its script sent along."""

        async def handle(event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
            async for values in self.runs.run(request, PageEvent(kind, event._data, *inputs)):
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
            yield self.runs.refused(session, str(error))
            return
        # With the run's first words, not before them: of two answers in one breath the page may drop the first.
        offered = {"choices": self.classifier_choices(owner), "value": name}
        async for values in self.runs.run(request, PageEvent("classifier", event._data, name, *inputs[1:])):
            if offered and values == self.runs.nothing():
                del offered["value"]  # a newer wish came first, and what that one chose stays chosen
            yield {self.components["classifier"]: gr.update(**offered), **values} if offered else values
            offered = {}

    def stop_pressed(self, request: gr.Request) -> None:
        self.sessions.of(request.session_hash).stop()

    async def nudged(self, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
        """Says again what the newest run has said; begins where the page's first event never came."""
        session = self.sessions.of(request.session_hash)
        if session.sent:
            yield {self.components[name]: value for name, value in session.sent.items()}
            return
        async for values in self.runs.run(request, PageEvent("nudged", None, *inputs)):
            yield values

    def halt_pressed(self, request: gr.Request) -> None:
        """Ends the measure under way, unless another visitor waits for it too; what it has found stands."""
        session = self.sessions.of(request.session_hash)
        with contextlib.suppress(UserError):
            session.halted = self.jobs.known(session.question).stop_measure(session.wake)
            if not session.halted and session.speaking == session.run:
                session.notice = SHARED
                session.wake()

    async def measure_pressed(self, event: gr.EventData, request: gr.Request, status: Any) -> AsyncIterator[Values]:
        """Begins a measure of the maps on the screen and paints what it finds, unless the run that speaks does so."""
        session = self.sessions.of(request.session_hash)
        try:
            self.choices.check_known(session, status)
            job = self.jobs.known(session.question)
            self.jobs.judges.measure(job, event._data.get("kind") if isinstance(event._data, dict) else None)
        except UserError as error:
            yield self.runs.refused(session, str(error))
            return
        session.halted, session.notice = False, ""
        run, question = session.run, session.question
        if session.speaking == run or question is None:
            session.wake()
            yield self.runs.nothing()
            return
        async for values in self.runs.answers(session, run, question, job, question):
            yield values
        if session.run != run:
            yield self.runs.nothing()

    async def region_given(self, event: gr.EventData, request: gr.Request, status: Any) -> Values:
        """Measures the maps on a region that was drawn, uploaded or is known; or forgets it."""
        session = self.sessions.of(request.session_hash)
        report, words = session.painted, ""
        try:
            self.choices.check_known(session, status)
            session.region = await asyncio.to_thread(self.regions.of, session, event._data)
        except UserError as error:
            words = str(error)
        if report is None:
            return {self.components["region"]: {"run": session.run or session.begin(), "error": words}}
        values = await asyncio.to_thread(self.regions.parts, session, report, session.run)
        values["region"]["error"] = words
        session.sent |= values
        return {self.components[name]: value for name, value in values.items()}

    def left(self, request: gr.Request) -> None:
        self.sessions.leave(request.session_hash)
        self.forget()

    def forget(self) -> None:
        """Drops the sessions, uploads, answers and pictures that belong to nobody any more."""
        self.sessions.evict()
        self.uploads.evict()
        self.jobs.forget()
        if self.brought:
            self.brought.forget()
        self.examinations.forget()
        images.evict()

    async def keep_forgetting(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            self.forget()
            await asyncio.to_thread(gc.collect)  # a case and its methods hold each other


def _brought(options: ServeOptions, shelf: ClassifierRegistry, sessions: SessionStore) -> ModelUploads | None:
    """None where visitors may bring no models, or nothing would keep a model from this machine's files."""
    if not options.allow_model_upload:
        return None
    if not ModelUploads.possible():
        log.warning("--allow-model-upload is off: this system has no Landlock, so nothing would keep a visitor's model from its files.")
        return None
    return ModelUploads(shelf, sessions.present)
