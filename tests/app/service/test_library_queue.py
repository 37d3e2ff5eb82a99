"""A library behind the page: built from the host's pictures while nobody waits, stopped with the server, continued, and used at once."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import map_library
from app.model_files import read_map_library_of_model
from app.service.classifier_registry import ClassifierRegistry
from app.service.library_queue import LibraryQueue
from app.service.metric_queue import MetricQueue
from errors import UserError
from explainers.methods.grad_cam import GradCAM
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
from models.store import bundled_models
from tests.patience import until

PICTURES = 32
NAME = "model-1"
"""The name under which the page offers the first model from a path."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for seed in range(PICTURES - 1):
        image = draw_colour_patches(seed, NAMES[seed % 4]).image
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(folder / f"{seed:02}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model of the host's without a library; of the methods one, because all ten take a minute."""
    monkeypatch.setattr(map_library, "METHODS", (GradCAM,))
    source = bundled_models()["glass_box"]
    for ending in (source.suffix, ".json"):
        shutil.copy(source.with_suffix(ending), tmp_path / f"own{ending}")
    return str(tmp_path / f"own{source.suffix}")


@pytest.fixture
def idle() -> threading.Event:
    found = threading.Event()
    found.set()
    return found


@pytest.fixture
def registry(model: str) -> ClassifierRegistry:
    return ClassifierRegistry((model,), trust=True)


@pytest.fixture
def queue(registry: ClassifierRegistry, idle: threading.Event, pictures: Path) -> Iterator[LibraryQueue]:
    made = LibraryQueue(registry, MetricQueue(registry, idle), idle, pictures)
    yield made
    made.close()


def test_it_waits_for_visitors_says_how_far_it_is_and_is_used_at_once(queue: LibraryQueue, model: str, idle: threading.Event) -> None:
    assert queue.is_missing(NAME)
    idle.clear()
    job = queue.submit(NAME)
    assert queue.submit(NAME) is job, "one at a time for each model"
    assert job.to_json() == {
        "classifier": NAME,
        "state": "waiting",
        "done": 0,
        "total": PICTURES,
        "seconds_left": None,
        "left_out": 0,
        "error": "",
    }
    idle.set()
    until(lambda: job.state not in ("waiting", "running"))
    assert (job.state, job.error, job.done, job.left_out) == ("done", "", PICTURES, 1)
    assert job.to_json()["seconds_left"] == 0
    assert not queue.is_missing(NAME)
    found = read_map_library_of_model(model)
    assert found is not None
    assert len(found.pictures) == PICTURES - 1
    assert set(found.classes) == {0, 1, 2, 3}
    context = queue._metrics._context(NAME, queue._registry.get(NAME))
    assert context.library is not None, "under the page's name of the model too"
    assert not context.library.mismatch({"model": context.model, "cells": 8, "fill": "blur"})
    again = queue.submit(NAME)
    until(lambda: again.state == "done")
    assert again.fresh == 0, "what is there is not explained again"


def test_a_closed_server_stops_it(queue: LibraryQueue, model: str, idle: threading.Event) -> None:
    idle.clear()
    job = queue.submit(NAME)
    queue.close()
    until(lambda: job.state in ("stopped", "waiting"))
    assert read_map_library_of_model(model) is None


def test_too_few_pictures_are_one_sentence(registry: ClassifierRegistry, model: str, idle: threading.Event, tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        queue = LibraryQueue(registry, MetricQueue(registry, idle), idle, folder)
        with pytest.raises(UserError, match="needs more than 30 pictures"):
            queue.submit(NAME)
        queue.close()
