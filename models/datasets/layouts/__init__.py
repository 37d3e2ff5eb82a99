"""Layouts: each reads a data set's folder as it was published. A new one is a module here and a line in LAYOUTS.

A layout is a module with `LICENCE`, `SOURCE`, `EXPECTED`, the contents that the folder must have, and
`read_dataset_folder(folder) -> PictureCollection`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from errors import UserError
from models.datasets.folder_listing import LayoutMismatchError
from models.datasets.grouping import group_by_file_name
from models.datasets.layouts import chest_xray, covid_xray, folder, ham10000, isic2019
from models.datasets.picture_collection import PictureCollection

LAYOUTS: dict[str, Callable[[Path], PictureCollection]] = {
    "ham10000": ham10000.read_dataset_folder,
    "isic2019": isic2019.read_dataset_folder,
    "chest_xray": chest_xray.read_dataset_folder,
    "chest_xray_causes": partial(chest_xray.read_dataset_folder, classes="causes"),
    "covid_xray": covid_xray.read_dataset_folder,
    "folder": folder.read_dataset_folder,
}


UNGROUPED = ("folder", "covid_xray")  # the layouts that do not say whom a picture is of


def read_picture_collection(layout: str, where: Path, group: str = "") -> PictureCollection:
    """The pictures of the folder `where`. UserError states what was found and what is expected where the layout does not match.

    group: regular expression that finds the person in a file's name, see `grouping`; only for layouts that do not know it themselves.
    """
    if layout not in LAYOUTS:
        raise UserError(f"There is no layout {layout!r}; the layouts are {', '.join(LAYOUTS)}.")
    if not where.is_dir():
        raise UserError(f"There is no folder {where}; give the folder that holds the pictures.")
    found = LAYOUTS[layout](where)
    if group and layout not in UNGROUPED:
        raise UserError(f"--group is {group!r}, but {layout} says itself which pictures belong together; leave it out.")
    return group_by_file_name(found, group) if group else found


def detect_folder_layout(where: Path, group: str = "") -> PictureCollection:
    """What the first layout that fits makes of the folder; "folder", the most general, is tried last and its sentence is the one raised."""
    for layout in LAYOUTS:
        if layout in ("chest_xray_causes", "folder"):
            continue
        try:
            return read_picture_collection(layout, where, group)
        except LayoutMismatchError:
            continue
    return read_picture_collection("folder", where, group)
