"""Any folder of class folders: each class is a folder of pictures, named as the class is.

Licence: whatever the pictures have; say it when the classifier is passed on. Layout: CLASS/PICTURE at any depth below the class, or
the same inside train/, val/ (valid/, validation/) and test/.
"""

import re
from pathlib import Path

from errors import UserError
from models.card import distinct
from models.datasets.collection import Collection, Row
from models.datasets.listing import beside_parts, counted, folders, parts, pictures, strangers, wrong

LICENCE = "unknown"
SOURCE = "A folder of class folders"
EXPECTED = "a folder of pictures for each of two or more classes, or train, val and test with such folders inside"


def read(folder: Path, group: str = "") -> Collection:
    """group: a regular expression; what it finds in a file's name (its first bracket, if it has one) groups the pictures of a patient.
    Without it each picture is a group of its own."""
    holders = [(part, each) for part, several in parts(folder).items() for each in several]
    classes: list[str] = []
    rows: list[Row] = []
    others: list[str] = []
    for part, holder in holders:
        listed = {each.name: files for each in folders(holder).values() if (files := pictures(each))}
        if len(listed) < 2:
            raise wrong(holder, EXPECTED)
        classes = classes or list(listed)
        if new := [name for name in listed if name not in classes]:
            raise UserError(
                f"{holder} has the {counted('class folder', new)} that {holders[0][1]} lacks; each part needs the same classes."
            )
        for name, files in listed.items():
            rows += [Row(file, classes.index(name), _group(file, folder, group), part) for file in files]
        others += [file.name for file in pictures(holder) if file.parent == holder] + [file.name for file in strangers(holder)]
    remarks: tuple[str, ...] = (f"Left out: {counted('file', others)} in no class folder or not named as a picture.",) if others else ()
    remarks += beside_parts(folder)
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
