"""Builds the library of a model: the coarse maps of many pictures, picture by picture, so that it can stop and go on at any time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.explanation import as_explainable_classifier, fit_picture_to_input
from app.model_files import model_identity
from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import Grid
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from explainers.metrics.agreement.control_maps import EDGES, UNTRAINED, control_maps, untrained_twin
from explainers.metrics.agreement.reference_library import (
    UNKNOWN,
    MapLibrary,
    image_digest,
    map_library_settings,
    read_map_library,
    stack_maps_by_method,
    write_map_library,
)
from explainers.metrics.agreement.significance import MIN_PICTURES
from explainers.metrics.agreement.similarity import evidence_on_grid
from models.classifiers.score import Score
from models.output.atomic_files import atomic_file

if TYPE_CHECKING:
    from models.loading import Served

SAVED_EVERY = 20.0  # seconds of work that an interruption can cost at most
TITLES = (*(method.title for method in METHODS), EDGES, UNTRAINED)
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def list_picture_files(folder: Path) -> list[Path]:
    """The picture files of a folder and of those in it, by name. UserError where it is no folder."""
    if not folder.is_dir():
        raise UserError(f"--pictures is {folder}, which is no folder; give a folder of pictures like those to be explained.")
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)


@dataclass
class LibraryBuilder:
    """A library under construction. rows: digest of a picture -> its maps. classes: digest -> the class that they explain.

    explained: made from a classifier that may have to give way to visitors; `classifier` itself reads the pictures.
    saved: when, as `time.monotonic` gives it.
    """

    classifier: "Served"
    explained: Any
    untrained: Any
    made_with: dict[str, Any]
    path: Path
    rows: dict[str, dict[str, Grid]]
    classes: dict[str, int]
    saved: float

    @classmethod
    def resumed(cls, classifier: "Served", model: str, preset: str, path: Path, explained: Any = None) -> "LibraryBuilder":
        """Goes on from the library at `path`, or from an unfinished one, where it was made in the same way. explained: see the class."""
        plain = as_explainable_classifier(classifier)
        case = Case(plain, np.zeros((*classifier.size, 3), np.float32), Score(0), ExplanationSettings(preset=preset))
        made_with = map_library_settings(case, model_identity(model, classifier))
        builder = cls(classifier, explained or classifier, untrained_twin(plain), made_with, path, {}, {}, time.monotonic())
        for file in (path, builder.unfinished):
            if file.is_file() and (earlier := read_map_library(file)).made_with == made_with:
                builder.rows |= {name: dict(_row(earlier, number)) for number, name in enumerate(earlier.pictures)}
                known = zip(earlier.pictures, earlier.classes, strict=False)
                builder.classes |= {name: target for name, target in known if target != UNKNOWN}
        return builder

    @property
    def unfinished(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    def add(self, file: Path) -> bool:
        """Explains one picture with every method unless the library holds it, and finds its class; False where it was there already.

        Of a picture whose class alone is missing only that is evaluated. UserError, OSError where it cannot be read.
        """
        picture = fit_picture_to_input(file.read_bytes(), self.classifier.card)
        name = image_digest(picture.image)
        if name in self.rows and name in self.classes:
            return False
        if name not in self.classes:
            self.classes[name] = int(self.explained.outputs(picture.image[None])[0].argmax())
        if name not in self.rows:
            settings = ExplanationSettings(preset=str(self.made_with["preset"]))
            case = Case(self.explained, picture.image, Score(self.classes[name]), settings)
            self.rows[name] = {**_maps(case), **control_maps(case, self.untrained)}
        if time.monotonic() - self.saved > SAVED_EVERY:
            self._save(self.unfinished)
        return True

    def finish(self) -> MapLibrary:
        """Replaces the library at `path`, and returns it. UserError where there are too few pictures."""
        if len(self.rows) <= MIN_PICTURES:
            raise UserError(f"Only {len(self.rows)} different pictures could be read; a library needs more than {MIN_PICTURES}.")
        self._save(self.path)
        self.unfinished.unlink(missing_ok=True)
        return read_map_library(self.path)

    def _save(self, path: Path) -> None:
        maps = stack_maps_by_method(list(self.rows.values()), TITLES, int(self.made_with["cells"]))
        classes = tuple(self.classes.get(name, UNKNOWN) for name in self.rows)
        with atomic_file(path) as file:
            write_map_library(MapLibrary(self.made_with, tuple(self.rows), maps, classes), file)
        self.saved = time.monotonic()


def _maps(case: Case) -> dict[str, Grid]:
    """Title -> (G, G) positive share of every method that has one."""
    results = run_methods(case, [method() for method in METHODS])
    found = {result.method.title: evidence_on_grid(result, case.size) for result in results}
    return {title: each.share for title, each in found.items() if each is not None and each.share is not None}


def _row(library: MapLibrary, number: int) -> Iterator[tuple[str, Grid]]:
    for title, rows in library.maps.items():
        if np.isfinite(rows[number]).all():
            yield title, rows[number].astype(np.float64)
