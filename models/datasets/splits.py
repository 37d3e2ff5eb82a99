"""Splits a collection into training, validation and test pictures, so that no lesion or patient is in two parts."""

import csv
import hashlib
import math
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.datasets.batch_decode import parallel_map
from models.datasets.folder_listing import read_csv_rows
from models.datasets.picture_collection import SPLITS, CollectionRow, PictureCollection
from models.output.atomic_files import replace_durably

COLUMNS = ("part", "label", "group", "path")


@dataclass(frozen=True)
class DataSplit:
    """The three parts of a collection; each picture is in one of them, each group in one."""

    train: tuple[CollectionRow, ...]
    validation: tuple[CollectionRow, ...]
    test: tuple[CollectionRow, ...]


def split_collection(collection: PictureCollection, shares: tuple[float, float, float], seed: int) -> DataSplit:
    """shares: of training, validation and test, summing to 1. Stratified by class, as far as groups allow.

    A validation or test part that the layout fixes is kept; the rest is split among the other parts, in proportion to their
    shares. The same collection, shares and seed give the same split. Groups are assigned in order of size, the largest first,
    each to the part that lacks most of its classes.
    """
    if min(shares) < 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6) or shares[0] == 0:
        raise UserError(
            f"The shares are {', '.join(f'{share:g}' for share in shares)}; training must have some, and they must add up to 1."
        )
    fixed = {row.split for row in collection.rows} & {"validation", "test"}
    loose = [row for row in collection.rows if row.split not in fixed]
    if not loose:
        raise UserError(f"The collection {collection.name} has {' and '.join(sorted(fixed))} pictures only; none is left to train on.")
    parts = {part: [row for row in collection.rows if row.split == part] for part in SPLITS if part in fixed}
    open_shares = {part: share for part, share in zip(SPLITS, shares, strict=True) if part not in fixed}
    for row, part in zip(loose, _assign(loose, open_shares, seed, len(collection.labels)), strict=True):
        parts.setdefault(part, []).append(row)
    split_ = DataSplit(*(tuple(parts.get(part, ())) for part in SPLITS))
    _check_groups(split_)
    return split_


def write_split(split_: DataSplit, path: Path) -> None:
    """Writes CSV: part, label, group, and the picture's path relative to their common folder."""
    root = _root([*split_.train, *split_.validation, *split_.test])
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for part in SPLITS:
            rows.writerows((part, row.label, row.group, row.path.relative_to(root).as_posix()) for row in getattr(split_, part))
    replace_durably((unfinished, path))


def read_data_split(path: Path, collection: PictureCollection) -> DataSplit:
    """The split that `write_split` wrote. UserError where it is not of exactly this collection's pictures and classes."""
    root = _root(collection.rows)
    known = {row.path.relative_to(root).as_posix(): row for row in collection.rows}
    parts: dict[str, list[CollectionRow]] = {part: [] for part in SPLITS}
    for entry in read_csv_rows(path, COLUMNS):
        row = known.pop(entry["path"], None)
        if row is None:
            raise UserError(f"{path} names {entry['path']}, which {root} does not hold, or names it twice; make the split again.")
        if entry["label"] != str(row.label) or entry["group"] != row.group or entry["part"] not in parts:
            found = f"part {entry['part']!r}, class {entry['label']!r} and group {entry['group']!r}"
            raise UserError(
                f"{path} gives {entry['path']} {found}; the folder says class {row.label}, group {row.group!r}. "
                "Give the --group that it was made with, or make it again."
            )
        parts[entry["part"]].append(row)
    if known:
        raise UserError(f"{path} lacks {len(known):,} of the folder's pictures, {next(iter(known))} among them; make the split again.")
    split_ = DataSplit(*(tuple(parts[part]) for part in SPLITS))
    _check_groups(split_)
    return split_


def class_frequencies(rows: Sequence[CollectionRow], classes: int) -> tuple[float, ...]:
    """The share of each class; rows must not be empty."""
    counts = np.bincount([row.label for row in rows], minlength=classes)
    return tuple(float(count) / len(rows) for count in counts)


def split_fingerprint(split_: DataSplit) -> str:
    """The number of pictures in each part, and a hash of file contents, relative paths, classes, groups and metadata, so that a copy of
    the folder has the same fingerprint. UserError for a missing file."""
    rows = [(part, row) for part in SPLITS for row in getattr(split_, part)]
    root = _root([row for _, row in rows])
    held = list(parallel_map(lambda number: _digest(rows[number][1].path), len(rows), "recognising pictures"))
    parts = []
    for (part, row), digest in zip(rows, held, strict=True):
        if isinstance(digest, UserError):
            raise digest
        parts.append((part, row.path.relative_to(root).as_posix(), digest, row.label, row.group, row.metadata))
    counts = " + ".join(f"{len(getattr(split_, part)):,}" for part in SPLITS)
    return f"{counts} ({hashlib.sha256(repr(parts).encode()).hexdigest()[:12]})"


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"The picture {file} cannot be read any more ({error.strerror}); put it back or start over.") from error


def _assign(rows: list[CollectionRow], shares: dict[str, float], seed: int, classes: int) -> list[str]:
    """The part of each row."""
    groups: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(classes, np.int64))
    for row in rows:
        groups[row.group][row.label] += 1
    total = np.maximum(sum(groups.values()), 1)
    parts = list(shares)
    lacking = np.outer(np.array(list(shares.values())) / sum(shares.values()), total)  # (parts, classes) pictures
    names = sorted(groups)
    mixed = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    home = {}
    for name in sorted(mixed, key=lambda name: -groups[name].sum()):
        chosen = int((lacking @ (groups[name] / total)).argmax())
        lacking[chosen] -= groups[name]
        home[name] = parts[chosen]
    return [home[row.group] for row in rows]


def _check_groups(split_: DataSplit) -> None:
    seen: dict[str, str] = {}
    for part in SPLITS:
        for row in getattr(split_, part):
            if seen.setdefault(row.group, part) != part:
                raise UserError(
                    f"Pictures of {row.group} are in {seen[row.group]} and in {part}; a lesion or patient may be in one part only."
                )


def _root(rows: list[CollectionRow] | tuple[CollectionRow, ...]) -> Path:
    return Path(os.path.commonpath([row.path.parent for row in rows]))
