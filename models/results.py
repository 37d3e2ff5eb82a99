"""Prints what trained classifiers were measured to be, a row each: `python -m models.results OUT/NAME ...`."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.card import Card
from models.output.markdown import markdown_table
from models.versions import latest_version_folder
from plain_files import read_plain_text

COLUMNS = ("accuracy", "balanced accuracy", "macro AUC", "calibration error")
HEADING = ("made by `python -m models.train`", "test pictures", *COLUMNS, "epochs", "minutes of them")


def main(arguments: Sequence[str] | None = None) -> int:
    """The table as Markdown; 0 when done, 2 where a folder holds no evaluated classifier."""
    parser = ArgumentParser("python -m models.results", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="a classifier's folder of versions, or one version")
    try:
        rows = [_training_result_row(folder) for folder in parser.parse_args(arguments).folders]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(markdown_table(HEADING, rows))
    return 0


def _training_result_row(folder: Path) -> tuple[str, ...]:
    """The latest version's command, and its figures on the test part with their intervals. UserError where there is no evaluation."""
    version = latest_version_folder(folder) or folder
    evaluation, history = _read(version / "evaluation.json"), _read(version / "history.json")
    command = Card.read(version / f"{evaluation['model']}.json").made_by.removeprefix("python -m models.train ")
    seconds = sum(epoch["seconds"] for epoch in history)
    figures = (_format_estimate(evaluation["overall"][name]) for name in COLUMNS)
    return f"`{command}`", f"{evaluation['material']['rows']:,}", *figures, str(len(history)), f"{seconds / 60:.0f}"


def _format_estimate(evaluation: dict[str, float | None]) -> str:
    if evaluation["value"] is None:
        return ""
    between = f" ({evaluation['low']:.3f} to {evaluation['high']:.3f})" if evaluation["low"] is not None else ""
    return f"{evaluation['value']:.3f}{between}"


def _read(file: Path) -> Any:
    try:
        return json.loads(read_plain_text(file))
    except (UserError, OSError, RecursionError, ValueError) as error:
        raise UserError(f"{file} cannot be read ({str(error)[:100]}); name the folder that python -m models.train has made.") from error


if __name__ == "__main__":
    sys.exit(main())
