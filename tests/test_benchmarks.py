"""The benchmarks answer to --help, and make their tables and verdicts from whatever was measured."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks import dermoscopy, reliability, speed
from benchmarks.data import ended
from benchmarks.packages.fidelity import alike, run_to_run
from benchmarks.packages.table import Cost, Trust, Whole, cost_table, lower, mean_trust, total_cost, trust_table, verdict
from tests.test_arrows import ROOT

NONE = (float("nan"), float("nan"))
OURS = Cost(evaluations=741, first=8.0, seconds=5.0, processor=7.0, megabytes=1000)
THEIRS = {"LIME": ("lime", Cost(1000, 30, 20, 25, 200)), "SHAP": ("shap", Cost(500, 50, 40, 45, 4000))}


BENCHMARKS = re.search(r"^BENCHMARKS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()  # type: ignore[index]


def test_make_bench_runs_every_benchmark_without_arguments_and_the_readme_names_them() -> None:
    programs = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()}
    assert set(BENCHMARKS) == programs
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `make bench`"))
    assert re.findall(r"`(\w+)`", row) == BENCHMARKS


def test_help() -> None:
    """All in one process, so that TensorFlow is loaded once."""
    program = "import runpy, sys\nfor name in sys.argv[1:]:\n    sys.argv = [name, '--help']\n    try:\n"
    program += (
        "        runpy.run_module(f'benchmarks.{name}', run_name='__main__')\n    except SystemExit as end:\n        assert end.code == 0\n"
    )
    names = BENCHMARKS
    answer = subprocess.run([sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("usage:") == len(names)


@pytest.mark.parametrize("benchmark", [dermoscopy, reliability, speed], ids=lambda module: module.__name__)
def test_without_the_data_folder_it_is_one_sentence_and_exit_2(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROSSCHECK_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["benchmark"])
    assert ended(benchmark.main) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "which is not there; name the data folder: CROSSCHECK_DATA=FOLDER." in told


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_bench_goes_on_after_a_benchmark_that_fails(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\ncase "$2" in *truth) exit 2;; esac\n')
    python.chmod(0o755)
    (tmp_path / ".tests").touch()
    words = ["make", "-C", str(ROOT), "bench", f"VENV={tmp_path}", "-o", str(tmp_path / ".tests")]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 2
    assert answer.stdout.count("== python -m benchmarks.") == len(BENCHMARKS)
    assert "Not done: truth\n" in answer.stdout


def test_costs_add_up_and_are_divided() -> None:
    lines = cost_table({"LIME": OURS, "SHAP": OURS}, THEIRS, OURS)
    assert lines[2].endswith("| 4.0 |")
    assert lines[3].endswith("| 8.0 |")
    assert lines[4].endswith("| **12.0** |")
    assert total_cost(cost for _, cost in THEIRS.values()) == Cost(1500, 80, 60, 70, 4000)


def test_the_verdict_tells_every_goal_with_its_figure() -> None:
    trust = {
        ("LIME", "ours"): Trust((0.80, 0.7), NONE, 0.3),
        ("LIME", "theirs"): Trust((0.90, 0.7), NONE, 0.3),
        ("SHAP", "ours"): Trust((0.90, 0.7), NONE, 0.3),
    }
    told = verdict(Whole(OURS, bare=4.0, bare_processor=6.9, first_map=(500, 80)), total_cost(cost for _, cost in THEIRS.values()), trust)
    assert [line.split()[0] for line in told] == ["holds", "MISSED", "MISSED", "holds", "holds", "MISSED"]
    assert "12.0 times faster" in told[0]
    assert "LIME run to run 0.80, theirs 0.90" in told[1]
    assert "20.0%" in told[5]
    assert len(verdict(Whole(OURS, bare=4.0, bare_processor=6.9, first_map=(500, 80)), None, {})) == 2


def test_a_figure_that_does_not_apply_is_left_empty_and_counts_against_nobody() -> None:
    exact = Trust(NONE, (1.0, 1.0), 0.5)
    assert lower("Grad-CAM", {("Grad-CAM", "ours"): exact, ("Grad-CAM", "theirs"): Trust(NONE, NONE, 0.6)}) == ""
    assert trust_table({("Grad-CAM", "ours"): exact}, {})[2] == "| Grad-CAM | ours |  |  | 1.00 | 1.00 | 0.50 |  |  |"
    assert mean_trust([exact, Trust(NONE, (0.5, 0.5), 0.3)]).limit == (0.75, 0.75)


def test_maps_agree_with_themselves_and_disagree_with_their_mirror() -> None:
    ramp = np.tile(np.arange(224, dtype=np.float32), (224, 1))
    assert alike(ramp, 3 * ramp) == (pytest.approx(1), 1)
    rank, overlap = alike(ramp, ramp[:, ::-1])
    assert rank == pytest.approx(-1)
    assert overlap == 0
    assert run_to_run([ramp, ramp, ramp])[0] == pytest.approx(1)
    assert np.isnan(alike(ramp, np.ones_like(ramp))[0])
