"""Who may import whom."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tools.imports import ROOT, imported_names

TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
PACKAGES = {"app", "explainers", "models"}
AROUND = {"benchmarks", "tests", "tools", "docs"}
"""What the product does not need to run."""
PRODUCT = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def forbidden(path: str, module: str) -> str:
    """Why the file at `path` (from the root, with slashes) may not import `module`; empty if it may."""
    package, top = path.split("/")[0], module.split(".")[0]
    if package in {"explainers", "models"} and top in PACKAGES - {package}:
        return f"{package} may not import {top}"
    if top in AROUND:
        return f"the product may not import {top}"
    if top in TENSORFLOW and package != "models":
        return "only models imports TensorFlow and Keras"
    if top in {"gradio", "gradio_client"} and not path.startswith("app/page/"):
        return "only app/page imports Gradio"
    if "DeepExplainer" in module or module.startswith("shap.explainers._deep"):
        return "shap.DeepExplainer breaks TensorFlow's gradients for the rest of the process"
    return ""


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_arrows(path: Path) -> None:
    relative = path.relative_to(ROOT)
    modules = imported_names(path.read_text(encoding="utf-8"), relative.parent.parts)
    wrong = [f"{relative} imports {module}: {why}" for module in modules if (why := forbidden(relative.as_posix(), module))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "source", "allowed"),
    [
        ("app/cli.py", "from explainers.explanation_case import Case", True),
        ("app/cli.py", "def f():\n    import tensorflow", False),
        ("app/page/grid.py", "import gradio as gr", True),
        ("app/report.py", "import gradio as gr", False),
        ("explainers/explanation_case.py", "from models import card", False),
        ("explainers/methods/lime.py", "from ...models import card", False),
        ("explainers/methods/lime.py", "from .. import case", True),
        ("explainers/methods/lime.py", "from ..case import Case", True),
        ("explainers/methods/lime.py", "__import__('keras')", False),
        ("explainers/methods/shap.py", "from shap import DeepExplainer", False),
        ("models/loading.py", "import importlib\nimportlib.import_module('tf_keras')", True),
        ("models/loading.py", "from app import options", False),
        ("models/loading.py", "from errors import UserError", True),
        ("models/loading.py", "from tests.data import data_folder", False),
        ("app/cli.py", "import benchmarks.speed", False),
    ],
)
def test_the_rule_itself(path: str, source: str, allowed: bool) -> None:
    package = tuple(path.split("/")[:-1])
    assert all(not forbidden(path, module) for module in imported_names(source, package)) is allowed


def test_help_answers_without_tensorflow_or_gradio() -> None:
    heavy = "import runpy, sys\ntry:\n    runpy.run_module('app', run_name='__main__')\nfinally:\n"
    heavy += "    print(sorted({'tensorflow', 'keras', 'gradio', 'shap', 'skimage', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    answer = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert "explain" in answer.stdout
    program = f"import sys; sys.argv = ['app', '--help']\n{heavy}"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert loaded.stderr.strip().splitlines()[-1] == "[]", loaded.stderr
