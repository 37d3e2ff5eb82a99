"""A collection: the pictures of a data set with their classes and groups."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from errors import UserError
from models.cards.card import ClassLabel

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class CollectionRow:
    """One picture of a collection, with its class and its group.

    label: its class, an index into the collection's labels. group: what it shares with other pictures of the same
    lesion or patient, so that a split keeps them together. split: "train", "validation" or "test" where the layout fixes
    it, else "". metadata: (field, value) pairs; None where the value is missing.
    """

    path: Path
    label: int
    group: str
    split: str = ""
    metadata: tuple[tuple[str, float | str | None], ...] = ()


@dataclass(frozen=True)
class PictureCollection:
    """Pictures with their classes, and under which licence and from where they come.

    remarks: what its reader left out and why, in sentences.
    """

    name: str
    labels: tuple[ClassLabel, ...]
    rows: tuple[CollectionRow, ...]
    licence: str
    source: str
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.rows:
            raise UserError(f"The collection {self.name} holds no picture; name a folder that does.")
        last = len(self.labels) - 1
        for row in self.rows:
            if not 0 <= row.label <= last:
                raise UserError(f"{row.path.name} is of class {row.label}; the collection {self.name} has classes 0 to {last}.")
            if row.split not in ("", *SPLITS):
                raise UserError(f"{row.path.name} is of the part {row.split!r}; parts are {', '.join(SPLITS)}.")

    def counts(self) -> dict[str, int]:
        """How many pictures each class has, in the order of the labels."""
        found = Counter(row.label for row in self.rows)
        return {label.name: found[number] for number, label in enumerate(self.labels)}
