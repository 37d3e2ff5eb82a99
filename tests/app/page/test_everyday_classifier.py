"""MobileNetV2 in the list of classifiers: its size said, fetched when it is chosen, and the answer before it kept where it cannot be."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import h5py
import keras
import pytest
from keras.src.legacy.saving import legacy_h5_format

from app.options import ServeOptions
from app.page.events import PageEvents
from app.service.classifier_registry import EVERYDAY
from app.service.services import Services
from models.formats.imagenet_weights import SOURCE_VARIABLE, ImagenetWeights
from tests.app.page.test_events import PARTS, Somebody, png
from tests.models.formats.weights_server import WeightsServer, weights_server

TITLE = "MobileNetV2 on ImageNet"


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WeightsServer]:
    """Sends another copy of the network's weights, in the published file's format."""
    network = keras.models.load_model(data / "models" / "imagenet_mobilenet_v2" / "model.keras", compile=False)
    file = tmp_path_factory.mktemp("weights") / "weights.h5"
    with h5py.File(file, "w") as written:
        legacy_h5_format.save_weights_to_hdf5_group(written, network)
    with weights_server(file.read_bytes()) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv(SOURCE_VARIABLE, server.address)
        patch.setenv("CROSSCHECK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield server


@pytest.fixture
def handlers(server: WeightsServer) -> Iterator[PageEvents]:
    handlers = PageEvents(Services.build(ServeOptions(budget=3600)))
    handlers.components = {name: name for name in (*PARTS, "classifier", "forget")}
    yield handlers
    handlers.services.close()


def choose(somebody: Somebody) -> dict[str, Any]:
    somebody.classifier = EVERYDAY
    return somebody.do("classifier")


def test_what_cannot_be_fetched_leaves_the_former_answer_and_what_can_is_fetched_once(
    handlers: PageEvents, server: WeightsServer, caplog: pytest.LogCaptureFixture
) -> None:
    services = handlers.services
    assert {name: title for title, name in services.classifier_choices()}[EVERYDAY] == f"{TITLE} (14 MB, fetched once)"
    somebody, other = Somebody(handlers, "somebody"), Somebody(handlers, "other")
    answer = somebody.pick(png(1))
    server.failure = "wrong hash"
    with caplog.at_level(logging.ERROR):
        refused = choose(somebody)
    assert refused["status"]["error"].startswith(f"{TITLE} could not be fetched: what arrived is not the published file (hash ")
    assert refused["status"]["state"] == "done"
    assert refused["classifier"]["value"] == "phantoms", "the list goes back to the classifier of the answer"
    for part in ("prediction", "grid", "picture"):
        assert refused[part] | {"run": 0} == answer[part] | {"run": 0}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], "no failure of the program"
    somebody.classifier = "phantoms"
    assert somebody.do("explain")["status"]["error"] == ""

    server.failure = ""
    server.go.clear()

    async def fetched() -> tuple[list[Any], list[Any]]:
        return await asyncio.gather(collected(somebody), collected(other))

    async def collected(visitor: Somebody) -> list[Any]:
        visitor.classifier = EVERYDAY
        seen = []
        data = {"token": services.uploads.put(png(2), "mine.png")}
        async for values in visitor.paintings("picked", data):
            if isinstance(values.get("status"), dict):
                seen.append(values["status"])
                if seen[-1]["text"].startswith("Fetching") and seen[-1]["share"] > 0:
                    server.go.set()
        return seen

    for seen in asyncio.run(fetched()):
        said = next(status for status in seen if status["text"].startswith(f"Fetching {TITLE}: "))
        assert said["text"].endswith(f" of {len(server.content) / 1e6:.1f} MB.")
        assert said["spoken"] == f"Fetching {TITLE}."
        assert seen[-1]["state"] == "done"
        assert not seen[-1]["error"]
    assert server.requests == 2
    assert somebody.session.report is not None
    assert somebody.session.report.card is not None
    assert "tabby" in [label.name for label in somebody.session.report.card.labels]
    assert {name: title for title, name in services.classifier_choices()}[EVERYDAY] == TITLE
    for visitor in (somebody, other):
        handlers.on_unload(gr.Request(session_hash=visitor.name))


def test_a_host_may_forbid_downloads(server: WeightsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offered() -> list[str]:
        services = Services.build(ServeOptions(download=False))
        names = [name for _, name in services.classifier_choices()]
        services.close()
        return names

    monkeypatch.setenv("CROSSCHECK_CACHE", str(tmp_path))
    assert EVERYDAY not in offered()
    kept = tmp_path / "imagenet"
    server.failure = ""
    server.go.set()
    file = ImagenetWeights().fetch()
    assert file.is_relative_to(kept)
    assert EVERYDAY in offered(), "what was fetched before needs no download"
