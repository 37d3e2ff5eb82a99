"""A new panel of the page is a view, a part's script and one line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.new_panel import copy_with_panel
from tests.patience import PATIENCE
from tests.serving import ROOT

PROGRAM = """
import json
from app.options import ServeOptions
from app.page.assets import load_static_files
from app.page.events import PageEvents
from app.page.layout import GradioPageLayout
from app.service import cached_answer
from app.service.services import Services
from app.service.session import Session

services = Services.build(ServeOptions())
events = PageEvents(services)
config = GradioPageLayout(events).blocks.config
stored, session = cached_answer.read_cached_answer(), Session()
print(json.dumps({
    "components": [component["props"] for component in config["components"] if component["props"].get("elem_id") == "cc-map_count"],
    "triggers": [name for each in config["dependencies"] for _, name in each["targets"]],
    "files": sorted(load_static_files()),
    "answer": events.renderer.answer(session, stored, stored.request.classifier, 7)["map_count"],
    "empty": events.renderer.empty_page(session, stored.request.classifier, 8)["map_count"],
}))
services.close()
"""


TSC = ROOT / "node_modules" / ".bin" / "tsc"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_panel(tmp_path_factory.mktemp("new_panel"))


@pytest.fixture(scope="module")
def page(copied: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=copied, capture_output=True, text=True)
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


@pytest.mark.skipif(not TSC.exists(), reason="make check installs the type checker")
def test_its_types_need_no_other_file(copied: Path) -> None:
    done = subprocess.run([TSC, "-p", "."], cwd=copied, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
