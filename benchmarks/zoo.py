"""Whether models of every kind load and can be explained, here and by packages: `python -m benchmarks.zoo`.

Some seventy small models with random weights, of every topology, file format, backbone, head and kind of number, and the genuine files of
the data folder where it is. Of one drawn picture every method makes its map with few evaluations, and gradients are held against
differences. A map counts as blank where it varies by no more than rounding, not for being negative everywhere; a package's map counts where
it varies at all.
"""

import argparse
import gc
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.shared.results_file import OPTION, run_benchmark
from errors import UserError

if TYPE_CHECKING:
    from benchmarks.zoo_parts.checks.package_workers import Worker
    from benchmarks.zoo_parts.checks.zoo_table import Row
    from benchmarks.zoo_parts.models.zoo_model import ZooModel

CHOICES = ("tf_keras_vis", "xplique", "tf_explain")


def main() -> None:
    """Prints the table and, last, which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these models alone")
    parser.add_argument("--packages", nargs="*", choices=CHOICES, default=list(CHOICES), help="which packages take part (all)")
    parser.add_argument("--why", action="store_true", help="say below the table why maps are missing")
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.shared.machine import machine_line
    from benchmarks.zoo_parts.checks import package_workers, zoo_table

    started, models = time.monotonic(), _chosen(asked.only)
    workers = [package_workers.Worker(package) for package in asked.packages]
    print(f"{machine_line()}\n\n{zoo_table.head(asked.packages)}", flush=True)
    rows = []
    for specimen in models:
        rows.append(row(specimen, workers))
        print(zoo_table.line(rows[-1], asked.packages), flush=True)
    for worker in workers:
        worker.close()
    if asked.why:
        print("\n" + "\n".join(reasons(rows)))
    print(f"\n{time.monotonic() - started:.0f} s\n" + "\n".join(zoo_table.verdict(rows, asked.packages)))


def _chosen(names: Sequence[str] | None) -> "list[ZooModel]":
    logging.getLogger("absl").setLevel(logging.ERROR)
    from benchmarks.zoo_parts.models.catalogue import zoo

    every = zoo()
    unknown = [name for name in names or () if name not in [each.name for each in every]]
    if unknown:
        raise UserError(f"The zoo has no {', '.join(unknown)}; it has {', '.join(each.name for each in every)}.")
    return [each for each in every if not names or each.name in names]


def row(specimen: "ZooModel", workers: "Sequence[Worker]") -> "Row":
    """Makes the model's file, and judges it here while the packages are at it."""
    import keras

    from benchmarks.zoo_parts.checks.model_check import Ours, judge
    from benchmarks.zoo_parts.checks.package_workers import OF_KERAS_2
    from benchmarks.zoo_parts.checks.zoo_table import Row

    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as beside:
        try:
            files = specimen.write(Path(made))
        except Exception as error:  # a specimen that cannot be made is a row too
            traceback.print_exc()
            return Row(specimen.name, specimen.format, Ours(f"not made: {error}"), {w.package: {"error": "not made"} for w in workers})
        with specimen.around(Path(made)):
            ours, asked = judge(files.ours, specimen.differentiable)
        theirs = {}
        for worker in workers if asked else ():
            worker.ask(files.keras_2 if worker.package in OF_KERAS_2 else files.theirs, asked, Path(beside))
        for worker in workers:
            theirs[worker.package] = worker.answer() if asked else {"error": "not asked"}
    keras.backend.clear_session()
    gc.collect()
    return Row(specimen.name, specimen.format, ours, theirs)


def reasons(rows: "Sequence[Row]") -> list[str]:
    """A line for each map that is not there."""
    told = [
        f"{each.name}: {title}: {kind}" for each in rows for title, kind in each.ours.maps.items() if kind not in ("map", "not allowed")
    ]
    for each in rows:
        for package, answer in each.theirs.items():
            told += [f"{each.name}: {package}: {answer['error']}"] if "error" in answer else []
            told += [f"{each.name}: {package}: {title}: {kind}" for title, kind in answer.get("maps", {}).items() if kind != "map"]
    return told


if __name__ == "__main__":
    sys.exit(run_benchmark("zoo", main))
