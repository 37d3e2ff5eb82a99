"""Judges any classifier on a folder of pictures: `python -m models.evaluate --model M --data DIR --layout L --out DIR`."""

import dataclasses
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.command_line import run_command
from models.datasets import grouping

if TYPE_CHECKING:
    from models.datasets.collection import Collection, Row
    from models.evaluation.records import Evaluation, EvaluationData


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes evaluation.json and evaluation.html and prints the figures; 2 after a mistake in what was asked."""
    asked = _parser().parse_args(arguments)

    def command() -> int:
        from models.evaluation.assessment import evaluate
        from models.evaluation.records import Settings
        from models.evaluation.writer import write_evaluation
        from models.loading import load

        if not 20 <= asked.resamples <= 100_000:
            raise UserError(f"--resamples is {asked.resamples}; give a whole number from 20 to 100000.")
        served = load(asked.model, asked.trust)
        evaluation = evaluate(served, evaluation_data(asked, served.labels), Settings(asked.resamples, asked.seed))
        print("\n".join(in_words(evaluation)))
        print("Written: {}, {}".format(*write_evaluation(evaluation, asked.out)))
        return 0

    return run_command(command)


def evaluation_data(asked: Namespace, labels: Sequence[str]) -> "EvaluationData":
    """The pictures that are asked for, their classes counted as the classifier counts them."""
    from models.datasets import splits
    from models.datasets.layouts import read
    from models.evaluation.records import EvaluationData

    collection = read(asked.layout, asked.data, asked.group)
    if asked.split:
        rows, how = getattr(splits.read(asked.split, collection), asked.part), f"{asked.part} part of {asked.split.name}"
    elif parts := {row.split for row in collection.rows} - {""}:
        if asked.part not in parts:
            raise UserError(
                f"{asked.data} has the parts {', '.join(sorted(parts))} and no {asked.part} part; choose one of them with --part."
            )
        rows, how = tuple(row for row in collection.rows if row.split == asked.part), f"the {asked.part} part as it was published"
    else:
        rows, how = collection.rows, "all pictures"
    return EvaluationData(collection.name, as_the_classifier_counts(rows, collection, labels), how, collection.source, collection.licence)


def as_the_classifier_counts(rows: Sequence["Row"], collection: "Collection", labels: Sequence[str]) -> tuple["Row", ...]:
    """The rows with the classifier's class numbers, matched by name. UserError where it does not know a class."""
    known = {label.casefold(): number for number, label in enumerate(labels)}
    numbers = [known.get(label.name.casefold()) for label in collection.labels]
    unknown = [label.name for label, number in zip(collection.labels, numbers, strict=True) if number is None]
    if unknown:
        told = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
        raise UserError(f"{collection.name} has the classes {', '.join(unknown)}, which the classifier does not tell; it tells {told}.")
    return tuple(dataclasses.replace(row, label=numbers[row.label]) for row in rows)


def in_words(evaluation: "Evaluation") -> list[str]:
    """A line for each figure."""
    from models.evaluation.html_report import format_estimate

    lines = [f"{len(evaluation.data.rows):,} pictures of {evaluation.data.name}, {evaluation.data.part}"]
    return lines + [f"{name}: {format_estimate(figure)}" for name, figure in evaluation.overall.items()]


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m models.evaluate", description="Judges any classifier on a folder of pictures.")
    parser.add_argument("--model", required=True, help="a model file or folder, imagenet:NAME, or the name of a bundled classifier")
    parser.add_argument("--trust", action="store_true", help="run the model in this process: only for a maker you know")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of pictures")
    parser.add_argument(
        "--layout", default="folder", help="how they lie: folder (a folder for each class), ham10000, chest_xray ... (folder)"
    )
    parser.add_argument("--group", default="", metavar="REGEX", help=f"{grouping.HELP}; resamples then draw people")
    parser.add_argument("--split", type=Path, metavar="FILE", help="the split that training wrote; its test part is judged on")
    parser.add_argument("--part", default="test", choices=("train", "validation", "test"), help="another part (test)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for evaluation.json and evaluation.html")
    parser.add_argument("--resamples", type=int, default=1000, help="resamples for the intervals (1000)")
    parser.add_argument("--seed", type=int, default=0, help="decides the resamples (0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
