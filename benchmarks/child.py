"""What it costs to ask a model in a process of its own: `python -m benchmarks.child`.

The same explanation of the same picture is made by the model in this process and by the guarded one in turn, round by round, and the
ratio is that of their fastest times, so that a noisy machine disturbs both alike; the processor's time, of both processes together,
hardly depends on what else runs.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods import SEVEN
from models.classifiers.sandboxed_classifier import SandboxedClassifier
from models.classifiers.score import Score
from models.loading import load_classifier
from models.output.markdown import markdown_table_head, markdown_table_row

GOAL = 1.10
PIXELS = 224


def main() -> None:
    """Prints a row for each round and the ratio, and whether the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file or folder (MobileNetV2 with random weights)")
    parser.add_argument("--preset", default="Balanced", help="how much to spend (Balanced)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed, after once to warm up (3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        name = options.model or str(_random_network(Path(folder)))
        served: dict[str, Any] = {"in this process": load_classifier(name), "in its own": load_classifier(name, trust=False)}
        print(machine_line(), "\n")
        print(markdown_table_head(("round", "process", "evaluations", "s", "processor, s")))
        times: dict[str, list[tuple[float, float]]] = {where: [] for where in served}
        for number in range(options.rounds + 1):
            for where, classifier in served.items():
                before = _processor(served["in its own"])
                seconds, evaluations = _timed(classifier, options.preset)
                worked = _processor(served["in its own"]) - before
                print(markdown_table_row((number or "to warm up", where, evaluations, f"{seconds:.2f}", f"{worked:.2f}")), flush=True)
                if number:
                    times[where].append((seconds, worked))
        clock, processor = (min(x[i] for x in times["in its own"]) / min(x[i] for x in times["in this process"]) for i in (0, 1))
        verdict = "holds" if clock <= GOAL else "is missed"
        print(
            f"\nIn a process of its own: {clock:.3f} times as long, {processor:.3f} times the work; at most {GOAL:.2f} in time {verdict}."
        )


def _processor(guarded: SandboxedClassifier) -> float:
    """Seconds that the processor has worked for this process and for the guarded model's, both."""
    fields = Path(f"/proc/{guarded.pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _random_network(folder: Path) -> Path:
    import keras

    keras.applications.MobileNetV2(weights=None, input_shape=(PIXELS, PIXELS, 3)).save(folder / "MobileNetV2.keras")
    return folder / "MobileNetV2.keras"


def _timed(classifier: Any, preset: str) -> tuple[float, int]:
    """Seconds and evaluations of the seven methods on one picture: soft spots, the same every time."""
    rows, columns = np.mgrid[0 : classifier.size[0], 0 : classifier.size[1]].astype(np.float32) / 40
    waves = np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], -1)
    image = np.asarray(waves / 2 + np.float32(0.5), np.float32)
    started = time.perf_counter()
    case = Case(classifier, image, Score(int(np.argmax(classifier.predict(image)))), ExplanationSettings(preset=preset))
    for _ in run_methods(case, [method() for method in SEVEN]):
        pass
    return time.perf_counter() - started, case.evaluations


if __name__ == "__main__":
    sys.exit(run_benchmark("child", main))
