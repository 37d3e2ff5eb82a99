"""Samples pictures from a folder for the inspection of a model: evenly over the classes where they are known, and reproducibly."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from errors import UserError
from models.cards.class_name_formats import UnusableNamesError, parse_class_names
from models.datasets.folder_listing import find_split_folders, list_folders, list_pictures, read_csv_rows
from models.inspection.labelled_image import LabelledImage
from models.sandbox.picture_decoder import decode_picture_confined

MAX_PICTURES = 64
COLUMNS = ("file", "class")
Sample = tuple[Path, str | None]


def sample_picture_files(folder: Path, classes: Path | None, seed: int = 0) -> list[Sample]:
    """At most MAX_PICTURES files with their classes' names, as many of each class as there are. classes: a table, or None. UserError."""
    if not folder.is_dir():
        raise UserError(
            f"--pictures is {folder}, which is no folder; give a folder of pictures, better with a folder inside for each class."
        )
    found = _by_table(folder, classes) if classes else _by_folder(folder)
    if not found:
        raise UserError(f"--pictures is {folder}, which holds no picture; give a folder of pictures like those that the model is for.")
    rng = np.random.default_rng(seed)
    groups = {name: [file for file, own in found if own == name] for name in dict.fromkeys(own for _, own in found)}
    mixed = {name: [files[number] for number in rng.permutation(len(files))] for name, files in groups.items()}
    turns = [(turn, name) for turn in range(MAX_PICTURES) for name in mixed if turn < len(mixed[name])]
    return [(mixed[name][turn], name) for turn, name in turns[:MAX_PICTURES]]


def read_sampled_pictures(samples: Sequence[Sample]) -> tuple[list[LabelledImage], list[str]]:
    """The decoded pictures, large ones reduced, and a sentence per picture that cannot be read. UserError where none can."""
    seen, failed = [], []
    for file, name in samples:
        try:
            seen.append(LabelledImage.from_picture(decode_picture_confined(file.read_bytes()), name))
        except (UserError, OSError) as error:
            failed.append(f"{file} is left out. {error}")
    if not seen:
        raise UserError(f"None of the {len(samples)} pictures can be read. {failed[0]}")
    return seen, failed


def read_class_names(file: Path) -> tuple[str, ...]:
    """The names of classes that a text or JSON lists. UserError."""
    try:
        return tuple(parse_class_names(file.read_bytes(), file.name, None) or ())
    except OSError as error:
        raise UserError(f"--labels is {file}, which cannot be read ({error.strerror}).") from error
    except UnusableNamesError as error:
        raise UserError(f"--labels is {file}, which cannot be used: {error}; give a text with one line a class.") from error


def _by_folder(folder: Path) -> list[Sample]:
    """Of the test part where there is one, else of every part; without class folders the classes are unknown."""
    found = find_split_folders(folder)
    holders = found.get("test") or [holder for several in found.values() for holder in several]
    classes = [(name.name, each) for holder in holders for name in list_folders(holder).values() if (each := list(_pictures(name)))]
    if classes:
        return [(file, name) for name, files in classes for file in files]
    return [(file, None) for holder in holders for file in _pictures(holder)]


def _by_table(folder: Path, classes: Path) -> list[Sample]:
    rows = read_csv_rows(classes, COLUMNS)
    files = [folder / row["file"] for row in rows]
    if missing := [file for file in files if not file.is_file()]:
        raise UserError(f"{classes} names {missing[0].name}, which {folder} does not hold; name files as they lie in that folder.")
    return [(file, row["class"].strip() or None) for file, row in zip(files, rows, strict=True)]


def _pictures(folder: Path) -> Iterator[Path]:
    """Every picture but masks of others, which are called NAME_mask."""
    files = list_pictures(folder)
    stems = {file.with_suffix("") for file in files}
    return (file for file in files if not (file.stem.endswith("_mask") and file.with_name(file.stem.removesuffix("_mask")) in stems))
