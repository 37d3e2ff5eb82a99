"""A new method is one file and its place in METHODS: maps, manifest, page and docs follow. Done in a copy of the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
FILE = '''
"""The gradient, times the picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from explainers.explanation_case import Case
from explainers.method import Attribution, Method, ParameterRange


@dataclass(frozen=True)
class GradientTimesInput(Method):
    title = "Gradient × Input"
    revision = 1
    family = "gradient"
    signed = True
    asks = "gradients"
    resolution = "pixels"
    source = "made up for a test"
    formula = "x · ∂S/∂x"
    about = "Weighs every pixel by the gradient there."
    fails = "Black pixels never count."

    sharpness: Annotated[float, ParameterRange(0.5, 2, 0.5, "power of the picture")] = 1.0

    def __call__(self, case: Case) -> Iterator[Attribution]:
        for gradient in case.gradients([case.image]):
            yield Attribution((gradient * case.image**self.sharpness).sum(axis=-1).astype(np.float32))

    def cost(self, case: Case) -> int:
        return 1
'''
PAGE = """
import json

from app.options import ServeOptions
from app.page.assets import browser_page_config
from app.service.services import Services

services = Services.build(ServeOptions())
print(json.dumps(browser_page_config(list(services.methods.values()))["methods"]))
services.close()
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more method; what no method touches is only linked."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("app", "explainers", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for name in ("models", "examples", "errors.py", "image_batches.py", "plain_arrays.py", "plain_files.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "explainers" / "methods" / "gradient_times_input.py").write_text(FILE.lstrip(), encoding="utf-8")
    registry = folder / "explainers" / "methods" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    imports = "from explainers.methods.hirescam"
    assert text.count(imports) == text.count("    PartitionSHAP,\n)") == 1
    text = text.replace(imports, f"from explainers.methods.gradient_times_input import GradientTimesInput\n{imports}")
    registry.write_text(text.replace("    PartitionSHAP,\n)", "    PartitionSHAP,\n    GradientTimesInput,\n)"), encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> str:
    """What Python prints in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_explain_writes_its_map_and_names_it_in_the_manifest(copied: Path) -> None:
    picture = next((copied / "examples").glob("patches_*.png"))
    chosen = ("--model", "glass_box", "--methods", "gradient_input", "grad_cam", "--set", "gradient_input.sharpness=2", "--quiet")
    run(copied, "-m", "app", "explain", str(picture), "--out", str(copied / "out"), "--preset", "fast", *chosen)
    (entry,) = json.loads((copied / "out" / "manifest.json").read_text(encoding="utf-8"))["pictures"]
    found = next(each for each in entry["maps"] if each["method"] == "gradient_input")
    assert (found["title"], found["parameters"], found["evaluations"]) == ("Gradient × Input", {"sharpness": 2.0}, 1)
    assert (copied / "out" / found["overlay"]).is_file()
    with np.load(copied / "out" / "maps.npz") as maps:
        assert maps[found["full"]].shape == tuple(entry["geometry"]["map_size"])
        assert np.abs(maps[found["native"]]).max() > 0
    pairs = [pair["pair"] for pair in entry["measures"]["agreement"]["pairs"]]
    assert ["Gradient × Input", "Grad-CAM"] in [sorted(pair, reverse=True) for pair in pairs]


def test_the_page_has_its_card_and_its_slider(copied: Path) -> None:
    card = json.loads(run(copied, "-c", PAGE).splitlines()[-1])["GradientTimesInput"]
    assert (card["title"], card["formula"], card["fails"]) == ("Gradient × Input", "x · ∂S/∂x", "Black pixels never count.")
    (control,) = card["parameters"]
    assert (control["name"], control["low"], control["high"], control["default"]) == ("sharpness", 0.5, 2, 1.0)


def test_the_docs_list_it(copied: Path) -> None:
    run(copied, "-m", "app", "methods", "--write", "docs/methods.md")
    text = (copied / "docs" / "methods.md").read_text(encoding="utf-8")
    assert "| Gradient × Input | `gradient_input` | gradient | yes |" in text


def test_a_method_without_a_family_cannot_be_written() -> None:
    """Agreement is tested between families: a family that was guessed would make or hide a claim."""
    from explainers.method import Method

    with pytest.raises(TypeError, match="Orphan declares no family"):
        type("Orphan", (Method,), {"title": "Orphan"})
    with pytest.raises(TypeError, match="must be one of CAM"):
        type("Stray", (Method,), {"title": "Stray", "family": "tarot"})
