"""What it costs to ask a model in a process of its own: `python -m benchmarks.child`.

The same explanation of the same picture is made by the model in this process and by the guarded one in turn, round by round, and the
ratio is that of their fastest times, so that a noisy machine disturbs both alike.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import machine_line
from explainers.case import Case, Settings
from explainers.methods import SEVEN
from explainers.study import study
from models.loading import load
from models.score import Score

GOAL = 1.10
PIXELS = 224


def main() -> None:
    """Prints a row for each round and the ratio, and whether the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file or folder (MobileNetV2 with random weights)")
    parser.add_argument("--preset", default="Balanced", help="how much to spend (Balanced)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed, after once to warm up (3)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        name = asked.model or str(_random_network(Path(folder)))
        served = {"in this process": load(name), "in its own": load(name, trust=False)}
        print(machine_line(), "\n")
        print("| round | process | evaluations | s |\n| --- | --- | --- | --- |")
        times: dict[str, list[float]] = {where: [] for where in served}
        for number in range(asked.rounds + 1):
            for where, classifier in served.items():
                seconds, evaluations = _timed(classifier, asked.preset)
                print(f"| {number or 'to warm up'} | {where} | {evaluations} | {seconds:.2f} |", flush=True)
                if number:
                    times[where].append(seconds)
        plain, guarded = (min(times[where]) for where in served)
        verdict = "holds" if guarded / plain <= GOAL else "is missed"
        print(f"\nIn a process of its own: {guarded / plain:.3f} times as long; the goal, at most {GOAL:.2f}, {verdict}.")


def _random_network(folder: Path) -> Path:
    import keras

    keras.applications.MobileNetV2(weights=None, input_shape=(PIXELS, PIXELS, 3)).save(folder / "MobileNetV2.keras")
    return folder / "MobileNetV2.keras"


def _timed(classifier, preset: str) -> tuple[float, int]:  # type: ignore[no-untyped-def]
    """Seconds and evaluations of the seven methods on one picture: soft spots, the same every time."""
    rows, columns = np.mgrid[0 : classifier.size[0], 0 : classifier.size[1]].astype(np.float32) / 40
    image = np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], -1) / 2 + np.float32(0.5)
    started = time.perf_counter()
    case = Case(classifier, image, Score(int(np.argmax(classifier.predict(image)))), Settings(preset=preset))
    for _ in study(case, [method() for method in SEVEN]):
        pass
    return time.perf_counter() - started, case.evaluations


if __name__ == "__main__":
    main()
