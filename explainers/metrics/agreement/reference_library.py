"""Maps of many other pictures in front of the same classifier: what its methods show by habit, whatever the picture."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import Grid, grid_cells_per_side
from explainers.methods import METHODS
from explainers.metrics.agreement.significance import MIN_PICTURES
from explainers.metrics.agreement.similarity_batch import MapBatch
from plain_arrays import read_arrays

MUST_MATCH = ("model", "cells", "fill")
"""A library made otherwise in one of these speaks of other maps."""
FIRST_DIGESTS = {
    "Grad-CAM": "26ad8148",
    "Grad-CAM++": "26ad8148",
    "Score-CAM": "c33bd27b",
    "LIME": "26ad8148",
    "SHAP": "34593c22",
    "Occlusion (smoothed)": "60921548",
    "Integrated Gradients": "48c9e4fd",
    "HiResCAM": "26ad8148",
    "RISE": "26ad8148",
    "Partition SHAP": "4a37d1bc",
}
"""Title -> what a library written before methods had a revision holds in its place where it was made by revision 1."""
RENAMED = {"Occlusion": "Occlusion (smoothed)"}
"""Titles in earlier libraries -> today's of the same maps."""
MAX_STACKS = 48
"""Stacks that a library keeps ready: a few pictures' of every method; of 200 pictures each takes some 2 MB."""
FORMAT = 2
"""Of the file. 1: maps alone. 2: the class that each picture's maps explain."""
UNKNOWN = -1
"""The class of a picture of which only maps are known."""
REBUILD = "run python -m app library again with the same pictures; maps that are still valid are kept"


@dataclass(frozen=True)
class MapsOfOtherPictures:
    """One method's maps of other pictures. rows: (k,) where each of the k maps stands in the library."""

    batch: MapBatch
    rows: NDArray[np.intp]


@dataclass(frozen=True)
class MapLibrary:
    """Positive shares on the common grid, and how they were made.

    made_with: the model's sha256, cells a side, fill, further settings and each method's revision, as `map_library_settings` gives them.
    pictures: digests. maps: title of a method or control -> (n, G, G), a row a picture, not-a-number where it had no positive
    evidence.
    classes: the class that each picture's maps explain, -1 where it is not known; empty in format 1.
    """

    made_with: Mapping[str, Any]
    pictures: tuple[str, ...]
    maps: Mapping[str, NDArray[np.float32]]
    classes: tuple[int, ...] = ()
    _stacks: dict[tuple[str, str], MapsOfOtherPictures | None] = field(default_factory=dict, repr=False, compare=False)

    def others(self, title: str, without: str = "") -> MapsOfOtherPictures | None:
        """The maps of one method, less those of the picture whose digest is `without`; None with fewer than 30."""
        key = (title, without if without in self.pictures else "")
        if key not in self._stacks:
            if len(self._stacks) >= MAX_STACKS:
                del self._stacks[next(iter(self._stacks))]
            self._stacks[key] = self._stacked(title, without)
        return self._stacks[key]

    def _stacked(self, title: str, without: str) -> MapsOfOtherPictures | None:
        rows = self.maps.get(title, ())
        kept = [
            number
            for number, (row, name) in enumerate(zip(rows, self.pictures, strict=False))
            if name != without and np.isfinite(row).all()
        ]
        return MapsOfOtherPictures(MapBatch.of([rows[number] for number in kept]), np.array(kept)) if len(kept) >= MIN_PICTURES else None

    @property
    def outdated(self) -> str:
        """What the library lacks because an earlier version wrote it, and how to rebuild it; empty where it lacks nothing."""
        if UNKNOWN not in self.classes and len(self.classes) == len(self.pictures):
            return ""
        return f"The library of other pictures is of an earlier format, which knows no classes: {REBUILD}."

    def too_few(self) -> dict[str, int]:
        """Methods and controls with too few maps to estimate chance from, and how many maps they have.

        One more than 30 is needed: the picture that is explained may be among them.
        """
        counts = {title: int(np.isfinite(rows).all((1, 2)).sum()) for title, rows in self.maps.items()}
        return {title: count for title, count in counts.items() if count <= MIN_PICTURES}

    def mismatch(self, made_with: Mapping[str, Any]) -> str:
        """Why the library cannot serve a case of these settings; empty where it can."""
        for name in MUST_MATCH:
            if self.made_with.get(name) != made_with.get(name):
                here, there = (str(settings.get(name))[:12] for settings in (made_with, self.made_with))
                return f"The library of other pictures was made with another {name} ({there}, here {here}): {REBUILD}."
        return ""

    def differences(self, made_with: Mapping[str, Any]) -> tuple[str, ...]:
        """Other settings in which it was made otherwise, and methods that have changed since, in words; it serves all the same."""
        names = [name for name in self.made_with if name not in (*MUST_MATCH, "methods") and name in made_with]
        others = [f"{name} {self.made_with[name]}" for name in names if self.made_with[name] != made_with[name]]
        if "methods" not in self.made_with:
            return (*others, "methods of an earlier version")
        now, then = made_with["methods"], self.made_with["methods"]
        return (*others, *(f"another {title}" for title in now if title in then and then[title] != now[title]))


def map_library_settings(case: Case, model: str | None) -> dict[str, Any]:
    """What a library has to remember of how its maps were made. model: the sha256 of the weights, or another name that stands for them."""
    return {
        "model": model,
        "cells": grid_cells_per_side(case.size),
        "fill": case.settings.fill,
        "preset": case.settings.preset,
        "segments": case.settings.segments,
        "score": case.score.kind,
        "methods": {method.title: method.revision for method in METHODS},
    }


def image_digest(image: Floats) -> str:
    """16 letters that stand for a fitted picture."""
    return hashlib.sha256(np.round(image * 255).astype(np.uint8).tobytes()).hexdigest()[:16]


def write_map_library(library: MapLibrary, file: BinaryIO) -> None:
    """Writes an .npz of float16, in the newest format: each map is kept as its cells' ratio to an even map's."""
    arrays = {f"maps/{title}": (rows * rows.shape[1] * rows.shape[2]).astype(np.float16) for title, rows in library.maps.items()}
    classes = np.array(library.classes or [UNKNOWN] * len(library.pictures), np.int32)
    settings = json.dumps(dict(library.made_with))
    np.savez_compressed(file, format=FORMAT, made_with=settings, pictures=np.array(library.pictures, "U16"), classes=classes, **arrays)


def read_map_library(path: Path) -> MapLibrary:
    """The library that `write_map_library` wrote. UserError where the file is no library."""
    try:
        arrays = read_arrays(path)
        written = int(arrays.get("format", np.array(1)))
        classes = tuple(int(each) for each in arrays.get("classes", ()))
        made_with, pictures = _with_revisions(json.loads(str(arrays["made_with"]))), tuple(str(name) for name in arrays["pictures"])
        titles = {name: name.removeprefix("maps/") for name in arrays if name.startswith("maps/")}
        maps = {RENAMED.get(title, title): _shares(arrays[name]) for name, title in titles.items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path.name} is no library of maps ({type(error).__name__}); delete it, or make it again.") from error
    if written > FORMAT:
        raise UserError(f"{path.name} is of format {written}, and this version reads up to {FORMAT}; update, or make the library again.")
    if any(len(rows) != len(pictures) or rows.ndim != 3 for rows in maps.values()) or len(classes) not in (0, len(pictures)):
        raise UserError(f"{path.name} is no library of maps: its arrays do not fit together; delete it, or make it again.")
    return MapLibrary(made_with, pictures, maps, classes)


def stack_maps_by_method(rows: Sequence[Mapping[str, Grid]], titles: Sequence[str], cells: int) -> dict[str, NDArray[np.float32]]:
    """One mapping of title -> (G, G) a picture -> title -> (n, G, G); what is missing is not-a-number."""
    nothing = np.full((cells, cells), np.nan)
    return {title: np.stack([row.get(title, nothing) for row in rows]).astype(np.float32) for title in titles}


def _with_revisions(made_with: dict[str, Any]) -> dict[str, Any]:
    """The same with a revision for each method where an older library holds a digest: 1, or 0 where the digest is not of revision 1."""
    if "methods" not in made_with:
        return made_with
    methods = [(RENAMED.get(title, title), recorded) for title, recorded in made_with["methods"].items()]
    return {**made_with, "methods": {title: _revision_of(title, recorded) for title, recorded in methods}}


def _revision_of(title: str, recorded: int | str) -> int:
    return recorded if isinstance(recorded, int) else int(FIRST_DIGESTS.get(title) == recorded)


def _shares(kept: NDArray[np.float16]) -> NDArray[np.float32]:
    rows = kept.astype(np.float64)
    sums = rows.sum((1, 2), keepdims=True)
    return np.asarray(np.divide(rows, sums, out=np.full(rows.shape, np.nan), where=sums > 0), np.float32)
