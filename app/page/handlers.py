"""What happens when somebody does something: an event becomes a question, and its report is painted as it grows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import gradio as gr

from app import first_answer
from app.gallery import Gallery
from app.jobs import Jobs
from app.options import ServeOptions
from app.page.choices import Choices, Wish
from app.page.paint import paint, refused
from app.session import Report, Session, Sessions
from app.shelf import BUNDLED, Shelf
from app.uploads import Uploads
from errors import UserError
from explainers.method import Method
from explainers.methods import METHODS, SEVEN
from models.store import bundled

log = logging.getLogger(__name__)

PAUSE, LATER = 0.03, 0.15  # seconds between two paintings, before and after every panel has its map; what comes faster is painted together
TICK = 0.5
Values = dict[Any, Any]


class Handlers:
    """The page's behaviour. Every handler is public, so each checks all that it is given."""

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.defaults: dict[str, Method] = {method.__name__: method() for method in METHODS}
        self.usual = tuple(method.__name__ for method in SEVEN)
        self.methods = tuple(self.defaults.values())
        self.shelf = Shelf((*options.models, *(name for name in BUNDLED if name in bundled())))
        self.jobs = Jobs(self.shelf, options.concurrency, options.queue, options.budget)
        self.sessions, self.uploads = Sessions(), Uploads()
        self.gallery = Gallery(options.examples)
        self.choices = Choices(self)
        self.components: dict[str, Any] = {}

    def start(self) -> None:
        """Begins to load the first classifier; until it is there, the stored answer is what the first visitor sees."""
        if self.shelf.first == first_answer.CLASSIFIER and (stored := first_answer.read()):
            self.jobs.keep(stored)
        self.shelf.start(self.shelf.first)

    def close(self) -> None:
        """Stops all jobs."""
        self.jobs.close()

    def classifier_choices(self) -> list[tuple[str, str]]:
        return [(entry.title, name) for name, entry in self.shelf.entries.items()]

    def bind(self, blocks: gr.Blocks, components: dict[str, Any]) -> None:
        """Ties the events of the page's components to the handlers; called inside the Blocks."""
        self.components = c = components
        shown = [c[name] for name in ("picture", "prediction", "status", "grid", "agreement", "target", "rather", "about", "times")]
        inputs = [c[name] for name in ("classifier", "methods", "preset", "target", "rather")]
        # Newest wins: a second event of a session may start while the first still speaks, and then silences it.
        usual = {
            "inputs": inputs,
            "outputs": shown,
            "trigger_mode": "multiple",
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        c["picture"].pick(self._on_part("picked"), **usual)
        c["prediction"].target(self._on_part("bar"), **usual)
        c["grid"].parameters(self._on_part("parameters"), **usual)
        c["classifier"].input(self._on("classifier"), **usual)
        gr.on([c["target"].input, c["rather"].input], self._on("class"), **usual)
        c["explain"].click(self._on("explain"), **usual)
        blocks.load(self._on("arrived"), **usual)
        c["stop"].click(
            self.stop_pressed, show_progress="hidden", trigger_mode="multiple", concurrency_limit=None, api_visibility="private"
        )
        blocks.unload(self.left)

    def _on(self, kind: str) -> Any:
        """The handler of an event that brings nothing but the inputs."""

        async def handle(request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
            async for values in self._run(request, Wish(kind, None, inputs)):
                yield values

        return handle

    def _on_part(self, kind: str) -> Any:
        """The handler of an event of one of the page's own parts, with what its script sent along."""

        async def handle(event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[Values]:
            async for values in self._run(request, Wish(kind, event._data, inputs)):
                yield values

        return handle

    def stop_pressed(self, request: gr.Request) -> None:
        self.sessions.of(request.session_hash).stop()

    def left(self, request: gr.Request) -> None:
        self.sessions.leave(request.session_hash)

    async def _run(self, request: gr.Request, wish: Wish) -> AsyncIterator[Values]:
        """One run of a session, from the event to the last painting."""
        session = self.sessions.of(request.session_hash)
        sent: dict[str, Any] = {}
        try:
            question = self.choices.question(session, wish)
            if wish.kind == "class" and question == session.question:
                return  # Gradio's lists speak twice: when an entry is taken, and when the list is left
            run = session.begin()
            session.question = question
            if question is None:
                yield self._changed(self.choices.idle(wish.inputs[0], run), sent)
                return
            job = self.jobs.ask(question)
            async for shared in self._reports(session, run, job):
                report = replace(shared, question=question)  # whoever asked first may have named the same picture otherwise
                session.report = report if report.card else session.report
                if changed := self._changed(paint(report, run) | self.choices.around(report, run), sent):
                    yield changed  # an empty dictionary is no answer to Gradio
            if wish.kind == "arrived" and session.run == run:
                await asyncio.wrap_future(self.shelf.entry(question.classifier).future)
                if changed := self._changed({"times": self.choices.times(question.classifier)}, sent):
                    yield changed
            if session.run != run:
                yield {self.components["status"]: gr.skip()}  # Gradio repeats a generator's last values when it ends
        except UserError as error:
            yield self._changed(refused(str(error), session.begin()), sent)
        except Exception as error:
            log.exception("the page could not answer")
            yield self._changed(
                refused(f"Something went wrong ({type(error).__name__}); the server's log says what.", session.begin()), sent
            )

    async def _reports(self, session: Session, run: int, job: Any) -> AsyncIterator[Report]:
        """The job's report whenever it has grown, until it is final, stopped, or a newer run of this session has begun."""
        loop, wake = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake.set)

        session.wake = ring
        if not job.listen(ring):
            raise UserError("The explanation was stopped just then; press Explain to ask again.")
        try:
            while session.run == run:
                wake.clear()
                report = job.report.stopped() if session.stop_asked else job.report
                yield report
                if report.final:
                    return
                await asyncio.sleep(PAUSE if len(report.results) < len(report.question.methods) else LATER)
                try:
                    await asyncio.wait_for(wake.wait(), TICK)
                except TimeoutError:
                    continue
        finally:
            job.leave(ring)

    def _changed(self, values: dict[str, Any], sent: dict[str, Any]) -> Values:
        """Component -> value, of those that are not on the screen already."""
        fresh = {name: value for name, value in values.items() if name not in sent or sent[name] != value}
        sent.update(fresh)
        return {self.components[name]: value for name, value in fresh.items()}
