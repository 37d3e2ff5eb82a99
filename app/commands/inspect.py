"""Inspects a model in a terminal, and writes the proposed card once the user agrees."""

import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from app.commands.inspection_text import inspection_report_text
from app.commands.picture_sample import read_class_names, read_sampled_pictures, sample_picture_files
from app.options import InspectOptions
from errors import UserError
from models.cards.card import Card
from models.inspection.card_writer import writable_card_path, write_card


def print_inspection(options: InspectOptions) -> int:
    """Prints the report; 0, or 2 where the model cannot be opened or something given is wrong."""
    by_table = options.labels is not None and options.labels.suffix.lower() == ".csv"
    labels = read_class_names(options.labels) if options.labels and not by_table else ()
    seen, failed = (
        read_sampled_pictures(sample_picture_files(options.pictures, options.labels if by_table else None))
        if options.pictures
        else ([], [])
    )
    for sentence in failed:
        print(sentence, file=sys.stderr)
    from models.inspection.inspector import inspect_model  # TensorFlow takes seconds, and what was given is wrong before that

    with tqdm(desc=Path(options.model).name, unit=" evaluations", leave=False, disable=None if seen else True) as bar:
        report = inspect_model(options.model, seen, options.trust, labels, lambda done, most: _show(bar, done, most), options.preprocessing)
    refused = [each.says for each in report.findings if each.level == "refused"]
    if options.as_json:
        print(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    elif refused:
        raise UserError(refused[0])
    else:
        print(inspection_report_text(report))
    if refused:
        return 2
    if options.fix:
        _fix(options, report.proposed)
    return 0


def _show(bar: "tqdm[Any]", done: int, most: int) -> None:
    """The bar starts again with every member of an ensemble."""
    if done < bar.n or bar.total is None:
        bar.reset(most)
    bar.update(done - bar.n)


def _fix(options: InspectOptions, proposed: Card | None) -> None:
    """Prints to standard error, so that standard output holds nothing but the report in JSON."""
    if proposed is None:
        print("\nNothing is written: the report does not show surely that another card is right.", file=sys.stderr)
        return
    file = writable_card_path(options.model)
    print(f"\nThe card to write to {file}:\n{proposed.to_text()}", end="", file=sys.stderr)
    if not options.yes and not _is_confirmed(file):
        print("Nothing is written.", file=sys.stderr)
        return
    kept = write_card(file, proposed)
    print(f"Written to {file}." + (f" The card that was there is {kept.name} now." if kept else ""), file=sys.stderr)


def _is_confirmed(file: Path) -> bool:
    """Whether the user answers yes; no where there is no terminal to read from."""
    print(f"Write {file.name}{' in place of the one that is there' if file.exists() else ''}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
