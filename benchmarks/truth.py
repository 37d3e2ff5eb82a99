"""How much of each map lies where the evidence is known to be: `python -m benchmarks.truth`.

Lesion phantoms that the bundled classifier names rightly, and names plain when their evidence is taken away, so that the evidence is
what it goes by; and the glass box, whose evidence in every pixel follows from a formula. Baselines stand in the same table.
"""

import argparse
import statistics
import sys
import time

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from explainers.explanation_case import ExplanationSettings
from models.datasets.synthetic import phantoms
from models.output.command_line import silence_tensorflow


def main() -> None:
    """Prints the two tables and, last, which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--boxes", type=int, default=40)
    parser.add_argument("--preset", default="Balanced")
    chosen = parser.parse_args()
    silence_tensorflow()
    from benchmarks.known_evidence.glass_boxes import print_glass_boxes  # TensorFlow speaks as soon as it is imported
    from benchmarks.known_evidence.phantoms import print_phantoms
    from benchmarks.known_evidence.rows import goal_lines

    print(machine_line())
    settings = ExplanationSettings(preset=chosen.preset)
    phantom_goals, box_goals = print_phantoms(chosen.pictures, settings), print_glass_boxes(chosen.boxes, settings)
    print(f"\n{goal_lines('the phantoms', phantom_goals)}\n{goal_lines('the glass boxes', box_goals)}")
    print(f"Painting a phantom takes {painting_milliseconds():.1f} ms of processor time.")


def painting_milliseconds(count: int = 20) -> float:
    """Processor time of one phantom, the median of several."""
    phantoms.draw_phantom(0, 0)
    times = []
    for seed in range(count):
        started = time.process_time()
        phantoms.draw_phantom(seed, seed % 4)
        times.append(time.process_time() - started)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    sys.exit(run_benchmark("truth", main))
