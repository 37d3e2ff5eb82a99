"""What a session of events leads to, on the real classifiers, without a browser: whose class is explained, what a refusal leaves alone."""

import asyncio
import gc
import io
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.options import ServeOptions
from app.page.events import PageEvents
from app.page.page_parts import PAINTED
from app.page.requests import PageEvent
from app.page.views import image_data_uris
from app.page.views.dropdown_controls import NO_CLASS
from app.service import limits
from app.service.example_gallery import ExampleGallery
from app.service.request import ExplanationRequest
from app.service.services import Services
from app.service.session import Session
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from models.sandbox import landlock
from models.store import bundled_models
from tests.models.picture_files import tiff
from tests.patience import PATIENCE, until_then

PARTS = (*(part.name for part in PAINTED), "target", "rather", "about", "times", "methods", "preset")
SLOW = ["Occlusion", "LIME", "SHAP"]
NOTHING_NEW = {"status": gr.skip()}


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


class Loading(Future[Any]):
    """A classifier that loads for as long as a test wants. awaited: how many wait for it."""

    awaited = 0

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        super().add_done_callback(fn)
        self.awaited += 1


class Somebody:
    """A visitor who speaks to the handlers themselves."""

    def __init__(self, handlers: PageEvents, name: str) -> None:
        self.handlers, self.name = handlers, name
        self.classifier, self.methods, self.preset = "phantoms", ["GradCAM"], "Fast"
        self.status: dict[str, Any] = {}

    @property
    def session(self) -> Session:
        return self.handlers.services.sessions.of(self.name)

    async def paintings(self, kind: str, data: Any = None, chosen: Any = None) -> AsyncIterator[dict[str, Any]]:
        wish = PageEvent(kind, data, self.classifier, self.methods, self.preset, self.status, chosen)
        async for values in self.handlers.run(gr.Request(session_hash=self.name), wish):
            self.status = self.status if values.get("status", NOTHING_NEW["status"]) == NOTHING_NEW["status"] else values["status"]
            yield values

    async def do_async(self, kind: str, data: Any = None, chosen: Any = None) -> dict[str, Any]:
        """The last value of every part."""
        shown: dict[str, Any] = {}
        async for values in self.paintings(kind, data, chosen):
            shown |= values
        return shown

    def do(self, kind: str, data: Any = None, chosen: Any = None) -> dict[str, Any]:
        return asyncio.run(self.do_async(kind, data, chosen))

    def pick(self, data: bytes, name: str = "mine.png") -> dict[str, Any]:
        return self.do("picked", {"token": self.handlers.services.uploads.put(data, name)})


@pytest.fixture(scope="module")
def handlers() -> Iterator[PageEvents]:
    handlers = PageEvents(Services.build(ServeOptions(queue=2, budget=3600)))
    handlers.components = {name: name for name in (*PARTS, "classifier", "forget")}
    handlers.services.start()
    handlers.services.registry.get("phantoms")
    yield handlers
    handlers.services.close()


@pytest.fixture
def somebody(handlers: PageEvents, request: pytest.FixtureRequest) -> Iterator[Somebody]:
    somebody = Somebody(handlers, request.node.name)
    yield somebody
    handlers.on_unload(gr.Request(session_hash=somebody.name))


def test_a_class_stays_with_its_picture_and_its_classifier(somebody: Somebody) -> None:
    somebody.pick(png(1))
    report = somebody.session.report
    assert report is not None
    assert report.target is not None
    other = (report.target + 1) % 4
    assert somebody.do("bar", {"index": other})["target"]["value"] == other
    assert somebody.session.request.target == other
    somebody.do("explain")
    assert somebody.session.request.target == other, "the visitor's own choice stays when they ask again"
    somebody.pick(png(2))
    assert somebody.session.request.target is None
    somebody.do("target", chosen=other if somebody.session.report.target != other else report.target)
    somebody.classifier = "glass_box"
    somebody.do("classifier")
    assert somebody.session.request.target is None


def test_explain_pressed_before_the_new_prediction_explains_its_likeliest_class(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.pick(png(3))
    old = somebody.session.report.target

    async def hasty() -> dict[str, Any]:
        async for _ in somebody.paintings("picked", {"token": handlers.services.uploads.put(png(4), "next.png")}):
            break  # the classifier has not answered yet, and the lists still show the class of the first picture
        assert await somebody.do_async("target", chosen=(old + 1) % 4) == NOTHING_NEW
        assert "not there yet" in (await somebody.do_async("bar", {"index": old}))["status"]["error"]
        return await somebody.do_async("explain")

    shown = asyncio.run(hasty())
    assert somebody.session.request.target is None
    assert shown["status"]["state"] == "done"
    assert somebody.session.report.target == int(somebody.session.report.probabilities.argmax())


def test_a_list_that_is_only_left_asks_nothing(somebody: Somebody) -> None:
    somebody.pick(png(5))
    run, target = somebody.session.run, somebody.session.report.target
    somebody.preset = "Balanced"  # not asked for yet
    assert somebody.do("classifier") == NOTHING_NEW
    assert somebody.do("target", chosen=target) == NOTHING_NEW
    assert somebody.do("rather", chosen=NO_CLASS) == NOTHING_NEW
    assert somebody.session.run == run


def test_a_contrast_names_two_classes(somebody: Somebody) -> None:
    somebody.pick(png(6))
    target = somebody.session.report.target
    assert "two different classes" in somebody.do("rather", chosen=target)["status"]["error"]
    somebody.do("rather", chosen=(target + 1) % 4)
    assert (somebody.session.request.target, somebody.session.request.rather_than) == (target, (target + 1) % 4)
    somebody.do("rather", chosen=NO_CLASS)
    assert somebody.session.request.rather_than is None


def test_who_stops_waiting_does_not_stop_the_loading_for_everybody(handlers: PageEvents, somebody: Somebody) -> None:
    entry = handlers.services.registry.entry("phantoms")
    loaded, entry.future, entry.state = entry.future, Loading(), "loading"

    async def gone() -> None:
        task = asyncio.create_task(somebody.do_async("arrived"))
        await until_then(lambda: somebody.session.report and somebody.session.report.final)
        await until_then(lambda: entry.future.awaited)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    somebody.methods, somebody.preset = (
        [type(method).__name__ for method in handlers.services.usual],
        "Balanced",
    )  # the stored answer is there before the classifier
    try:
        asyncio.run(gone())
        assert not entry.future.cancelled()
    finally:
        entry.future, entry.state = loaded, "ready"


def test_who_is_heard_before_the_page_has_said_that_it_is_open_gets_what_they_chose(handlers: PageEvents, somebody: Somebody) -> None:
    """Events pass each other on the way, and the page's first may be late: what it finds chosen stays."""
    somebody.classifier = "glass_box"
    status = somebody.do("classifier")["status"]
    assert (status["state"], status["error"]) == ("done", "")
    run, late = somebody.session.run, Somebody(handlers, somebody.name)
    assert late.do("arrived") == NOTHING_NEW
    assert somebody.session.run == run
    assert somebody.session.request
    assert somebody.session.request.classifier == "glass_box"


def test_a_lost_session_says_so_and_its_runs_are_newer_than_those_on_the_screen(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.do("arrived")
    run = somebody.pick(png(7))["status"]["run"]
    handlers.on_unload(gr.Request(session_hash=somebody.name))
    for kind in ("explain", "bar", "target", "arrived", "explain"):
        shown = somebody.do(kind, chosen=1)
        assert set(shown) == {"status"}, "what stands on the screen stays"
        assert shown["status"]["error"] == "Your session has ended; choose the picture again."
        assert shown["status"]["run"] > run
    assert somebody.pick(png(7))["status"]["state"] == "done"
    assert somebody.do("explain")["status"]["state"] == "done"


def test_another_classifier_in_a_lost_session_clears_the_answer_of_the_one_before(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.pick(png(7))
    handlers.on_unload(gr.Request(session_hash=somebody.name))
    somebody.classifier = "glass_box"
    shown = somebody.do("classifier")
    assert shown["status"]["error"] == "Your session has ended; choose the picture again."
    assert "maps" not in shown["grid"]
    assert shown["verdict"]["where"][0][0][0].startswith("Drop a picture")
    assert "set by hand" in shown["about"], "the new one's facts"
    assert shown["target"]["choices"] == []
    assert shown["doctor"]["title"].startswith("Glass box")
    assert somebody.do("classifier") == NOTHING_NEW, "Gradio's lists speak twice"
    assert somebody.do("explain")["status"]["state"] == "done", "the session has begun anew"
    somebody.classifier = "nothing of this name"
    assert "no classifier named" in somebody.do("classifier")["status"]["error"]


def test_every_part_of_the_page_shows_that_the_session_was_lost(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.pick(png(7))
    handlers.on_unload(gr.Request(session_hash=somebody.name))
    request, run = gr.Request(session_hash=somebody.name), somebody.status["run"]

    async def last(answer: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
        return [values async for values in answer][-1]

    def event(**data: Any) -> gr.EventData:
        return gr.EventData(None, data)

    measured = asyncio.run(last(handlers.on_measure(event(kind="curves"), request, somebody.status)))["status"]
    region = asyncio.run(handlers.on_region(event(kind="known"), request, somebody.status))["region"]
    examined = asyncio.run(last(handlers.on_inspect(event(pictures=[]), request, "phantoms", somebody.status)))["doctor"]
    for part in (measured, region, examined):
        assert part["error"] == "Your session has ended; choose the picture again."
        assert part["run"] > run


def test_a_lost_session_with_a_model_that_was_brought(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.pick(png(7))
    handlers.on_unload(gr.Request(session_hash=somebody.name))
    somebody.classifier = "brought-secret"
    assert somebody.do("explain")["status"]["error"] == "Your session has ended; choose the picture again."
    assert (
        somebody.pick(png(7))["status"]["error"]
        == "The model that you brought is no longer here; bring it again, or choose another classifier."
    )


def test_a_page_that_only_showed_a_refusal_has_lost_nothing(handlers: PageEvents, somebody: Somebody) -> None:
    somebody.methods = []
    assert "No method is chosen" in somebody.do("explain")["status"]["error"]
    late = Somebody(handlers, somebody.name)
    assert late.do("arrived") == NOTHING_NEW, "the page's first event comes late, and the choice stays"
    handlers.on_unload(gr.Request(session_hash=somebody.name))
    somebody.methods = ["GradCAM"]
    assert somebody.do("explain")["status"]["state"] == "done"
    somebody.methods = []
    assert somebody.do("explain")["status"]["answered"], "an answer still stands beside this refusal"


def test_a_classifier_that_fails_after_another_was_chosen_changes_nothing(
    handlers: PageEvents, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, entry = ExampleGallery.of, handlers.services.registry.entry("glass_box")
    monkeypatch.setattr(ExampleGallery, "of", lambda self, name: () if name == "glass_box" else genuine(self, name))
    monkeypatch.setattr(entry, "state", "loading")
    monkeypatch.setattr(entry, "future", Loading())

    async def fails_late() -> list[dict[str, Any]]:
        somebody.classifier = "glass_box"
        early = somebody.paintings("classifier")
        said = [await anext(early)]
        rest = asyncio.create_task(anext(early))  # waits for the classifier
        await until_then(lambda: entry.future.awaited)
        somebody.classifier = "phantoms"
        await somebody.do_async("picked", {"token": handlers.services.uploads.put(png(21), "mine.png")})
        entry.future.set_exception(UserError("This is no classifier."))
        return [*said, await rest]

    assert asyncio.run(fails_late())[-1] == NOTHING_NEW


def test_a_refused_request_leaves_the_running_one_alone(handlers: PageEvents, somebody: Somebody) -> None:
    async def impatient() -> tuple[dict[str, Any], dict[str, Any], int]:
        somebody.methods, somebody.preset = SLOW, "Balanced"
        running = asyncio.create_task(somebody.do_async("picked", {"token": handlers.services.uploads.put(png(8), "slow.png")}))
        await until_then(lambda: somebody.session.painted and somebody.session.painted.state == "running")
        run, somebody.methods = somebody.session.run, []
        refused = await somebody.do_async("explain")
        return refused, await running, run

    refused, shown, run = asyncio.run(impatient())
    assert "choose at least one" in refused["status"]["error"]
    assert refused["status"]["state"] == "running"
    assert shown["status"]["run"] == run == somebody.session.run
    assert shown["status"]["state"] == "done"
    assert "choose at least one" in shown["status"]["error"], "the sentence is not painted over"


def test_a_refused_picture_leaves_the_last_good_answer(somebody: Somebody) -> None:
    good = somebody.pick(png(9), "good.png")
    shown = somebody.pick(b"<!doctype html>", "bad.png")
    assert "is a web page" in shown["picture"]["error"]
    assert shown["verdict"]["facts"] == good["verdict"]["facts"]
    assert shown["status"]["state"] == "done"
    assert shown["verdict"]["sentence"] == good["verdict"]["sentence"]
    assert shown["grid"]["panels"] == good["grid"]["panels"]
    assert somebody.session.request.picture.name == "good.png"
    assert somebody.do("explain")["picture"]["error"] == ""


def test_a_page_that_received_nothing_is_sent_everything_again(handlers: PageEvents, somebody: Somebody) -> None:
    async def nudge() -> dict[str, Any]:
        shown: dict[str, Any] = {}
        page = (somebody.classifier, somebody.methods, somebody.preset, somebody.status)
        async for values in handlers.on_resync(gr.Request(session_hash=somebody.name), *page):
            shown |= values
        return shown

    first = asyncio.run(nudge())
    assert first["status"]["state"] == "done", "the page's first event never came"
    answer = somebody.pick(png(12))
    again = asyncio.run(nudge())
    assert again["status"] == answer["status"]
    assert again["grid"] == answer["grid"]
    assert somebody.session.run == answer["status"]["run"]


def test_a_request_that_was_overtaken_on_its_way_changes_nothing(handlers: PageEvents, somebody: Somebody) -> None:
    names = [one.picture.example for one in handlers.services.examples.of("phantoms")[:2]]
    somebody.do("picked", {"example": names[1], "wish": 2})
    run = somebody.session.run
    assert somebody.do("picked", {"example": names[0], "wish": 1}) == NOTHING_NEW
    assert (somebody.session.run, somebody.session.request.picture.example) == (run, names[1])


def test_the_facts_of_one_classifier_never_stand_under_the_name_of_another(handlers: PageEvents, somebody: Somebody) -> None:
    assert "4 classes" in somebody.pick(png(10))["about"]
    entry = handlers.services.registry.entry("phantoms_shortcut")
    entry.state, entry.future = "loading", Future()  # loads for as long as this test wants
    somebody.classifier = "phantoms_shortcut"

    async def first() -> dict[str, Any]:
        async for values in somebody.paintings("classifier"):
            return values
        return {}

    try:
        values = asyncio.run(first())
        assert (values["about"], values["times"], values["target"]["choices"]) == ("", "", [])
        assert somebody.session.answer is None
    finally:
        entry.state = "not loaded"


def test_a_classifier_that_loads_slowly_keeps_nobody_from_another(handlers: PageEvents) -> None:
    entry = handlers.services.registry.entry("phantoms_shortcut")
    entry.state, entry.future = "loading", Future()
    waiting = [handlers.services.explanations.submit(_question(handlers, "phantoms_shortcut", number)) for number in range(2)]
    ringers: list[Callable[[], None]] = [lambda: None, lambda: None]
    try:
        assert all(job.subscribe(ring) for job, ring in zip(waiting, ringers, strict=True))
        blocked = [handlers.services.explanations._pools["predict"].submit(threading.Event().wait, 0) for _ in range(4)]
        assert all(future.done() or future.result(PATIENCE) is False for future in blocked), "no glance waits for the loading"
    finally:
        for job, ring in zip(waiting, ringers, strict=True):
            job.unsubscribe(ring)
        entry.state = "not loaded"
    assert handlers.services.explanations.waiting == 0


def _question(handlers: PageEvents, classifier: str, number: int) -> ExplanationRequest:
    return ExplanationRequest(classifier, UploadedPicture.of(png(100 + number), "x"), (handlers.services.methods["GradCAM"],), "Fast")


def test_an_example_of_one_classifier_is_no_picture_for_another_without_examples(
    handlers: PageEvents, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody.do("picked", {"example": handlers.services.examples.of("phantoms")[0].picture.example})
    genuine = ExampleGallery.of
    monkeypatch.setattr(ExampleGallery, "of", lambda self, name: () if name == "glass_box" else genuine(self, name))
    somebody.classifier = "glass_box"
    shown = somebody.do("classifier")
    assert shown["verdict"]["where"][0][0][0].startswith("Drop a picture")
    assert shown["status"] == {"run": somebody.session.run, "error": ""}, "no sentence about the run before stays"
    assert shown["about"].startswith(f"{len(handlers.services.registry.get('glass_box').labels)} classes")
    assert shown["target"]["choices"] == []
    assert somebody.session.request is None


def test_when_the_last_visitor_leaves_their_picture_is_forgotten(handlers: PageEvents) -> None:
    one, two = Somebody(handlers, "one"), Somebody(handlers, "two")
    known, cases, uris = (
        len(handlers.services.explanations._jobs),
        len(handlers.services.explanations._cases),
        set(image_data_uris._uris.keys()),
    )
    one.pick(png(11), "secret.png"), two.pick(png(11), "same.png")
    assert len(handlers.services.explanations._jobs) == known + 1
    assert not any(
        request.picture.data or request.picture.name for request in handlers.services.explanations._jobs if not request.picture.example
    )
    handlers.on_unload(gr.Request(session_hash="one"))
    assert len(handlers.services.explanations._jobs) == known + 1, "the other visitor still looks at it"
    handlers.on_unload(gr.Request(session_hash="two"))
    assert (len(handlers.services.explanations._jobs), len(handlers.services.explanations._cases)) == (known, cases)
    del one, two
    gc.collect()
    assert set(image_data_uris._uris.keys()) <= uris


@pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")
def test_a_model_that_a_newer_request_overtook_is_on_offer_all_the_same() -> None:
    handlers = PageEvents(Services.build(ServeOptions(models=("glass_box",), budget=3600, allow_model_upload=True)))
    handlers.components = {name: name for name in (*PARTS, "classifier")}
    assert handlers.services.model_uploads is not None
    try:
        token, file = handlers.services.model_uploads.reserve("Late one.keras")
        file.write_bytes(bundled_models()["glass_box"].read_bytes())
        handlers.services.sessions.of("anna").newest_event = 2.0
        event = gr.EventData(None, {"token": token, "wish": 1})

        async def said() -> list[dict[str, Any]]:
            request = gr.Request(session_hash="anna")
            return [values async for values in handlers.on_model_upload(event, request, "glass_box", ["GradCAM"], "Fast", {})]

        (only,) = asyncio.run(said())
        assert only["status"] == NOTHING_NEW["status"]
        assert ("Late one", token) in only["classifier"]["choices"]
        assert "value" not in only["classifier"]
    finally:
        handlers.services.close()


def test_a_metric_that_two_wait_for_is_stopped_by_the_last_who_does_and_only_they_see_it(
    handlers: PageEvents, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "METRIC_YIELD_SECONDS", PATIENCE)
    other, later = Somebody(handlers, "other"), Somebody(handlers, "later")
    example = {"example": handlers.services.examples.of("phantoms")[3].picture.example}
    for each in (somebody, other):
        each.do("picked", example)
    job = handlers.services.explanations.get(somebody.session.request)
    assert handlers.services.explanations.get(other.session.request) is job

    async def pressed(who: Somebody) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        async for values in handlers.on_measure(event("curves"), gr.Request(session_hash=who.name), who.status):
            shown |= values
        return shown

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        handlers.services.explanations.idle.clear()  # the measure waits, as while somebody's maps are made
        mine = asyncio.create_task(pressed(somebody))
        await until_then(lambda: job.report.measures.running and somebody.session.painting)
        others = asyncio.create_task(other.do_async("explain"))
        await until_then(lambda: other.session.painting)
        handlers.on_stop_measure(gr.Request(session_hash=other.name))
        assert not job.metric_stop.is_set(), "the first still waits for it"
        await until_then(lambda: "Another visitor waits" in str(other.session.sent.get("status")))
        handlers.on_unload(gr.Request(session_hash=other.name))
        await others
        assert not job.metric_stop.is_set()
        handlers.on_stop_measure(gr.Request(session_hash=somebody.name))
        assert job.metric_stop.is_set()
        return await mine, await later.do_async("picked", example)

    try:
        told, afterwards = asyncio.run(both())
    finally:
        handlers.services.explanations.idle.set()
        handlers.on_unload(gr.Request(session_hash=later.name))
    assert handlers.services.explanations.get(somebody.session.request) is job
    assert told["trust"]["error"] == "The measure was stopped before it found anything."
    assert afterwards["trust"]["error"] == ""


def event(kind: str) -> gr.EventData:
    return gr.EventData(None, {"kind": kind})


def test_a_visitor_s_picture_and_answers_are_deleted_at_once(handlers: PageEvents) -> None:
    somebody = Somebody(handlers, "forgetful")
    token = handlers.services.uploads.put(png(77), "mine.png")
    assert somebody.do("picked", {"token": token})["prediction"]["bars"]
    picture = somebody.session.request.picture if somebody.session.request else None
    assert picture is not None
    before, waiting = somebody.session, handlers.services.uploads.put(png(79), "on its way.png")
    shown = handlers.on_forget(gr.EventData(None, {"tokens": [waiting, 5]}), gr.Request(session_hash=somebody.name), "phantoms")
    assert shown["forget"]["text"].startswith("Deleted")
    with pytest.raises(UserError, match="no longer here"):
        handlers.services.uploads.take(waiting)
    assert shown["prediction"]["bars"] == []
    assert shown["status"]["run"] == somebody.session.run > before.run - 1
    assert somebody.session is not before
    assert not handlers.services.sessions.references(picture)
    assert not any(known.picture == picture for known in handlers.services.explanations._jobs)
    somebody.status = shown["status"]
    assert somebody.do("picked", {"token": handlers.services.uploads.put(png(78), "next.png")})["prediction"]["bars"]
    handlers.on_unload(gr.Request(session_hash=somebody.name))


def test_where_the_page_is_full_a_newcomer_reads_so(handlers: PageEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers.services.sessions, "_max_sessions", len(handlers.services.sessions))
    late = Somebody(handlers, "late")
    assert "The page is full" in late.do("arrived")["status"]["error"]
    assert not handlers.services.sessions.present("late")


def test_the_page_of_a_stack_is_chosen_and_said(somebody: Somebody) -> None:
    stack = np.random.default_rng(0).integers(0, 4096, (3, 40, 50)).astype(np.uint16)
    stack[0], stack[:, 0, 0] = 0, 4095
    stack[0] = 0
    data = tiff(stack, photometric="minisblack")
    first = somebody.pick(data, "stack.tif")["verdict"]
    assert (first["page"], first["pages"]) == (1, 3)
    assert first["notes"] == "This is page 1 of 3. It is of one shade throughout; choose another page."
    second = somebody.do("page", {"page": 2})["verdict"]
    assert (second["page"], second["pages"]) == (2, 3)
    assert second["notes"].startswith("This is page 2 of 3. Its values end at 4,095")
    report = somebody.session.report
    assert report is not None
    assert report.image is not None
    assert report.image.max() > 0.9
    assert "no page 9" in somebody.do("page", {"page": 9})["picture"]["error"]
    for wrong in (0, -1, "2", None, True, 1.5):
        assert "pages and frames count from 1" in str(somebody.do("page", {"page": wrong}))
