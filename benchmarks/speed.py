"""Seven maps by Crosscheck and by the packages a user would pick instead: cost and fidelity, in one run: `python -m benchmarks.speed`.

Every run is a process of its own with its package's own environment, one after the other, on the same model and picture. Each map is made
twice in its process, the first time with all that is compiled on the way. Seconds are those of the fastest call of all repeats, so that a
noisy machine disturbs all alike; read the ratios.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.competitors import MODELS, PACKAGES, PHOTOGRAPHS
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.output.command_line import silence_tensorflow


def main() -> None:
    """Prints two tables for each model, and which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", nargs="+", default=list(PHOTOGRAPHS), help="photographs by name; %(default)s")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--packages", nargs="*", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--skip-resnet", action="store_true", help="ResNet50 takes most of the time")
    parser.add_argument("--repeats", type=int, default=1, help="how often every run is repeated, with new seeds; the fastest counts")
    chosen = parser.parse_args()
    silence_tensorflow()
    from benchmarks.competitors.cases import make_cases
    from benchmarks.competitors.comparison import compare  # after the arguments are parsed, because it imports TensorFlow

    print(machine_line())
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.models:
            if not (chosen.skip_resnet and name == "ResNet50"):
                found = make_cases(name, chosen.pictures, Path(folder))
                print("\n".join(compare(found, tuple(chosen.packages), chosen.repeats, Path(folder))), flush=True)


if __name__ == "__main__":
    sys.exit(run_benchmark("speed", main))
