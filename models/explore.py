"""Draws what a folder of pictures holds and warns of what would spoil a classifier: `python -m models.explore DIR`."""

import dataclasses
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from errors import UserError
from models.datasets import grouping, layouts, splits
from models.datasets.contact_sheet import draw_contact_sheet, save_contact_sheet
from models.datasets.picture_collection import SPLITS, PictureCollection
from models.datasets.quality_checks import DataWarning, find_data_warnings, fingerprint_collection, unreadable_picture_warnings


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints counts and warnings and writes the sheet; 0 when done, whatever the warnings, 2 after a mistake in the arguments."""
    parser = ArgumentParser("python -m models.explore", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of pictures")
    parser.add_argument("--layout", choices=list(layouts.LAYOUTS), help="how the folder is laid out (default: found out)")
    parser.add_argument("--group", default="", metavar="REGEX", help=grouping.HELP)
    parser.add_argument("--split", type=Path, help="a file that says which picture is in which part, to look for leaks between them")
    parser.add_argument("--out", type=Path, default=Path("explored.html"), help="the sheet, .html or .png (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        collection, warnings = explore_folder(options.folder, options.layout, options.split, options.out, options.group)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    counts = ", ".join(f"{name} {count:,}" for name, count in collection.counts().items())
    print(f"{collection.name}: {len(collection.rows):,} pictures ({counts}). {collection.source}. Licence: {collection.licence}.")
    for line in [*collection.remarks, *warnings]:
        print(line)
    print(f"Saved {options.out}")
    return 0


def explore_folder(
    folder: Path, layout: str | None, split: Path | None, out: Path, group: str = ""
) -> tuple[PictureCollection, list[DataWarning]]:
    """What the folder holds and its faults; the sheet is written to `out`. group: as `layouts.read_picture_collection` takes it."""
    if out.suffix.lower() not in (".html", ".png"):
        raise UserError(f"--out is {out}; give a name that ends in .html or .png.")
    collection = layouts.read_picture_collection(layout, folder, group) if layout else layouts.detect_folder_layout(folder, group)
    if split:
        collection = mark_split_parts(collection, splits.read_data_split(split, collection))
    rows, prints, failed = fingerprint_collection(collection)
    warnings = [*unreadable_picture_warnings(failed), *find_data_warnings(collection, rows, prints)]
    if not rows:
        raise UserError(f"None of the {len(failed):,} pictures of {folder} can be read. {warnings[0]}")
    try:
        save_contact_sheet(out, collection, draw_contact_sheet(collection, rows, prints), warnings)
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror}); choose another with --out.") from error
    return collection, warnings


def mark_split_parts(collection: PictureCollection, made: splits.DataSplit) -> PictureCollection:
    """The collection with each row's part of the split."""
    rows = [dataclasses.replace(row, split=part) for part in SPLITS for row in getattr(made, part)]
    return dataclasses.replace(collection, rows=tuple(rows))


if __name__ == "__main__":
    sys.exit(main())
