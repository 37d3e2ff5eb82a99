"""Any folder of class folders: each class is a folder of pictures, named as the class is.

Licence: whatever the pictures have; say it when the classifier is passed on. Layout: CLASS/PICTURE at any depth below the class, or
the same inside train/, val/ (valid/, validation/) and test/.
"""

import re
from pathlib import Path

from errors import UserError
from models.card import distinct
from models.datasets.collection import Collection, Row
from models.datasets.listing import counted, folders, parts, pictures, strangers, wrong

LICENCE = "unknown"
SOURCE = "A folder of class folders"
EXPECTED = "a folder of pictures for each of two or more classes, or train, val and test with such folders inside"


def read(folder: Path, group: str = "") -> Collection:
    """group: a regular expression; what it finds in a file's name (its first bracket, if it has one) groups the pictures of a patient.
    Without it each picture is a group of its own."""
    holders = [(part, each) for part, several in parts(folder).items() for each in several]
    classes = [each.name for each in folders(holders[0][1]).values() if pictures(each)]
    rows: list[Row] = []
    for part, holder in holders:
        inside = [each for each in folders(holder).values() if pictures(each)]
        if len(inside) < 2:
            raise wrong(holder, EXPECTED)
        if new := [each.name for each in inside if each.name not in classes]:
            raise UserError(
                f"{holder} has the {counted('class folder', new)} that {holders[0][1]} lacks; each part needs the same classes."
            )
        for each in inside:
            rows += [Row(file, classes.index(each.name), _group(file, folder, group), part) for file in pictures(each)]
    loose = [file.name for _, holder in holders for file in holder.iterdir() if file.is_file() and file in pictures(holder)]
    others = [*loose, *(file.name for _, holder in holders for file in strangers(holder))]
    remarks = (f"Left out: {counted('file', others)} in no class folder or not named as a picture.",) if others else ()
    return Collection(folder.resolve().name, distinct(classes), tuple(rows), LICENCE, SOURCE, remarks)


def _group(file: Path, root: Path, pattern: str) -> str:
    if not pattern:
        return file.relative_to(root).as_posix()
    try:
        found = re.search(pattern, file.name)
    except re.error as error:
        raise UserError(f"The group pattern {pattern!r} is no regular expression: {error}.") from error
    if not found:
        raise UserError(f"The group pattern {pattern!r} finds nothing in {file.name}; it must fit every picture's name.")
    return found[1] if found.re.groups else found[0]
