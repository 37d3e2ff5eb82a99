"""The page's events. Only this module knows Gradio's components; everything else returns values by the component's name."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.explanation import method_key
from app.page.answer_stream import AnswerStream, skip_all_updates
from app.page.event_messages import RECEIVED
from app.page.inspection_events import InspectionEvents
from app.page.page_parts import PAINTED, PARTS
from app.page.region_events import RegionEvents
from app.page.renderer import PageRenderer, Values
from app.page.requests import PageEvent, RequestParser, require_live_session
from app.page.unread_messages import UnreadMessages
from app.page.views import image_data_uris
from app.page.views.dropdown_controls import DropdownChoices
from app.service.services import Services
from app.service.session import Session
from errors import UserError

SWEEP_SECONDS = 60.0
MAX_TOKENS = 100
FORGOTTEN = "Deleted. Choose a picture to begin again."
SHARED = "Another visitor waits for this measure too, so it goes on."
INPUTS = ("classifier", "methods", "preset", "status")
OUTPUTS = (*(part.name for part in PAINTED), "target", "rather", "about", "times")
SETTINGS = ("classifier", "methods", "preset")
"""What a picture of this visit brings back with it."""


@dataclass(frozen=True)
class EventHandler:
    """What answers an event. inputs, outputs: components by name; no outputs where it paints nothing."""

    handle: Callable[..., Any]
    inputs: Sequence[str] = INPUTS
    outputs: Sequence[str] = OUTPUTS


class PageEvents:
    """Every handler is public to the network, so each checks all that it is given.

    handlers: kind of event -> handler. An event of any other kind begins a run.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.renderer = PageRenderer(services.registry, services.examples, services.usual, services.explanations.budget)
        parser = RequestParser(services.registry, services.uploads, services.examples, services.methods)
        self.stream = AnswerStream(services.registry, services.explanations, parser, self.renderer)
        self.regions = RegionEvents(services.uploads, services.examples, self.renderer)
        self.inspections = InspectionEvents(services.registry, services.inspections, services.sessions, services.uploads, self.renderer)
        self.handlers = {
            "resync": EventHandler(self.on_resync),
            "measure": EventHandler(self.on_measure, ("status",)),
            "stop measure": EventHandler(self.on_stop_measure, (), ()),
            "region": EventHandler(self.on_region, ("status",), ("region", "trust")),
            "inspect": EventHandler(self.on_inspect, ("classifier", "status"), ("doctor",)),
            "stop inspection": EventHandler(self.on_stop_inspection, (), ()),
            "upload model": EventHandler(self.on_model_upload, INPUTS, (*OUTPUTS, "classifier", "bring")),
            "stop": EventHandler(self.on_stop, (), ()),
            "picked": EventHandler(self._on_part("picked"), INPUTS, (*OUTPUTS, *SETTINGS)),
            "restore": EventHandler(self._on_part("restore"), INPUTS, (*OUTPUTS, *SETTINGS)),
            "remove picture": EventHandler(self.on_remove, ("classifier",), ("picture",)),
            "forget": EventHandler(self.on_forget, ("classifier",), (*OUTPUTS, "classifier", "forget")),
        }
        self.components: dict[str, Any] = {}
        self.unread: UnreadMessages | None = None

    def bind(self, blocks: gr.Blocks, components: dict[str, Any]) -> None:
        """Connects the events of the components to the handlers; called inside the Blocks. components: by name."""
        self.components = components
        for part in PARTS:
            for trigger, kind in part.events.items():
                if part.name in components:
                    self._connect(getattr(components[part.name], trigger), self.handlers.get(kind) or EventHandler(self._on_part(kind)))
        self._connect(components["classifier"].input, EventHandler(self._on_control("classifier"), INPUTS, (*OUTPUTS, "classifier")))
        # A list of classes is read only when it is used: it may still show the class of an older picture.
        for name in ("target", "rather"):
            self._connect(components[name].input, EventHandler(self._on_control(name), (*INPUTS, name)))
        self._connect(components["explain"].click, EventHandler(self._on_control("explain")))
        self._connect(blocks.load, EventHandler(self._on_control("arrived")))
        self._connect(components["stop"].click, self.handlers["stop"])
        blocks.unload(self.on_unload)

    def _connect(self, listen: Callable[..., Any], handler: EventHandler) -> None:
        # The newest event wins: a second one of a session may begin while the first still paints, and then silences it.
        listen(
            handler.handle,
            [self.components[name] for name in handler.inputs] or None,
            [self.components[name] for name in handler.outputs] or None,
            trigger_mode="multiple",
            show_progress="hidden",
            api_visibility="private",
            concurrency_limit=None,
        )

    def _on_control(self, kind: str) -> Callable[..., AsyncIterator[Any]]:
        """The handler of an event with nothing but the inputs."""

        async def handle(request: gr.Request, *inputs: Any) -> AsyncIterator[dict[Any, Any]]:
            async for values in self.run(request, PageEvent(kind, None, *inputs)):
                yield values

        return handle

    def _on_part(self, kind: str) -> Callable[..., AsyncIterator[Any]]:
        """The handler of an event of one of the page's own parts, with the data that its script sent."""

        async def handle(event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[dict[Any, Any]]:
            async for values in self.run(request, PageEvent(kind, event._data, *inputs)):
                yield values

        return handle

    async def run(self, request: gr.Request, event: PageEvent) -> AsyncIterator[dict[Any, Any]]:
        """Begins a run and paints its answer."""
        session = self._session(request)
        if session.refused:
            yield self._by_component(self.stream.refuse(session, session.refused))
            return
        visited = event.kind == "restore" or (event.kind == "picked" and isinstance(event.data, dict) and "visited" in event.data)
        async for values in self.stream.run(session, event):
            returned = event.kind == "classifier" and values and session.classifier != event.classifier  # the one chosen did not open
            chosen = {self.components["classifier"]: gr.update(value=session.classifier)} if returned else {}
            if visited and values:
                chosen, visited = self._settings(session), False
            yield {**chosen, **self._by_component(values)}

    def _settings(self, session: Session) -> dict[Any, Any]:
        """The controls as they were when the session's picture was explained."""
        request = session.request
        if request is None:
            return {}
        chosen = {"classifier": request.classifier, "methods": [method_key(method) for method in request.methods], "preset": request.preset}
        return {self.components[name]: gr.update(value=value) for name, value in chosen.items()}

    def on_remove(self, event: gr.EventData, request: gr.Request, classifier: Any) -> dict[Any, Any]:
        """Takes a picture out of this visit's; the answer on the screen stays."""
        session = self._session(request)
        key = event._data.get("visited") if isinstance(event._data, dict) else None
        session.visits = tuple(one for one in session.visits if one.key != key)
        values = self.renderer.parts(("picture",), session, session.painted, str(classifier), session.run)
        return self._by_component(values)

    async def on_model_upload(self, event: gr.EventData, request: gr.Request, *inputs: Any) -> AsyncIterator[dict[Any, Any]]:
        """Offers a visitor's model to that visitor alone, and explains the picture with it."""
        owner = str(request.session_hash)
        session = self._session(request)
        try:
            _require_kept(session)
            if self.services.model_uploads is None:
                raise UserError("This page takes no models; start it with --allow-model-upload.")
            token = event._data.get("token") if isinstance(event._data, dict) else None
            name = self.services.model_uploads.claim(token, owner)
        except UserError as error:
            yield self._by_component(self.stream.refuse(session, str(error)))
            return
        # Together with the run's first values, not before them: of two answers at once the page may drop the first.
        offered: dict[str, Any] = {"choices": self.services.classifier_choices(owner), "value": name}
        async for values in self.stream.run(session, PageEvent("classifier", event._data, name, *inputs[1:])):
            if offered and not values:
                del offered["value"]  # a newer event was received first, and its choice stays
            if values and session.classifier != name:  # it did not open
                offered = {"choices": self.services.classifier_choices(owner), "value": session.classifier}
            classifier = {self.components["classifier"]: gr.update(**offered)} if offered else {}
            yield {**classifier, **self._by_component(values)}
            offered = {}

    def on_forget(self, event: gr.EventData, request: gr.Request, classifier: Any) -> dict[Any, Any]:
        """Deletes a visitor's picture, region, model and answers at once, and paints the page as it is before there is a picture.

        The event names the tokens of what the page has sent: of that, what still waits for its session is deleted too.
        """
        owner = str(request.session_hash)
        sent = event._data.get("tokens") if isinstance(event._data, dict) else None
        tokens = [token for token in sent[:MAX_TOKENS] if isinstance(token, str)] if isinstance(sent, list) else []
        for token in tokens:
            self.services.uploads.discard(token)
        if self.services.model_uploads:
            for name in {*self.services.model_uploads.of(owner), *tokens}:
                self.services.model_uploads.discard(name, owner)
        self.services.sessions.drop(owner)
        if self.unread:
            self.unread.forget_values(owner)
        self.evict()
        session = self._session(request)
        session.opened, known = True, isinstance(classifier, str) and classifier in self.services.registry.entries
        session.classifier = classifier if known else self.services.registry.first
        values = self.stream.forgotten(session)
        offered = gr.update(choices=self.services.classifier_choices(owner), value=session.classifier)
        deleted = {self.components["forget"]: {"text": FORGOTTEN}, self.components["classifier"]: offered}
        return {**deleted, **self._by_component(values)}

    def on_stop(self, request: gr.Request) -> None:
        if session := self.services.sessions.existing(request.session_hash):
            session.stop()

    async def on_resync(self, request: gr.Request, *inputs: Any) -> AsyncIterator[dict[Any, Any]]:
        """Sends again what the newest run has sent; begins a run where the page's first event never arrived."""
        session = self._session(request)
        if session.sent:
            yield self._by_component(session.sent)
            return
        async for values in self.run(request, PageEvent("resync", None, *inputs)):
            yield values

    def on_stop_measure(self, request: gr.Request) -> None:
        """Ends the metric under way, unless another visitor waits for it too; its partial results are kept."""
        session = self.services.sessions.existing(request.session_hash)
        if session is None:
            return
        with contextlib.suppress(UserError):
            session.metric_stopped = self.services.explanations.get(session.request).stop_metric_if_last(session.wake)
            if not session.metric_stopped and session.painting == session.run:
                session.notice = SHARED
                session.wake()

    async def on_measure(self, event: gr.EventData, request: gr.Request, status: Any) -> AsyncIterator[dict[Any, Any]]:
        """Starts a metric of the maps on the screen and paints its results, unless a run that still paints does so."""
        session = self._session(request)
        try:
            _require_kept(session)
            require_live_session(session, status)
            job = self.services.explanations.get(session.request)
            self.services.metrics.submit(job, event._data.get("kind") if isinstance(event._data, dict) else None)
        except UserError as error:
            yield self._by_component(self.stream.refuse(session, str(error)))
            return
        session.metric_stopped, session.notice = False, ""
        run, measured = session.run, session.request
        if session.painting == run or measured is None:
            session.wake()
            yield self._by_component(skip_all_updates())
            return
        async for values in self.stream.answers(session, run, measured, job, measured):
            yield self._by_component(values)
        if session.run != run:
            yield self._by_component(skip_all_updates())

    async def on_region(self, event: gr.EventData, request: gr.Request, status: Any) -> dict[Any, Any]:
        """Measures the maps in a region that was drawn, uploaded or is known; or forgets it."""
        session = self._session(request)
        if session.refused:
            return self._by_component(skip_all_updates())
        return self._by_component(await self.regions.change(session, event._data, status))

    async def on_inspect(self, event: gr.EventData, request: gr.Request, classifier: Any, status: Any) -> AsyncIterator[dict[Any, Any]]:
        session = self._session(request)
        if session.refused:
            yield self._by_component(self.stream.refuse(session, session.refused))
            return
        async for values in self.inspections.start(str(request.session_hash), event._data, classifier, status):
            yield self._by_component(values)

    def on_stop_inspection(self, request: gr.Request) -> None:
        if session := self.services.sessions.existing(request.session_hash):
            self.inspections.stop(session)

    def _session(self, request: gr.Request) -> Session:
        """The visitor's session, a new one if there is none and room for it."""
        scope = request.request.scope if request.request else {}
        client = scope.get("client")
        return self.services.sessions.of(request.session_hash, client[0] if client else "", scope.get(RECEIVED))

    def on_unload(self, request: gr.Request) -> None:
        self.services.sessions.leave(request.session_hash)
        if self.unread:
            self.unread.forget(str(request.session_hash))
        self.evict()

    def evict(self) -> None:
        """Drops unused sessions, uploads, answers and pictures."""
        self.services.evict()
        image_data_uris.evict_encoded_images()

    async def evict_regularly(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.evict()
            if self.unread:
                self.unread.sweep(self.services.sessions.present)
            await asyncio.to_thread(gc.collect)  # a case and its methods refer to each other

    def _by_component(self, values: Values) -> dict[Any, Any]:
        """Component -> value, as Gradio takes it: it would read no value at all as one that empties the outputs."""
        if not values:
            return {self.components["status"]: gr.skip()}
        return {self.components[name]: _gradio_value(value) for name, value in values.items()}


def _require_kept(session: Session) -> None:
    """UserError where there was no room for the session."""
    if session.refused:
        raise UserError(session.refused)


def _gradio_value(value: Any) -> Any:
    return gr.update(choices=list(value.entries), value=value.value) if isinstance(value, DropdownChoices) else value
