"""A new panel of the page is a view, a part's script and one line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.new_panel import copy_with_panel

PROGRAM = """
import json
from app.options import ServeOptions
from app.page.assets import static_files
from app.page.events import PageEvents
from app.page.layout import Layout
from app.service import cached_answer
from app.service.services import Services
from app.service.session import Session

services = Services.build(ServeOptions())
events = PageEvents(services)
config = Layout(events).blocks.config
stored, session = cached_answer.read(), Session()
print(json.dumps({
    "components": [component["props"] for component in config["components"] if component["props"].get("elem_id") == "cc-map_count"],
    "triggers": [name for each in config["dependencies"] for _, name in each["targets"]],
    "files": sorted(static_files()),
    "answer": events.renderer.answer(session, stored, stored.request.classifier, 7)["map_count"],
    "empty": events.renderer.empty_page(session, stored.request.classifier, 8)["map_count"],
}))
services.close()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root: Path = copy_with_panel(tmp_path_factory.mktemp("new_panel"))
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_the_layout_has_the_panel_and_loads_its_script(page: dict[str, Any]) -> None:
    (component,) = page["components"]
    assert "parts/map_count.js" in component["js_on_load"]
    assert "parts/map_count.js" in page["files"]


def test_its_events_are_connected(page: dict[str, Any]) -> None:
    assert page["triggers"].count("again") == 1


def test_answers_and_the_empty_page_hold_its_values(page: dict[str, Any]) -> None:
    assert page["answer"] == {"run": 7, "sentence": "7 maps so far."}
    assert page["empty"] == {"run": 8}
