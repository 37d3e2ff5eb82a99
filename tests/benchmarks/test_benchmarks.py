"""The benchmarks answer to --help, and make their tables and verdicts from whatever was measured."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks import dermoscopy, reliability, speed
from benchmarks.competitors.comparison import RunRecord
from benchmarks.competitors.comparison import fidelity as trust_of
from benchmarks.competitors.fidelity import run_to_run, similarity
from benchmarks.competitors.speed_table import (
    CombinedRun,
    Cost,
    Fidelity,
    cost_table,
    fidelity_goal,
    fidelity_table,
    goal_lines,
    lower_fidelity,
    mean_fidelity,
    total_cost,
)
from benchmarks.known_evidence import glass_boxes, phantoms
from benchmarks.known_evidence.rows import baselines, measure_map, table_cells
from benchmarks.known_evidence.rows import goal_lines as goal_lines_of
from explainers.explanation_case import Case
from explainers.methods import METHODS
from models.output.command_line import run_for_exit_status
from tests.architecture.test_import_direction import ROOT
from tests.explainers.toy_classifiers import ToyScore, detectors, picture
from tests.patience import PATIENCE

NONE = (float("nan"), float("nan"))
MODEL = detectors(grid=(7, 7), cell=4)
OURS = Cost(evaluations=741, first=8.0, seconds=5.0, processor=7.0, megabytes=1000)
THEIRS = {"LIME": ("lime", Cost(1000, 30, 20, 25, 200)), "SHAP": ("shap", Cost(500, 50, 40, 45, 4000))}


BENCHMARKS = re.search(r"^BENCHMARKS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()  # type: ignore[index]


def test_make_bench_runs_every_benchmark_without_arguments_and_the_quickstart_names_them() -> None:
    folder = ROOT / "benchmarks"
    programs = {path.stem for path in folder.glob("*.py") if "__main__" in path.read_text()}
    programs |= {path.parent.name for path in folder.glob("*/__main__.py")}
    nested = {name for name in BENCHMARKS if "." in name}
    assert set(BENCHMARKS) - nested == programs
    for name in nested:
        assert "__main__" in (folder / f"{name.replace('.', '/')}.py").read_text(), name
    row = next(line for line in (ROOT / "docs" / "quickstart.md").read_text().splitlines() if line.startswith("| `make bench`"))
    assert re.findall(r"`([\w.]+)`", row) == BENCHMARKS


def test_help() -> None:
    """All in one process, so that TensorFlow is loaded once."""
    program = "import runpy, sys\nfor name in sys.argv[1:]:\n    sys.argv = [name, '--help']\n    try:\n"
    program += (
        "        runpy.run_module(f'benchmarks.{name}', run_name='__main__')\n    except SystemExit as end:\n        assert end.code == 0\n"
    )
    names = BENCHMARKS
    answer = subprocess.run([sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("usage:") == len(names)
    assert answer.stdout.count("\n  --write [NAME]") == len(names)


@pytest.mark.parametrize("benchmark", [dermoscopy, reliability, speed], ids=lambda module: module.__name__)
def test_without_the_data_folder_it_is_one_sentence_and_exit_2(
    benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROSSCHECK_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["benchmark"])
    assert run_for_exit_status(benchmark.main) == 2
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
    answer = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
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
        ("LIME", "ours"): mean_fidelity([Fidelity((0.70, 0.7), NONE, 0.3, 0.0), Fidelity((0.90, 0.7), NONE, 0.3, 1.0)]),
        ("LIME", "theirs"): Fidelity((0.90, 0.7), NONE, 0.3),
        ("SHAP", "ours"): mean_fidelity([Fidelity((0.90, 0.7), NONE, 0.3, 0.5)]),
    }
    whole = CombinedRun(OURS, bare=4.0, bare_processor=6.9, first_map=(500, 190, 80), opening=300)
    told = goal_lines(whole, total_cost(cost for _, cost in THEIRS.values()), trust)
    assert [line.split()[0] for line in told] == ["holds", "MISSED", "MISSED", "holds", "MISSED", "holds", "holds", "MISSED", "holds"]
    assert "12.0 times faster" in told[0]
    assert told[1].endswith("no map of lower fidelity: but LIME run to run 0.80, theirs 0.90")
    assert "reached on 50% of the pictures; says converged in 50% of the runs, in every run on 50% of the pictures" in told[2]
    assert "reached on 100% of the pictures; says converged in 50% of the runs, in every run on 0% of the pictures" in told[3]
    assert "500 evaluations' worth in a process that has compiled nothing" in told[4]
    assert "190 evaluations' worth once the model has been opened as the page does before anybody asks, which takes 300 more" in told[5]
    assert "80 evaluations' worth in a later call" in told[6]
    assert "20.0% of the time by the clock" in told[7]
    assert "1.4% of the processor's time" in told[8]
    assert len(goal_lines(whole, None, {})) == 5


def test_fidelity_is_the_ranks_and_the_strongest_fifth() -> None:
    better, worse = Fidelity((0.9, 0.9), NONE, 0.3), Fidelity((0.95, 0.7), NONE, 0.3)
    assert lower_fidelity("LIME", {("LIME", "ours"): better, ("LIME", "theirs"): worse}) == "LIME run to run 0.90, theirs 0.95"
    assert (
        lower_fidelity("LIME", {("LIME", "ours"): worse, ("LIME", "theirs"): better}) == "LIME run to run, its top 20 % 0.70, theirs 0.90"
    )
    both = lower_fidelity("LIME", {("LIME", "ours"): Fidelity((0.5, 0.5), NONE, 0.3), ("LIME", "theirs"): better})
    assert both == "LIME run to run 0.50, theirs 0.90; LIME run to run, its top 20 % 0.50, theirs 0.90"
    assert lower_fidelity("LIME", {("LIME", "ours"): better, ("LIME", "theirs"): better}) == ""


def test_what_is_held_against_itself_is_told_and_counts_for_nothing() -> None:
    near, own = Fidelity(NONE, (0.90, 0.80), 0.3), Fidelity(NONE, (1.0, 1.0), 0.3, itself=True)
    trust = {("Score-CAM", "ours"): near, ("Score-CAM", "theirs"): own, ("Grad-CAM", "ours"): own, ("Grad-CAM", "theirs"): own}
    words, held = fidelity_goal(trust)
    assert held
    assert "Score-CAM (theirs is 1 by construction, being compared with itself, ours 0.90, its top 20 % 0.80)" in words
    assert "Grad-CAM (both are 1 by construction, being compared with itself)" in words
    assert mean_fidelity([own, own]).itself
    assert fidelity_goal({("SHAP", "ours"): near, ("SHAP", "theirs"): Fidelity(NONE, (0.95, 0.7), 0.3)})[1] is False
    left = {
        maker: RunRecord([], [], {"0": np.random.default_rng(0).random((28, 28)), "1": np.ones((28, 28))}, {})
        for maker in ("ours", "theirs")
    }
    case = Case(MODEL, picture(MODEL.size), ToyScore(0))
    assert [trust_of(("Score-CAM", maker), left[maker], case).itself for maker in ("ours", "theirs")] == [False, True]


def test_a_figure_that_does_not_apply_is_left_empty_and_counts_against_nobody() -> None:
    exact = Fidelity(NONE, (1.0, 1.0), 0.5)
    assert lower_fidelity("Grad-CAM", {("Grad-CAM", "ours"): exact, ("Grad-CAM", "theirs"): Fidelity(NONE, NONE, 0.6)}) == ""
    assert fidelity_table({("Grad-CAM", "ours"): exact}, {})[2] == "| Grad-CAM | ours |  |  | 1.00 | 1.00 | 0.50 |  |  |"
    assert mean_fidelity([exact, Fidelity(NONE, (0.5, 0.5), 0.3)]).limit == (0.75, 0.75)


def test_maps_agree_with_themselves_and_disagree_with_their_mirror() -> None:
    ramp = np.tile(np.arange(224, dtype=np.float32), (224, 1))
    assert similarity(ramp, 3 * ramp) == (pytest.approx(1), 1)
    rank, overlap = similarity(ramp, ramp[:, ::-1])
    assert rank == pytest.approx(-1)
    assert overlap == 0
    assert run_to_run([ramp, ramp, ramp])[0] == pytest.approx(1)
    assert np.isnan(similarity(ramp, np.ones_like(ramp))[0])


def test_goals_of_known_evidence_are_counted_and_those_missed_are_named() -> None:
    near = {method.title: 0.70 for method in METHODS} | {"random": 0.12, "lesion mask": 0.44}
    assert goal_lines_of("the phantoms", phantoms.phantom_goals(near, 0.11)) == "16 of 16 goals of the phantoms hold."
    told = goal_lines_of("the phantoms", phantoms.phantom_goals(near | {"RISE": 0.43, "random": 0.20}, 0.11))
    assert told.startswith("14 of 16 goals of the phantoms hold; missed: RISE 0.430, the lesion mask 0.440; random has 0.200")
    means = {method.title: (0.995, 0.995) for method in METHODS} | dict.fromkeys(("centre (Gaussian)", "mean activation"), (0.4, 0.8))
    means |= {"random": (0.0, 0.09), glass_boxes.MASK: (0.5, 0.8), "Occlusion (smoothed)": (0.7, 0.5)}
    assert all(goal.holds for goal in glass_boxes.box_goals(means, 0.09))
    missed = [goal.words for goal in glass_boxes.box_goals(means | {"SHAP": (0.45, 0.7), "Grad-CAM": (0.98, 1.0)}, 0.09) if not goal.holds]
    assert len(missed) == 3
    assert missed[0].startswith("Grad-CAM 0.980 of the exact evidence's ranks")
    assert missed[1].startswith("SHAP has 0.450 of the ranks, the best baseline 0.500")


def test_baselines_are_judged_as_maps_are() -> None:
    evidence = np.zeros((28, 28), bool)
    evidence[:14] = True
    case = Case(MODEL, picture(MODEL.size), ToyScore(0))
    found = {title: measure_map(values, evidence, evidence, 1) for title, values in baselines(0, evidence, case).items()}
    assert list(found) == ["random", "centre (Gaussian)", "mask", "mean activation"]
    assert found["random"].inside == pytest.approx(0.5, abs=0.05)
    assert found["centre (Gaussian)"].inside == pytest.approx(0.5, abs=1e-6)
    assert found["mask"].inside == 1
    assert table_cells("mask", [found["mask"]], ("inside", "near")) == ("mask", "1.000", "1.000", "0", "", "0")


def test_the_truth_benchmark_prints_its_tables_and_nothing_of_tensorflow() -> None:
    """One picture of each kind: the goals need not hold."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    words = [sys.executable, "-m", "benchmarks.truth", "--pictures", "1", "--boxes", "1", "--preset", "Fast"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert answer.returncode == 0, answer.stderr
    for row in ("| random |", "| centre (Gaussian) |", "| mean activation |", *(f"| {method.title} |" for method in METHODS)):
        assert answer.stdout.count(row) == 2
    assert all(line.endswith(" | 120 |") for line in answer.stdout.splitlines() if line.startswith(("| LIME |", "| SHAP |", "| RISE |")))
    assert re.search(r"\d+ of 16 goals of the phantoms hold", answer.stdout)
    assert "cuda" not in answer.stderr
    assert "oneDNN" not in answer.stderr
