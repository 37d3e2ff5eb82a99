"""Evaluates any classifier on a folder of pictures: `python -m models.evaluate --model M --data DIR --layout L --out DIR`."""

import dataclasses
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.datasets import grouping
from models.output.command_line import run_tensorflow_command

if TYPE_CHECKING:
    from models.datasets.picture_collection import CollectionRow, PictureCollection
    from models.evaluation.evaluation_records import Evaluation, EvaluationData


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes evaluation.json and evaluation.html and prints the metrics; returns 2 after a mistake in the arguments."""
    options = _parser().parse_args(arguments)

    def command() -> int:
        from models.evaluation.classifier_evaluation import evaluate_classifier
        from models.evaluation.evaluation_records import EvaluationSettings
        from models.evaluation.evaluation_writer import write_evaluation
        from models.loading import load_classifier

        if not 20 <= options.resamples <= 100_000:
            raise UserError(f"--resamples is {options.resamples}; give a whole number from 20 to 100000.")
        served = load_classifier(options.model, options.trust)
        evaluation = evaluate_classifier(
            served, _load_evaluation_data(options, served.labels), EvaluationSettings(options.resamples, options.seed)
        )
        print("\n".join(_evaluation_summary(evaluation)))
        print("Written: {}, {}".format(*write_evaluation(evaluation, options.out)))
        return 0

    return run_tensorflow_command(command)


def _load_evaluation_data(options: Namespace, labels: Sequence[str]) -> "EvaluationData":
    """The requested pictures, with the classifier's class numbers."""
    from models.datasets import splits
    from models.datasets.layouts import read_picture_collection
    from models.evaluation.evaluation_records import EvaluationData

    collection = read_picture_collection(options.layout, options.data, options.group)
    if options.split:
        rows, how = getattr(splits.read_data_split(options.split, collection), options.part), f"{options.part} part of {options.split.name}"
    elif parts := {row.split for row in collection.rows} - {""}:
        if options.part not in parts:
            raise UserError(
                f"{options.data} has the parts {', '.join(sorted(parts))} and no {options.part} part; choose one of them with --part."
            )
        rows, how = tuple(row for row in collection.rows if row.split == options.part), f"the {options.part} part as it was published"
    else:
        rows, how = collection.rows, "all pictures"
    return EvaluationData(collection.name, _match_classifier_labels(rows, collection, labels), how, collection.source, collection.licence)


def _match_classifier_labels(
    rows: Sequence["CollectionRow"], collection: "PictureCollection", labels: Sequence[str]
) -> tuple["CollectionRow", ...]:
    """The rows with the classifier's class numbers, matched by name. UserError where it does not know a class."""
    class_of_name = {label.casefold(): number for number, label in enumerate(labels)}
    unknown = [label.name for label in collection.labels if label.name.casefold() not in class_of_name]
    if unknown:
        known_classes = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
        raise UserError(
            f"{collection.name} has the classes {', '.join(unknown)}, which the classifier does not tell; it tells {known_classes}."
        )
    numbers = [class_of_name[label.name.casefold()] for label in collection.labels]
    return tuple(dataclasses.replace(row, label=numbers[row.label]) for row in rows)


def _evaluation_summary(evaluation: "Evaluation") -> list[str]:
    """A line for each figure."""
    from models.evaluation.html_report import format_with_interval

    lines = [f"{len(evaluation.data.rows):,} pictures of {evaluation.data.name}, {evaluation.data.part}"]
    return lines + [f"{name}: {format_with_interval(figure)}" for name, figure in evaluation.overall.items()]


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
