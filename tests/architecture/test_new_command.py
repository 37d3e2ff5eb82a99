"""A new command is one file and its place in COMMANDS: parser and help follow. Done in a copy of the project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
FILE = '''
"""`python -m app count-pixels`: how many pixels a picture of that size has."""

import argparse

from errors import UserError

HELP = "multiply two numbers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    parser.add_argument("size", nargs=2, type=int)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    width, height = chosen.size
    if min(width, height) < 1:
        raise UserError("A picture has at least one pixel; give two positive numbers.")
    print(width * height)
    return 0
'''


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more command; what no command touches is only linked."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("explainers", "models", "errors.py", "image_batches.py", "plain_arrays.py", "plain_files.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "app" / "cli" / "count_pixels.py").write_text(FILE.lstrip(), encoding="utf-8")
    registry = folder / "app" / "cli" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    assert text.count("from app.cli import ") == text.count("COMMANDS: tuple[CommandModule, ...] = (serve, ") == 1
    text = text.replace("from app.cli import ", "from app.cli import count_pixels, ")
    registry.write_text(text.replace("(serve, ", "(serve, count_pixels, "), encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-B", "-m", "app", *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE)


def test_it_runs_and_refuses_as_every_command_does(copied: Path) -> None:
    assert run(copied, "count-pixels", "30", "20").stdout == "600\n"
    refused = run(copied, "count-pixels", "30", "0")
    assert (refused.returncode, refused.stderr) == (2, "A picture has at least one pixel; give two positive numbers.\n")


def test_the_help_lists_it(copied: Path) -> None:
    overview = run(copied, "--help").stdout
    assert "serve,count-pixels,explain" in overview
    assert "multiply two numbers" in overview
    assert run(copied, "count-pixels", "--help").stdout.startswith("usage: python -m app count-pixels [-h] size size")
