"""Chest X-rays of children with and without pneumonia (Kermany, Zhang & Goldbaum).

Licence: CC BY 4.0. Kermany, Zhang & Goldbaum 2018, doi 10.17632/rscbjbr9sj. Layout: train/ and test/, each with NORMAL/ and PNEUMONIA/.
The names person12_bacteria_45.jpeg, person12_virus_45.jpeg, IM-0115-0001.jpeg and NORMAL2-IM-0115-0001.jpeg number people in
four separate series: within a series no number of train/ recurs in test/, across series many do. Kaggle's copy has moved 16 pictures
from train/ to val/, too few to evaluate on: they count as training pictures.
"""

import re
from pathlib import Path
from typing import Literal

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.folder_listing import (
    find_split_folders,
    ignored_folders_sentence,
    layout_mismatch_error,
    list_folders,
    list_non_picture_files,
    list_pictures,
    summarise_file_names,
)
from models.datasets.picture_collection import CollectionRow, PictureCollection

LICENCE = "CC BY 4.0"
SOURCE = "Kermany, Zhang & Goldbaum 2018, doi 10.17632/rscbjbr9sj"
EXPECTED = "the folders train and test (and val), each with the folders NORMAL and PNEUMONIA, or those two alone"
BINARY = (
    ClassLabel("normal", "Clear lungs."),
    ClassLabel("pneumonia", "Inflammation of the lung, by bacteria or a virus."),
)
CAUSES = (
    BINARY[0],
    ClassLabel("bacterial", "Pneumonia by bacteria, often one consolidated lobe."),
    ClassLabel("viral", "Pneumonia by a virus, often diffuse in both lungs."),
)
_SERIES = re.compile(r"person(?P<person>\d+)_(?P<cause>bacteria|virus)|(?P<series>NORMAL2-IM|IM)-(?P<number>\d+)", re.IGNORECASE)


def read_dataset_folder(folder: Path, classes: Literal["binary", "causes"] = "binary") -> PictureCollection:
    """binary: normal or pneumonia. causes: normal, bacterial or viral, as the file names say. Grouped by person."""
    rows: list[CollectionRow] = []
    found = find_split_folders(folder)
    for part, holders in found.items():
        for holder in holders:
            inside = list_folders(holder)
            if inside.keys() != {"normal", "pneumonia"}:
                raise layout_mismatch_error(holder, EXPECTED)
            for name in ("normal", "pneumonia"):
                rows += [_row(file, name == "pneumonia", part, classes) for file in list_pictures(inside[name])]
    if not rows:
        raise UserError(f"{folder} has the folders of the chest X-rays but no picture in them; unpack the pictures there.")
    others = [file.name for holders in found.values() for holder in holders for file in list_non_picture_files(holder)]
    remarks: tuple[str, ...] = (f"Left out: {summarise_file_names('file', others)} not named as a picture.",) if others else ()
    labels = BINARY if classes == "binary" else CAUSES
    remarks += ignored_folders_sentence(folder) if "" not in found else ()
    return PictureCollection("chest_xray" if classes == "binary" else "chest_xray_causes", labels, tuple(rows), LICENCE, SOURCE, remarks)


def _row(file: Path, ill: bool, part: str, classes: str) -> CollectionRow:
    series = _SERIES.match(file.name)
    cause = (series["cause"] or "").lower() if series else ""
    if classes == "causes" and ill and not cause:
        raise UserError(f"{file} does not say its cause; names such as person12_bacteria_45.jpeg or person12_virus_45.jpeg do.")
    label = int(ill) if classes == "binary" or not ill else 1 + (cause == "virus")
    return CollectionRow(file, label, _group(series) or file.stem, "train" if part == "validation" else part)


def _group(series: "re.Match[str] | None") -> str:
    if not series:
        return ""
    if series["cause"]:
        return f"{series['cause'].lower()} {int(series['person'])}"
    return f"{series['series'].upper()} {int(series['number'])}"
