"""Who may import whom."""

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
ROOMS = {"app", "explainers", "models"}
PRODUCT = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """Every module that a source imports, at any depth of the code, with relative imports spelt out from `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*up, *(node.module or "").split("."))).strip(".")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _imports_by_name(node.func) and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def _imports_by_name(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"import_module", "__import__"}


def forbidden(path: str, module: str) -> str:
    """Why the file at `path` (from the root, with slashes) may not import `module`; empty if it may."""
    room, top = path.split("/")[0], module.split(".")[0]
    if room in {"explainers", "models"} and top in ROOMS - {room}:
        return f"{room} may not import {top}"
    if top in TENSORFLOW and room != "models":
        return "only models imports TensorFlow and Keras"
    if top in {"gradio", "gradio_client"} and not path.startswith("app/page/"):
        return "only app/page imports Gradio"
    if "DeepExplainer" in module or module.startswith("shap.explainers._deep"):
        return "shap.DeepExplainer breaks TensorFlow's gradients for the rest of the process"
    return ""


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_arrows(path: Path) -> None:
    relative = path.relative_to(ROOT)
    modules = imported(path.read_text(encoding="utf-8"), relative.parent.parts)
    wrong = [f"{relative} imports {module}: {why}" for module in modules if (why := forbidden(relative.as_posix(), module))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "source", "allowed"),
    [
        ("app/cli.py", "from explainers.case import Case", True),
        ("app/cli.py", "def f():\n    import tensorflow", False),
        ("app/page/grid.py", "import gradio as gr", True),
        ("app/report.py", "import gradio as gr", False),
        ("explainers/case.py", "from models import card", False),
        ("explainers/methods/lime.py", "from ...models import card", False),
        ("explainers/methods/lime.py", "from .. import case", True),
        ("explainers/methods/lime.py", "from ..case import Case", True),
        ("explainers/methods/lime.py", "__import__('keras')", False),
        ("explainers/methods/shap.py", "from shap import DeepExplainer", False),
        ("models/loading.py", "import importlib\nimportlib.import_module('tf_keras')", True),
        ("models/loading.py", "from app import options", False),
        ("models/loading.py", "from errors import UserError", True),
    ],
)
def test_the_rule_itself(path: str, source: str, allowed: bool) -> None:
    package = tuple(path.split("/")[:-1])
    assert all(not forbidden(path, module) for module in imported(source, package)) is allowed


def test_help_answers_at_once_without_tensorflow_or_gradio() -> None:
    heavy = "import runpy, sys\ntry:\n    runpy.run_module('app', run_name='__main__')\nfinally:\n"
    heavy += "    print(sorted({'tensorflow', 'keras', 'gradio', 'shap', 'skimage', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    start = time.perf_counter()
    answer = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    seconds = time.perf_counter() - start
    assert "explain" in answer.stdout
    program = f"import sys; sys.argv = ['app', '--help']\n{heavy}"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert loaded.stderr.strip().splitlines()[-1] == "[]", loaded.stderr
    assert seconds < 3, f"took {seconds:.1f} s; under 1 s on a quiet machine"
