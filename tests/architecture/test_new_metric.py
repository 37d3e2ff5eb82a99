"""A new metric is one file and its place in METRICS: the manifest, the page and the docs follow. Done in a copy of the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
FILE = '''
"""How small a part of the picture holds half of a map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explainers.explanation_case import Case
from explainers.metric import Family, Metric
from explainers.method_runner import MethodResult, maps_with_positive_evidence


@dataclass(frozen=True)
class Spread:
    title: str
    cells: float

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "cells": self.cells}


@dataclass(frozen=True)
class CompactnessMetric(Metric[Spread]):
    title = "Compactness"
    key = "compactness"
    family: ClassVar[Family] = "faithfulness"
    source = "made up for a test"
    formula = "the share of cells that holds half of the map"
    description = "A map that fits on a stamp is easier to read than one that covers the wall."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[Spread]:
        case.image_logits
        for title, values in maps_with_positive_evidence(results).items():
            falling = np.sort(np.maximum(values, 0), axis=None)[::-1].cumsum()
            yield Spread(title, float((falling < falling[-1] / 2).mean()))

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return 1
'''
PAGE = """
import json
import time
from dataclasses import replace

from app.page.views.evidence import trust_view
from app.service.cached_answer import first_page_request
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_queue import ExplanationQueue
from explainers.methods.grad_cam import GradCAM

def settled(job):
    while not job.report.settled:
        time.sleep(0.05)
    return job.report

jobs = ExplanationQueue(ClassifierRegistry(["phantoms"]), concurrency=1, queue=1, budget=600)
job = jobs.submit(replace(first_page_request(), methods=(GradCAM(),), preset="Fast"))
before = trust_view(settled(job), 1, ())
jobs.metrics.submit(job, "compactness")
after = trust_view(settled(job), 1, ())
jobs.close()
print(json.dumps([before, after]))
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more metric; what no metric touches is only linked."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("app", "explainers", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for name in ("models", "examples", "errors.py", "image_batches.py", "plain_arrays.py", "plain_files.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "explainers" / "metrics" / "faithfulness" / "compactness.py").write_text(FILE.lstrip(), encoding="utf-8")
    registry = folder / "explainers" / "metrics" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    imports = "from explainers.metrics.faithfulness.average_drop"
    assert text.count(imports) == text.count("    GridPointingGameMetric,\n)") == 1
    text = text.replace(imports, f"from explainers.metrics.faithfulness.compactness import CompactnessMetric\n{imports}")
    registry.write_text(
        text.replace("    GridPointingGameMetric,\n)", "    GridPointingGameMetric,\n    CompactnessMetric,\n)"), encoding="utf-8"
    )
    return folder


def run(folder: Path, *arguments: str) -> str:
    """What Python prints in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_manifest_holds_it(copied: Path) -> None:
    picture = next((copied / "examples").glob("patches_*.png"))
    chosen = ("--model", "glass_box", "--methods", "grad_cam", "--preset", "fast", "--measures", "all", "--quiet")
    run(copied, "-m", "app", "explain", str(picture), "--out", str(copied / "out"), *chosen)
    (entry,) = json.loads((copied / "out" / "manifest.json").read_text(encoding="utf-8"))["pictures"]
    (found,) = entry["measures"]["compactness"]
    assert found["title"] == "Grad-CAM"
    assert 0 < found["cells"] < 1


def test_the_page_offers_it_and_shows_what_it_found(copied: Path) -> None:
    before, after = json.loads(run(copied, "-c", PAGE).splitlines()[-1])
    (button,) = [each for each in before["buttons"] if each["kind"] == "compactness"]
    assert button["title"] == "Compactness"
    assert button["help"].startswith("A map that fits on a stamp")
    assert button["cost"].startswith("at most 1 evaluation")
    assert button["ready"]
    chips = [{chip["name"]: chip for chip in shown["lines"][0]["chips"]} for shown in (before, after)]
    assert chips[0]["Compactness"]["text"] == "not asked"
    assert chips[1]["Compactness"]["text"].startswith("cells 0.")
    assert [each["done"] for each in after["buttons"] if each["kind"] == "compactness"] == [True]


def test_the_docs_list_it(copied: Path) -> None:
    run(copied, "-m", "app", "metrics", "--write", "docs/metrics.md")
    text = (copied / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert "| Compactness | faithfulness | the share of cells that holds half of the map |" in text
