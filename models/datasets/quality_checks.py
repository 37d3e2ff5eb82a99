"""Looks through a collection for what would spoil a classifier or its figures: copies, contradictions, and leaks between the parts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from errors import UserError
from models.datasets.batch_decode import parallel_map, read_image
from models.datasets.near_duplicates import PictureFingerprint, find_exact_copies, find_near_duplicates, fingerprint_picture
from models.datasets.picture_collection import CollectionRow, PictureCollection

_SHOWN = 8
_FEW = 10


@dataclass(frozen=True)
class DataWarning:
    """kind: unreadable, leak, groups, contradiction, copies, alike, apart or few. sentence: for a person. cases: each one's files."""

    kind: str
    sentence: str
    cases: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        shown = "".join(f"\n  {' = '.join(case)}" for case in self.cases[:_SHOWN])
        rest = len(self.cases) - _SHOWN
        return f"{self.sentence}{shown}" + (f"\n  and {rest:,} more" if rest > 0 else "")


def fingerprint_collection(
    collection: PictureCollection,
) -> tuple[list[CollectionRow], list[PictureFingerprint], list[tuple[CollectionRow, UserError]]]:
    """The rows whose picture can be read, their fingerprints, and those that cannot, with the reason."""
    rows, prints, failed = [], [], []
    fingerprints = parallel_map(
        lambda number: fingerprint_picture(read_image(collection.rows[number].path)), len(collection.rows), "looking"
    )
    for row, found in zip(collection.rows, fingerprints, strict=True):
        if isinstance(found, UserError):
            failed.append((row, found))
        else:
            rows.append(row)
            prints.append(found)
    return rows, prints, failed


def find_data_warnings(
    collection: PictureCollection, rows: Sequence[CollectionRow], prints: Sequence[PictureFingerprint]
) -> list[DataWarning]:
    """All warnings, most harmful first. Row.split is the part of the split that a picture is in; "" is no part."""
    same, near = find_exact_copies(prints), find_near_duplicates(prints)
    return [
        *_leaks(rows, same, near),
        *_groups(rows),
        *_contradictions(collection, rows, same),
        *_warnings("copies", "Pictures that lie there more than once, pixel for pixel: {}", [_file_names(rows, case) for case in same]),
        *_warnings("alike", "Pairs of pictures that are nearly the same: {}", [_file_names(rows, case) for case in near]),
        *_warnings(
            "apart",
            "The same or nearly the same, but not in one group, so that a split may part them: {}",
            [_file_names(rows, case) for case in [*same, *near] if len({rows[place].group for place in case}) > 1],
        ),
        *_rare_classes(collection),
    ]


def unreadable_picture_warnings(failed: Iterable[tuple[CollectionRow, UserError]]) -> list[DataWarning]:
    """The pictures that cannot be read, with the decoder's reason."""
    return _warnings("unreadable", "Pictures that cannot be read: {}", [(f"{row.path}: {reason}",) for row, reason in failed])


def _leaks(rows: Sequence[CollectionRow], same: Sequence[tuple[int, ...]], near: Sequence[tuple[int, ...]]) -> list[DataWarning]:
    split_cases = [case for case in [*same, *near] if len({rows[place].split for place in case} - {""}) > 1]
    sentence = "LEAK, which makes figures too good: the same or nearly the same picture in two parts: {}"
    return _warnings("leak", sentence, [tuple(f"{rows[place].split}: {rows[place].path.name}" for place in case) for case in split_cases])


def _groups(rows: Sequence[CollectionRow]) -> list[DataWarning]:
    parts: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        parts[row.group].add(row.split)
    conflicts = sorted(group for group, found in parts.items() if len(found - {""}) > 1)
    sentence = "LEAK, which makes figures too good: lesions or patients with pictures in two parts: {}"
    return _warnings("groups", sentence, [(f"{group} in {' and '.join(sorted(parts[group] - {''}))}",) for group in conflicts])


def _contradictions(collection: PictureCollection, rows: Sequence[CollectionRow], same: Sequence[tuple[int, ...]]) -> list[DataWarning]:
    conflicts = [[rows[place] for place in case] for case in same if len({rows[place].label for place in case}) > 1]
    cases = [tuple(f"{collection.labels[row.label].name}: {row.path.name}" for row in case) for case in conflicts]
    return _warnings("contradiction", "The same picture under two classes: {}", cases)


def _rare_classes(collection: PictureCollection) -> list[DataWarning]:
    counts = collection.counts()
    rare = [(f"{name}: {count:,}",) for name, count in counts.items() if count < _FEW]
    return _warnings("few", "Classes of fewer than 10 pictures, too few to learn or to judge by: {}", rare)


def _file_names(rows: Sequence[CollectionRow], case: Sequence[int]) -> tuple[str, ...]:
    return tuple(rows[place].path.name for place in case)


def _warnings(kind: str, sentence: str, cases: Sequence[tuple[str, ...]]) -> list[DataWarning]:
    return [DataWarning(kind, sentence.format(f"{len(cases):,}"), tuple(cases))] if cases else []
