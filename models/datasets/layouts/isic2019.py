"""ISIC 2019: dermoscopy from three sources (HAM10000, BCN20000, MSK), eight classes and a ninth, "unknown", that only the test has.

Licence: CC BY-NC 4.0. Tschandl et al. 2018, doi 10.1038/sdata.2018.161; Codella et al. 2017, arXiv:1710.05006; Combalia et al. 2019,
arXiv:1908.02288. Layout, as published: ISIC_2019_Training_GroundTruth.csv (image, then one 0/1 column for each class),
ISIC_2019_Training_Metadata.csv (image, age_approx, anatom_site_general, lesion_id, sex), the folder ISIC_2019_Training_Input, and, where
there is a test part, the same with Test for Training. Pictures of the test carry no lesion number.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.folder_listing import layout_mismatch_error, list_pictures, read_csv_rows, summarise_file_names
from models.datasets.layouts.ham10000 import parse_age, parse_optional_value, unmatched_files_sentences
from models.datasets.picture_collection import CollectionRow, PictureCollection

LICENCE = "CC BY-NC 4.0"
SOURCE = "ISIC 2019: HAM10000 (doi 10.1038/sdata.2018.161), BCN20000 (arXiv:1908.02288), MSK (arXiv:1710.05006)"
EXPECTED = "ISIC_2019_Training_GroundTruth.csv, ISIC_2019_Training_Metadata.csv and the folder ISIC_2019_Training_Input"
LABELS = (
    ClassLabel("MEL", "Melanoma: a dangerous cancer of the pigment cells."),
    ClassLabel("NV", "Melanocytic nevus: a mole, harmless."),
    ClassLabel("BCC", "Basal cell carcinoma: a common skin cancer that seldom spreads."),
    ClassLabel("AK", "Actinic keratosis: sun-damaged skin that may become squamous cell carcinoma."),
    ClassLabel("BKL", "Benign keratosis: seborrhoeic keratosis, solar lentigo or lichen-planus-like keratosis."),
    ClassLabel("DF", "Dermatofibroma: a harmless knot of connective tissue."),
    ClassLabel("VASC", "Vascular lesion: angioma, angiokeratoma, pyogenic granuloma or haemorrhage."),
    ClassLabel("SCC", "Squamous cell carcinoma: a skin cancer that can spread."),
    ClassLabel("UNK", "None of the other eight."),
)
NAMES = tuple(label.name for label in LABELS)
_PARTS = {"train": "Training", "test": "Test"}


def read_dataset_folder(folder: Path) -> PictureCollection:
    """Training pictures, and the test's where its ground truth exists; grouped by lesion where one is known. Classes without a
    picture are left out of the collection.
    """
    rows: list[CollectionRow] = []
    remarks: tuple[str, ...] = ()
    for part, word in _PARTS.items():
        truth, details, holder = (folder / f"ISIC_2019_{word}_{end}" for end in ("GroundTruth.csv", "Metadata.csv", "Input"))
        if part == "test" and not truth.is_file():
            continue
        if not (truth.is_file() and details.is_file() and holder.is_dir()):
            raise layout_mismatch_error(folder, EXPECTED.replace("Training", word))
        files = {file.stem: file for file in list_pictures(holder)}
        listed = {entry["image"]: entry for entry in read_csv_rows(truth, ("image", *NAMES))}
        about = {entry["image"]: entry for entry in read_csv_rows(details, ("image", "age_approx", "anatom_site_general", "sex"))}
        rows += [_row(files[image], listed[image], about.get(image, {}), part) for image in listed if image in files]
        remarks += unmatched_files_sentences(list(listed), files)
    if not rows:
        raise UserError(f"No picture that the tables of {folder} name lies in ISIC_2019_Training_Input; unpack the pictures there.")
    fixed = any(row.split == "test" for row in rows)
    kept = rows if fixed else [CollectionRow(row.path, row.label, row.group, "", row.metadata) for row in rows]
    used = sorted({row.label for row in kept})
    numbered = tuple(dataclasses.replace(row, label=used.index(row.label)) for row in kept)
    if unlearnt := [LABELS[number].name for number in used if {row.split for row in kept if row.label == number} == {"test"}]:
        remarks += (f"Only the test part shows {summarise_file_names('label', unlearnt)}: that cannot be learnt and counts as mistakes.",)
    return PictureCollection("isic2019", tuple(LABELS[number] for number in used), numbered, LICENCE, SOURCE, remarks)


def _row(file: Path, truth: Mapping[str, str], about: Mapping[str, str], part: str) -> CollectionRow:
    marked = [number for number, name in enumerate(NAMES) if truth[name].strip() in ("1", "1.0")]
    if len(marked) != 1:
        raise UserError(f"{file.stem} has {len(marked)} classes marked 1 in the ground truth; it must have one of {', '.join(NAMES)}.")
    values = (
        ("age", parse_age(about.get("age_approx", ""))),
        ("sex", parse_optional_value(about.get("sex", ""))),
        ("site", parse_optional_value(about.get("anatom_site_general", ""))),
    )
    return CollectionRow(file, marked[0], parse_optional_value(about.get("lesion_id", "")) or file.stem, part, values)
