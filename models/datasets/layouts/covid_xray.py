"""Chest X-rays with COVID-19, with other pneumonia, and normal, as several collections lay them out.

Licence: such collections are put together from many sources, each with its own; the folder's publisher says which. The COVID-19 Radiography
Database asks that Chowdhury et al. 2020 (doi 10.1109/ACCESS.2020.3010287) and Rahman et al. 2021 (doi 10.1016/j.compbiomed.2021.104319) be
cited. Layout: the folders COVID, Normal, Viral Pneumonia (or Pneumonia) and perhaps Lung_Opacity, each with pictures or with images/ and
masks/; all that perhaps inside train/, val/ and test/. The classes came from different hospitals: a classifier may learn those.
"""

from pathlib import Path

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.folder_listing import (
    find_split_folders,
    ignored_folders_sentence,
    layout_mismatch_error,
    list_folders,
    list_pictures,
    summarise_file_names,
)
from models.datasets.picture_collection import CollectionRow, PictureCollection

LICENCE = "as its many sources say; ask the publisher of the folder"
SOURCE = "A folder laid out as the COVID-19 Radiography Database: Chowdhury et al. 2020, doi 10.1109/ACCESS.2020.3010287"
EXPECTED = "the folders COVID, Normal and Viral Pneumonia or Pneumonia (and perhaps Lung_Opacity), or train, val and test with those inside"
LABELS = (
    ClassLabel("covid", "Pneumonia by the virus of COVID-19."),
    ClassLabel("normal", "Clear lungs."),
    ClassLabel("pneumonia", "Pneumonia of another kind."),
    ClassLabel("lung opacity", "A cloudy area in the lung that is not COVID-19."),
)
CLASSES = {
    "covid": 0,
    "covid19": 0,
    "covid 19": 0,
    "corona": 0,
    "normal": 1,
    "healthy": 1,
    "pneumonia": 2,
    "viral pneumonia": 2,
    "virus": 2,
    "lung opacity": 3,
}


def read_dataset_folder(folder: Path) -> PictureCollection:
    """Each picture is a group of its own: the file names name no patient. COVID and normal must be there."""
    rows: list[CollectionRow] = []
    others: set[str] = set()
    for part, holders in find_split_folders(folder).items():
        for holder in holders:
            inside = list_folders(holder)
            if not {0, 1} <= {CLASSES[name] for name in inside if name in CLASSES}:
                raise layout_mismatch_error(holder, EXPECTED)
            others |= {each.name for name, each in inside.items() if name not in CLASSES}
            for name, each in inside.items():
                rows += [_row(file, CLASSES[name], part, folder) for file in _pictures(each) if name in CLASSES]
    if not rows:
        raise UserError(f"{folder} has the class folders of COVID X-rays but no picture in them; unpack the pictures there.")
    used = sorted({row.label for row in rows})
    numbered = tuple(CollectionRow(row.path, used.index(row.label), row.group, row.split) for row in rows)
    remarks: tuple[str, ...] = (f"Left out: {summarise_file_names('folder', sorted(others))} of no known class.",) if others else ()
    remarks += ignored_folders_sentence(folder)
    return PictureCollection("covid_xray", tuple(LABELS[number] for number in used), numbered, LICENCE, SOURCE, remarks)


def _pictures(folder: Path) -> list[Path]:
    """Those in images/ where there is such a folder; masks/ next to it holds no X-rays."""
    return list_pictures(list_folders(folder).get("images", folder))


def _row(file: Path, label: int, part: str, root: Path) -> CollectionRow:
    return CollectionRow(file, label, file.relative_to(root).with_suffix("").as_posix(), part)
