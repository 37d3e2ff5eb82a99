"""Groups pictures by person from their file names, where a layout does not know the person."""

import dataclasses
import re

from errors import UserError
from models.datasets.picture_collection import PictureCollection

HELP = "regular expression that finds in a file's name whom it is of; its first bracket, if it has one: 'p([0-9]+)_'"


def group_by_file_name(collection: PictureCollection, pattern: str) -> PictureCollection:
    """The collection with pictures in one group where `pattern` finds the same in their names. UserError where it finds nothing in one."""
    try:
        finder = re.compile(pattern)
    except re.error as error:
        raise UserError(f"--group is {pattern!r}, which is no regular expression: {error}.") from error
    rows = tuple(dataclasses.replace(row, group=_group_of(finder, row.path.name)) for row in collection.rows)
    remark = f"{len({row.group for row in rows}):,} groups by what {pattern!r} finds in the names of {len(rows):,} pictures."
    return dataclasses.replace(collection, rows=rows, remarks=(*collection.remarks, remark))


def _group_of(finder: "re.Pattern[str]", name: str) -> str:
    found = finder.search(name)
    whom = found[1 if finder.groups else 0] if found else ""
    if not whom:
        raise UserError(f"--group is {finder.pattern!r}, which finds nothing in {name}; it must find something in every picture's name.")
    return str(whom)
