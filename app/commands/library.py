"""Explains many pictures and stores their coarse maps next to the model: what maps of unrelated pictures have in common."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from app.explanation import Explanation, ExplanationPlan, as_explainable_classifier, explain_picture, fit_picture_to_input
from app.model_files import map_library_path, model_identity
from app.options import LibraryOptions
from errors import UserError
from explainers.case import Case, ExplanationSettings
from explainers.grid import Grid
from explainers.methods import METHODS
from explainers.metrics.agreement.control_maps import EDGES, UNTRAINED, control_maps, untrained_twin
from explainers.metrics.agreement.reference_library import (
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
from models.loading import load_classifier
from models.output.atomic_files import atomic_file

if TYPE_CHECKING:
    from models.loading import Served

SAVED_EVERY = 20.0  # seconds of work that an interruption can cost at most
TITLES = (*(method.title for method in METHODS), EDGES, UNTRAINED)
ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def build_map_library(options: LibraryOptions) -> int:
    """Writes the library next to the model; 0, or 1 where some picture could not be read.

    Continues where it was interrupted, and adds to an existing library that was made in the same way.
    """
    files = list_picture_files(options.pictures)
    if len(files) <= MIN_PICTURES:
        raise UserError(f"{options.pictures} holds {len(files)} pictures; a library needs more than {MIN_PICTURES}, better 100 or 200.")
    classifier = load_classifier(options.model, options.trust)
    path = options.out or map_library_path(options.model)
    builder = _Builder.resumed(classifier, _settings(options, classifier), path)
    failed = 0
    with tqdm(total=len(files), desc=path.name, unit=" pictures", disable=options.quiet or None) as bar:
        for file in files:
            failed += not builder.add(file, options.preset)
            bar.update()
    builder.finish()
    for title, count in read_map_library(path).too_few().items():
        need = f"of {len(builder.rows)} pictures only {count} gave a map of {title}, and chance needs more than {MIN_PICTURES}"
        print(f"{path.name}: {need}; what is compared with it rests on shifted copies, which is weaker.", file=sys.stderr)
    if not options.quiet:
        print(f"Written to {path}: maps of {len(builder.rows)} pictures.")
    return int(failed > 0)


def _settings(options: LibraryOptions, classifier: "Served") -> dict[str, Any]:
    case = Case(
        as_explainable_classifier(classifier),
        np.zeros((*classifier.size, 3), np.float32),
        Score(0),
        ExplanationSettings(preset=options.preset),
    )
    return map_library_settings(case, model_identity(options.model, classifier))


def list_picture_files(folder: Path) -> list[Path]:
    """The picture files of a folder and of those in it, by name. UserError where it is no folder."""
    if not folder.is_dir():
        raise UserError(f"--pictures is {folder}, which is no folder; give a folder of pictures like those to be explained.")
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)


@dataclass
class _Builder:
    """A library under construction. rows: digest of a picture -> its maps. saved: when, as `time.monotonic` gives it."""

    classifier: "Served"
    untrained: Any
    made_with: dict[str, Any]
    path: Path
    rows: dict[str, dict[str, Grid]]
    saved: float

    @classmethod
    def resumed(cls, classifier: "Served", made_with: dict[str, Any], path: Path) -> "_Builder":
        builder = cls(classifier, untrained_twin(as_explainable_classifier(classifier)), made_with, path, {}, time.monotonic())
        for file in (path, builder.unfinished):
            if file.is_file() and (earlier := read_map_library(file)).made_with == made_with:
                builder.rows |= {name: dict(_row(earlier, number)) for number, name in enumerate(earlier.pictures)}
        return builder

    @property
    def unfinished(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")

    def add(self, file: Path, preset: str) -> bool:
        """Explains one picture with every method unless the library holds it; False where it cannot be read."""
        try:
            picture = fit_picture_to_input(file.read_bytes(), self.classifier.card)
        except (UserError, OSError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            return False
        name = image_digest(picture.image)
        if name not in self.rows:
            plan = ExplanationPlan([method() for method in METHODS], ExplanationSettings(preset=preset), Score)
            explanation = explain_picture(picture, self.classifier, plan)
            self.rows[name] = {**_maps(explanation), **control_maps(explanation.case, self.untrained)}
            if time.monotonic() - self.saved > SAVED_EVERY:
                self._save(self.unfinished)
        return True

    def finish(self) -> None:
        """Replaces the library at `path`. UserError where there are too few pictures."""
        if len(self.rows) <= MIN_PICTURES:
            raise UserError(f"Only {len(self.rows)} different pictures could be read; a library needs more than {MIN_PICTURES}.")
        self._save(self.path)
        self.unfinished.unlink(missing_ok=True)

    def _save(self, path: Path) -> None:
        cells = int(self.made_with["cells"])
        with atomic_file(path) as file:
            write_map_library(
                MapLibrary(self.made_with, tuple(self.rows), stack_maps_by_method(list(self.rows.values()), TITLES, cells)), file
            )
        self.saved = time.monotonic()


def _maps(explanation: Explanation) -> dict[str, Grid]:
    """Title -> (G, G) positive share of every method that has one."""
    found = {result.method.title: evidence_on_grid(result, explanation.case.size) for result in explanation.results.values()}
    return {title: each.share for title, each in found.items() if each is not None and each.share is not None}


def _row(library: MapLibrary, number: int) -> Iterator[tuple[str, Grid]]:
    for title, rows in library.maps.items():
        if np.isfinite(rows[number]).all():
            yield title, rows[number].astype(np.float64)
