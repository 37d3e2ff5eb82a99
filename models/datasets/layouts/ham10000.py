"""HAM10000: dermoscopy of pigmented skin lesions, seven classes, often several pictures of one lesion.

Licence: CC BY-NC 4.0, so no commercial use. Tschandl, Rosendahl & Kittler 2018, doi 10.1038/sdata.2018.161.
Layout: `metadata.csv` (or HAM10000_metadata, with or without .csv) with the columns lesion_id, image_id, dx, age, sex, localization, and
the pictures, named by image_id, in one or more folders with "images" in their names.
"""

from collections.abc import Mapping
from pathlib import Path

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets.folder_listing import layout_mismatch_error, list_folders, list_pictures, read_csv_rows, summarise_file_names
from models.datasets.picture_collection import CollectionRow, PictureCollection

LICENCE = "CC BY-NC 4.0"
SOURCE = "HAM10000, Tschandl, Rosendahl & Kittler 2018, doi 10.1038/sdata.2018.161"
EXPECTED = "a table metadata.csv or HAM10000_metadata.csv, and the pictures in folders with 'images' in their names"
LABELS = (
    ClassLabel("akiec", "Actinic keratosis or Bowen's disease: an early stage of squamous cell carcinoma in the outer skin."),
    ClassLabel("bcc", "Basal cell carcinoma: a common skin cancer that seldom spreads."),
    ClassLabel("bkl", "Benign keratosis: seborrhoeic keratosis, solar lentigo or lichen-planus-like keratosis."),
    ClassLabel("df", "Dermatofibroma: a harmless knot of connective tissue."),
    ClassLabel("mel", "Melanoma: a dangerous cancer of the pigment cells."),
    ClassLabel("nv", "Melanocytic nevus: a mole, harmless."),
    ClassLabel("vasc", "Vascular lesion: angioma, angiokeratoma, pyogenic granuloma or haemorrhage."),
)
COLUMNS = ("lesion_id", "image_id", "dx", "age", "sex", "localization")
_TABLES = ("metadata.csv", "HAM10000_metadata.csv", "HAM10000_metadata")


def read_dataset_folder(folder: Path) -> PictureCollection:
    """Rows of the table whose picture exists, grouped by lesion; metadata: age in years, sex, site."""
    tables = [folder / name for name in _TABLES if (folder / name).is_file()]
    holders = [each for name, each in list_folders(folder).items() if "images" in name]
    if not tables or not holders:
        raise layout_mismatch_error(folder, EXPECTED)
    files = {file.stem: file for holder in holders for file in list_pictures(holder)}
    listed = read_csv_rows(tables[0], COLUMNS)
    rows = tuple(_row(files[entry["image_id"]], entry) for entry in listed if entry["image_id"] in files)
    if not rows:
        raise UserError(f"{tables[0]} lists {listed[0]['image_id']} and others, but none lies in {', '.join(map(str, holders))}.")
    return PictureCollection(
        "ham10000", LABELS, rows, LICENCE, SOURCE, unmatched_files_sentences([entry["image_id"] for entry in listed], files)
    )


def unmatched_files_sentences(listed: list[str], files: Mapping[str, Path]) -> tuple[str, ...]:
    """Sentences about names in a table that have no picture, and pictures that no table lists."""
    missing = [name for name in listed if name not in files]
    unlisted = sorted(files.keys() - set(listed))
    sentences = ((missing, "named by the table, not in the folder"), (unlisted, "in the folder, not named by the table"))
    return tuple(f"Left out: {summarise_file_names('picture', names)} {why}." for names, why in sentences if names)


def _row(file: Path, entry: Mapping[str, str]) -> CollectionRow:
    names = [label.name for label in LABELS]
    if entry["dx"] not in names:
        raise UserError(f"{entry['image_id']} has the diagnosis {entry['dx'][:40]!r}; HAM10000 has {', '.join(names)}.")
    values = (
        ("age", parse_age(entry["age"])),
        ("sex", parse_optional_value(entry["sex"])),
        ("site", parse_optional_value(entry["localization"])),
    )
    return CollectionRow(file, names.index(entry["dx"]), entry["lesion_id"] or entry["image_id"], metadata=values)


def parse_age(text: str) -> float | None:
    """Years, or None where nothing or no number is given."""
    try:
        return float(text) if text and text.lower() != "nan" else None
    except ValueError:
        return None


def parse_optional_value(text: str) -> str | None:
    """None for an empty or unknown value."""
    return None if text.strip().lower() in ("", "unknown", "nan") else text.strip()
