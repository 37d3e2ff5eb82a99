"""Whether models of every kind load and can be explained, here and by packages: `python -m benchmarks.zoo`.

Some seventy small models with random weights, of every topology, file format, backbone, head and kind of number, and the genuine files of
the data folder where it is. Of one drawn picture every method makes its map with few evaluations, and gradients are held against
differences. A map without anything positive counts as blank; whether its evidence is all against the class, or varies by no more than
rounding, is said. A package's map counts where it varies at all.
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
    from benchmarks.zoo_parts.checks.package_workers import PackageWorker
    from benchmarks.zoo_parts.checks.zoo_table import Row
    from benchmarks.zoo_parts.models.zoo_model import ZooModel

CHOICES = ("tf_keras_vis", "xplique", "tf_explain")


def main() -> None:
    """Prints the table and, last, which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these models alone")
    parser.add_argument("--packages", nargs="*", choices=CHOICES, default=list(CHOICES), help="which packages take part (all)")
    parser.add_argument("--why", action="store_true", help="say below the table why maps are missing")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.shared.machine import machine_line
    from benchmarks.zoo_parts.checks import package_workers, zoo_table

    started, models = time.monotonic(), _chosen(options.only)
    workers = [package_workers.PackageWorker(package) for package in options.packages]
    print(f"{machine_line()}\n\n{zoo_table.table_head(options.packages)}", flush=True)
    rows = []
    for zoo_model in models:
        rows.append(make_row(zoo_model, workers))
        print(zoo_table.table_line(rows[-1], options.packages), flush=True)
    for worker in workers:
        worker.close()
    if options.why:
        print("\n" + "\n".join(missing_map_reasons(rows)))
    print(f"\n{time.monotonic() - started:.0f} s\n" + "\n".join(zoo_table.goal_lines(rows, options.packages)))


def _chosen(names: Sequence[str] | None) -> "list[ZooModel]":
    logging.getLogger("absl").setLevel(logging.ERROR)
    from benchmarks.zoo_parts.models.catalogue import zoo_models

    every = zoo_models()
    unknown = [name for name in names or () if name not in [each.name for each in every]]
    if unknown:
        raise UserError(f"The zoo has no {', '.join(unknown)}; it has {', '.join(each.name for each in every)}.")
    return [each for each in every if not names or each.name in names]


def make_row(zoo_model: "ZooModel", workers: "Sequence[PackageWorker]") -> "Row":
    """Makes the model's file and checks it here while the packages process it."""
    import keras

    from benchmarks.zoo_parts.checks.model_check import ModelCheck, check_model
    from benchmarks.zoo_parts.checks.package_workers import KERAS_2_PACKAGES
    from benchmarks.zoo_parts.checks.zoo_table import Row

    with tempfile.TemporaryDirectory() as model_folder, tempfile.TemporaryDirectory() as inputs_folder:
        try:
            files = zoo_model.write(Path(model_folder))
        except Exception as error:  # a model that cannot be made is a row too
            traceback.print_exc()
            return Row(
                zoo_model.name,
                zoo_model.format,
                ModelCheck(f"not made: {error}"),
                {w.package: {"error": "not made"} for w in workers},
            )
        with zoo_model.around(Path(model_folder)):
            ours, inputs = check_model(files.ours, zoo_model.differentiable)
        theirs = {}
        if inputs:
            for worker in workers:
                worker.ask(files.keras_2 if worker.package in KERAS_2_PACKAGES else files.theirs, inputs, Path(inputs_folder))
        for worker in workers:
            theirs[worker.package] = worker.answer() if inputs else {"error": "not asked"}
    keras.backend.clear_session()
    gc.collect()
    return Row(zoo_model.name, zoo_model.format, ours, theirs)


def missing_map_reasons(rows: "Sequence[Row]") -> list[str]:
    """A line for each map that is not there."""
    from benchmarks.zoo_parts.checks.model_check import MAP, NOT_ALLOWED

    reasons = [f"{each.name}: {title}: {kind}" for each in rows for title, kind in each.ours.maps.items() if kind not in (MAP, NOT_ALLOWED)]
    for each in rows:
        for package, answer in each.theirs.items():
            reasons += [f"{each.name}: {package}: {answer['error']}"] if "error" in answer else []
            reasons += [f"{each.name}: {package}: {title}: {kind}" for title, kind in answer.get("maps", {}).items() if kind != MAP]
    return reasons


if __name__ == "__main__":
    sys.exit(run_benchmark("zoo", main))
