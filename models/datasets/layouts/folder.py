"""Any folder of class folders: each class is a folder of pictures, named as the class is.

Licence: whatever the pictures have; say it when the classifier is passed on. Layout: CLASS/PICTURE at any depth below the class, or
the same inside train/, val/ (valid/, validation/) and test/.
"""

from pathlib import Path

from errors import UserError
from models.cards.card import unique_labels
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

LICENCE = "unknown"
SOURCE = "A folder of class folders"
EXPECTED = "a folder of pictures for each of two or more classes, or train, val and test with such folders inside"


def read_dataset_folder(folder: Path) -> PictureCollection:
    """Each picture is a group of its own. The classes are those of the training part; another part may lack some, and have no others."""
    listed = [(part, holder, _classes(holder)) for part, holders in find_split_folders(folder).items() for holder in holders]
    training = [each for each in listed if each[0] in ("train", "")] or listed
    names = {plain: name for _, _, inside in reversed(training) for plain, (name, _) in inside.items()}
    classes = sorted(names, key=names.__getitem__)
    rows: list[CollectionRow] = []
    others: list[str] = []
    for part, holder, inside in listed:
        if new := [name for plain, (name, _) in inside.items() if plain not in names]:
            raise UserError(
                f"{holder} has the {summarise_file_names('class folder', new)} that {training[0][1]} lacks, so that none can be learnt."
            )
        for plain, (_, files) in inside.items():
            rows += [CollectionRow(file, classes.index(plain), file.relative_to(folder).as_posix(), part) for file in files]
        others += [file.name for file in list_pictures(holder) if file.parent == holder] + [
            file.name for file in list_non_picture_files(holder)
        ]
    if len(classes) < 2:
        raise layout_mismatch_error(training[0][1], EXPECTED)
    remarks: tuple[str, ...] = (
        (f"Left out: {summarise_file_names('file', others)} in no class folder or not named as a picture.",) if others else ()
    )
    remarks += ignored_folders_sentence(folder)
    return PictureCollection(
        folder.resolve().name, unique_labels([names[plain] for plain in classes]), tuple(rows), LICENCE, SOURCE, remarks
    )


def _classes(holder: Path) -> dict[str, tuple[str, list[Path]]]:
    """By `plain_name`: each class folder's own name, and its pictures."""
    found = {plain: (each.name, files) for plain, each in list_folders(holder).items() if (files := list_pictures(each))}
    if not found:
        raise layout_mismatch_error(holder, EXPECTED)
    return found
