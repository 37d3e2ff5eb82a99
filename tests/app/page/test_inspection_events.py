"""What the doctor's tab shows of a report, and how examinations wait, are shared and are refused; real models, no browser."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app.options import ServeOptions
from app.page.events import PageEvents
from app.page.views.inspection import inspection_report_view
from app.service.classifier_registry import ClassifierRegistry, RegisteredClassifier
from app.service.inspection_queue import (
    MAX_PICTURES,
    MAX_WAITING,
    MAX_WAITING_PER_ADDRESS,
    InspectionJob,
    InspectionQueue,
    InspectionRequest,
)
from app.service.services import Services
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from models.cards.card import Card, ClassLabel
from models.inspection.inspection_report import InspectionFinding, InspectionReport, LayerReport, PreprocessingCandidate
from models.sandbox import landlock
from tests.app.page.test_events import PARTS, png
from tests.models import hostile_files
from tests.patience import PATIENCE, until, waits_of

ENTRY = RegisteredClassifier("model-1", "my net", "folder/my net.h5")
CARD = Card("my net", (ClassLabel("a"), ClassLabel("<b>")), (32, 32))
WAYS = (
    PreprocessingCandidate("0..255", "rgb", 0.9, 0.95, 0.8, 0.5, 1.0, 0.99, "a", 0.92),
    PreprocessingCandidate("0..1", "rgb", 0.5, float("nan"), 0.99, 0.01, 1.0, 0.0, "<b>", float("nan")),
)
REPORT = InspectionReport(
    "my net",
    (
        InspectionFinding("head", "It ends in a softmax.", "Its graph."),
        InspectionFinding("preprocessing", "It is scaled twice.", "Both were tried.", "warning"),
        InspectionFinding("file", "It is damaged.", "Its bytes.", "refused"),
    ),
    (LayerReport("first", (16, 16), 8, (3, 3), False), LayerReport("last", (4, 2), 1024, None, True)),
    WAYS,
    "Quite sure.",
    CARD,
    replace(CARD, scaling="0..255"),
    12,
    12,
)


def test_what_is_worst_comes_first_and_names_stay_text() -> None:
    value = inspection_report_view(REPORT, ENTRY)
    assert [each["level"] for each in value["findings"]] == ["refused", "warning", "fact"]
    assert value["findings"][1] | {"about": "preprocessing", "known": "Both were tried."} == value["findings"][1]
    assert inspection_report_view(replace(REPORT, findings=REPORT.findings[:2]), ENTRY)["sum"] == (
        "my net: 1 warning, 1 fact; it was shown 12 pictures, 12 of known class."
    )
    assert value["sum"] == "my net cannot be opened."
    assert value["candidates"]["rows"][1][-2:] == ["<b>", "–"]


def test_the_ways_of_preparing_say_which_is_today_s_and_which_is_proposed() -> None:
    table = inspection_report_view(REPORT, ENTRY)["candidates"]
    assert table["marks"] == ["proposed", "today"]
    assert table["rows"][0] == ["0..255", "RGB", "90 %", "95 %", "80 %", "0.50", "100 %", "0.99", "a", "0.92"]
    assert table["rows"][1][3] == "–"
    unknown = inspection_report_view(replace(REPORT, candidates=tuple(replace(each, accuracy=None, auc=None) for each in WAYS)), ENTRY)[
        "candidates"
    ]
    assert "Right" not in [name for name, _ in unknown["columns"]]
    assert all(len(row) == len(unknown["columns"]) == len(table["columns"]) - 2 for row in unknown["rows"])
    assert "there was no picture" in inspection_report_view(replace(REPORT, candidates=(), certainty="", pictures=0), ENTRY)["sure"]


def test_layers_stand_from_the_answer_back() -> None:
    table = inspection_report_view(REPORT, ENTRY)["layers"]
    assert table["rows"] == [["last", "4 × 2", "1,024", "the whole picture", "✓"], ["first", "16 × 16", "8", "3 × 3", ""]]
    assert table["says"].startswith("2 layers,")
    many = inspection_report_view(replace(REPORT, layers=REPORT.layers * 500), ENTRY)["layers"]
    assert len(many["rows"]) == 400
    assert "The last 400 of 1,000 layers" in many["says"]


def test_the_card_is_read_back_as_it_was_proposed(tmp_path: Path) -> None:
    card = inspection_report_view(REPORT, ENTRY)["card"]
    (tmp_path / card["file"]).write_text(card["text"], encoding="utf-8")
    assert card["file"] == "my net.json"
    assert Card.read(tmp_path / "my net.json") == REPORT.proposed
    assert card["changes"] == ["scaling: 0..1 → 0..255"]
    assert card["command"] == "python -m app inspect 'my net.h5' --pictures FOLDER --fix"
    assert inspection_report_view(replace(REPORT, proposed=None), ENTRY)["card"] is None


def subject(seed: int) -> InspectionRequest:
    return InspectionRequest("glass_box", ((UploadedPicture.of(png(seed), f"{seed}.png"), ""),))


@pytest.fixture
def examinations() -> Iterator[InspectionQueue]:
    made = InspectionQueue(ClassifierRegistry(["glass_box"]), threading.Event())
    yield made
    made.close()


def settled(examination: InspectionJob) -> InspectionJob:
    until(lambda: examination.final)
    return examination


def test_it_waits_for_everybody_s_maps_and_equal_requests_share_one(examinations: InspectionQueue) -> None:
    with waits_of(examinations._idle) as waits:
        first, again = examinations.submit(subject(1)), examinations.submit(subject(1))
        assert first is again
        until(lambda: waits() >= 2)
        assert first.state == "waiting", "somebody's maps are made"
    examinations._idle.set()
    assert settled(first).error == ""
    assert first.report is not None
    assert first.report.card is not None
    assert first.report.pictures == 1
    assert examinations.submit(subject(1)) is first
    assert first.request.pictures[0][0].data == b"", "it keeps no picture"


def test_one_address_leaves_places_for_others(examinations: InspectionQueue) -> None:
    for number in range(MAX_WAITING_PER_ADDRESS):
        examinations.submit(subject(number), "192.0.2.1")
    with pytest.raises(UserError, match="for visitors from your address already"):
        examinations.submit(subject(50), "192.0.2.1")
    assert not examinations.submit(subject(51), "192.0.2.2").final


def test_what_nobody_waits_for_is_not_begun(examinations: InspectionQueue) -> None:
    first, second = examinations.submit(subject(1)), examinations.submit(subject(2))
    for each in (first, second):
        each.unsubscribe()
    assert "given up" in settled(first).error
    assert settled(second).report is None
    examinations._idle.set()
    assert settled(examinations.submit(subject(1))).report, "and it is begun when it is asked for anew"


def test_what_nobody_waits_for_any_longer_ends(examinations: InspectionQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    examinations._idle.set()
    on_progress, reached, left = examinations._on_progress, threading.Event(), threading.Event()

    def held(each: InspectionJob, done: int, total: int) -> None:
        """Holds the examination after its first pictures, until nobody waits for it."""
        if done:
            reached.set()
            left.wait(PATIENCE)
        on_progress(each, done, total)

    monkeypatch.setattr(examinations, "_on_progress", held)
    many = replace(subject(4), pictures=tuple((UploadedPicture.of(png(seed), f"{seed}.png"), "") for seed in range(MAX_PICTURES)))
    each = examinations.submit(many)
    assert reached.wait(PATIENCE)
    assert not each.final
    each.unsubscribe()
    left.set()
    assert "given up" in settled(each).error
    assert 0 < each.progress[0] < each.progress[1]
    assert each.report is None


def test_too_many_are_refused_and_what_left_the_shelf_is_forgotten(examinations: InspectionQueue) -> None:
    waiting = [examinations.submit(subject(seed)) for seed in range(MAX_WAITING)]
    with pytest.raises(UserError, match=f"{MAX_WAITING} models wait"):
        examinations.submit(subject(99))
    for each in waiting:
        each.unsubscribe()
        settled(each)
    examinations._registry.remove("glass_box")
    examinations.evict()
    assert not examinations._jobs


def test_a_file_that_is_no_picture_is_left_out_with_the_reason(examinations: InspectionQueue) -> None:
    examinations._idle.set()
    asked = replace(subject(3), pictures=(*subject(3).pictures, (UploadedPicture.of(b"words", "notes.txt"), "")))
    found = settled(examinations.submit(asked))
    assert found.report is not None
    assert found.report.pictures == 1
    assert found.left_out[0].startswith("notes.txt is left out. This file is not a picture")


@pytest.fixture(scope="module")
def handlers() -> Iterator[PageEvents]:
    handlers = PageEvents(Services.build(ServeOptions(models=("glass_box",), budget=3600)))
    handlers.components = {name: name for name in PARTS}
    handlers.services.registry.get("glass_box")
    yield handlers
    handlers.services.close()


class Patient:
    """A visitor who presses the tab's button."""

    def __init__(self, handlers: PageEvents, name: str) -> None:
        self.handlers, self.request = handlers, gr.Request(session_hash=name)
        self.session = handlers.services.sessions.of(name)

    def press(self, data: Any, classifier: Any = "glass_box") -> list[dict[str, Any]]:
        return asyncio.run(self._press(data, classifier))

    async def _press(self, data: Any, classifier: Any) -> list[dict[str, Any]]:
        return [values["doctor"] async for values in self.handlers.on_inspect(gr.EventData(None, data), self.request, classifier, {})]

    def sent(self, label: str, seed: int = 7) -> dict[str, Any]:
        return {"pictures": [{"token": self.handlers.services.uploads.put(png(seed), "sent.png"), "label": label}]}


def tab(handlers: PageEvents, patient: Patient, classifier: str) -> dict[str, Any]:
    return handlers.renderer.parts(("doctor",), patient.session, None, classifier, 0)["doctor"]


@pytest.fixture
def patient(handlers: PageEvents, request: pytest.FixtureRequest) -> Iterator[Patient]:
    yield Patient(handlers, request.node.name)
    handlers.on_unload(gr.Request(session_hash=request.node.name))


def test_a_bundled_model_is_examined_by_its_examples_and_what_was_sent(patient: Patient, handlers: PageEvents) -> None:
    examples = len(handlers.services.examples.of("glass_box"))
    assert f"{examples} pictures at hand" in tab(handlers, patient, "glass_box")["hand"]
    label = handlers.services.registry.get("glass_box").labels[0]
    last = patient.press(patient.sent(label))[-1]
    assert (last["state"], last["error"]) == ("done", "")
    assert f"was shown {examples + 1} pictures" in last["text"]
    assert json.loads(json.dumps(last))["report"]["name"]
    assert tab(handlers, patient, "phantoms")["state"] == "empty", "nothing of another classifier's"


@pytest.mark.parametrize(
    ("data", "classifier", "words"),
    [
        (None, "glass_box", "does not understand"),
        ({"pictures": [{"token": "x", "label": "no such class"}]}, "glass_box", "does not understand"),
        ({"pictures": [{"token": "x", "label": {}}]}, "glass_box", "does not understand"),
        ({"pictures": [{"token": "gone"}]}, "glass_box", "no longer here"),
        ({"pictures": [{}] * (MAX_PICTURES + 1)}, "glass_box", f"at most {MAX_PICTURES} pictures"),
        ({"pictures": []}, "nothing of this name", "no classifier named"),
        ({"pictures": []}, ["glass_box"], "no classifier named"),
    ],
)
def test_what_the_page_does_not_offer_is_refused_in_a_sentence(patient: Patient, data: Any, classifier: Any, words: str) -> None:
    (value,) = patient.press(data, classifier)
    assert words in value["error"]
    assert patient.session.inspection is None


def test_one_examination_at_a_time(patient: Patient, handlers: PageEvents) -> None:
    handlers.services.explanations.idle.clear()
    try:

        async def twice() -> str:
            first = handlers.on_inspect(gr.EventData(None, {"pictures": []}), patient.request, "glass_box", {})
            assert (await anext(first))["doctor"]["state"] in ("waiting", "running")
            (second,) = await patient._press({"pictures": []}, "glass_box")
            await first.aclose()
            return str(second["error"])

        assert "is under way" in asyncio.run(twice())
    finally:
        handlers.services.explanations.idle.set()


def test_an_examination_is_stopped(patient: Patient, handlers: PageEvents) -> None:
    handlers.services.explanations.idle.clear()
    try:

        async def stopped() -> list[dict[str, Any]]:
            seen = []
            async for values in handlers.on_inspect(gr.EventData(None, patient.sent("")), patient.request, "glass_box", {}):
                seen.append(values["doctor"])
                handlers.on_stop_inspection(patient.request)
            return seen

        *_, last = asyncio.run(stopped())
        assert (last["state"], last["text"]) == ("empty", "The examination was stopped.")
    finally:
        handlers.services.explanations.idle.set()
    assert patient.press({"pictures": []})[-1]["state"] == "done", "and another can be begun"


@pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")
def test_a_hostile_file_is_refused_in_its_report_and_no_other_suffers(tmp_path: Path) -> None:
    path = hostile_files.with_layer(tmp_path / "bad.keras", class_name="system", module="os", config={"command": "true"})
    handlers = PageEvents(Services.build(ServeOptions(models=(str(path),), budget=3600)))
    handlers.components = {name: name for name in PARTS}
    try:
        (*_, last) = Patient(handlers, "somebody").press({"pictures": []}, "model-1")
        assert last["report"]["findings"][0]["level"] == "refused"
        assert "bad.keras asks for 'system' of the module 'os'" in last["report"]["findings"][0]["says"]
        (*_, last) = Patient(handlers, "another").press({"pictures": []}, "glass_box")
        assert last["state"] == "done"
    finally:
        handlers.services.close()
