"""What agreement above chance says of real pictures, and what raw similarity hides: `python -m benchmarks.dermoscopy --model MODEL`.

Dermoscopy photographs (HAM10000) in front of a classifier that `python -m models.train dermoscopy` made: as many of each class, one of a
lesion, from the pictures it was tested on where its split lies split_file it. Every picture's chance is drawn from the maps of all others.
Without --model an ImageNet network stands in, which knows no skin: its tables show the form and no more.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from app.masks import load_region_mask
from benchmarks.agreement_checks import picture_tables
from benchmarks.shared.data import MODEL, required_data
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import Grid, grid_cells_per_side
from explainers.method_runner import deterministic_results, run_methods
from explainers.methods import SEVEN
from explainers.metrics.agreement.consistency import MapConsistency, ReferenceMaps, consistency_from_maps
from explainers.metrics.agreement.control_maps import EDGES, UNTRAINED, control_maps, untrained_twin
from explainers.metrics.agreement.reference_library import MapLibrary, image_digest, stack_maps_by_method
from explainers.metrics.agreement.significance import MIN_PICTURES
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid
from explainers.metrics.localisation.evidence_overlap import LocalisationScore, score_localisation
from explainers.metrics.robustness.reliability import ReliabilityScore, RepeatedMaps, half_run_maps, maps_under_noise, reliability_scores
from models.classifiers.score import Score
from models.datasets import splits
from models.datasets.layouts import ham10000
from models.datasets.picture_collection import CollectionRow
from models.images.decoder import decode_picture
from models.loading import find_model_file, load_classifier

DATA = "ham10000"


@dataclass(frozen=True)
class ExplainedPicture:
    """One picture. readings, stable: by title. located: localisation against the lesion's mask; None where that is not meaningful."""

    name: str
    found: Sequence[MapEvidence]
    readings: dict[str, RepeatedMaps]
    stable: dict[str, ReliabilityScore]
    controls: dict[str, Grid]
    located: list[LocalisationScore] | None
    area: float
    target: int


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="MODEL", help="a dermoscopy classifier; an ImageNet network where none is named")
    parser.add_argument("--pictures", type=int, default=40, help="(40; the recorded tables are of 200)")
    parser.add_argument("--preset", default="Balanced")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of pictures (0)")
    chosen = parser.parse_args()
    folder = required_data(DATA)
    name = chosen.model or str(required_data(*MODEL))
    classifier: Any = load_classifier(name)
    rows, part = _rows(folder, name, chosen.pictures, chosen.seed)
    explained, right = [], []
    twin = untrained_twin(classifier)
    for row in tqdm(rows, desc=DATA, disable=None):
        each, target = _explain(row, folder, classifier, twin, ExplanationSettings(preset=chosen.preset))
        explained.append(each)
        right.append(classifier.labels[target] == ham10000.LABELS[row.label].name)
    print(machine_line())
    print(f"{len(rows)} pictures of HAM10000 ({part}), {classifier.card.name}, {chosen.preset}; {np.mean(right):.2f} named rightly")
    consistencies = _consistencies(explained, grid_cells_per_side(classifier.size))
    if not any(found.weighed for found in consistencies):
        print(f"Agreement beyond chance cannot be told from so few pictures; it takes {MIN_PICTURES + 1}.")
        return
    picture_tables.print_families(consistencies)
    picture_tables.print_pairs(consistencies)
    picture_tables.print_hidden(consistencies)
    picture_tables.print_methods(consistencies)
    picture_tables.print_located([each.located for each in explained if each.located], [each.area for each in explained if each.located])


def _rows(folder: Path, model: str, count: int, seed: int) -> tuple[list[CollectionRow], str]:
    """As many pictures of each class as there are, one of a lesion, by chance; and in words where they come from."""
    collection = ham10000.read_dataset_folder(folder)
    split_file = find_model_file(Path(model)).with_name("split.csv")
    held_out = splits.read_data_split(split_file, collection).test if split_file.is_file() else collection.rows
    rng = np.random.default_rng(seed)
    mixed = [held_out[number] for number in rng.permutation(len(held_out))]
    first_of_lesion = list({row.group: row for row in reversed(mixed)}.values())
    classes = [[row for row in first_of_lesion if row.label == label] for label in range(len(collection.labels))]
    turns = [rows[turn] for turn in range(len(first_of_lesion)) for rows in classes if turn < len(rows)]
    if not 1 < count <= len(turns):
        raise UserError(f"--pictures is {count}; it must lie from 2 to {len(turns)}, the lesions there are.")
    return turns[:count], "not trained on" if split_file.is_file() else "from the whole collection"


def _explain(row: CollectionRow, folder: Path, classifier: Any, twin: Any, settings: ExplanationSettings) -> tuple[ExplainedPicture, int]:
    """The seven maps of the most probable class, everything that the agreement needs of them, and that class."""
    picture = decode_picture(row.path.read_bytes())
    image = classifier.fit(picture)
    target = int(classifier.predict(image).argmax())
    case = Case(classifier, image, Score(target), settings)
    results = list({result.method.title: result for result in run_methods(case, [method() for method in SEVEN])}.values())
    readings = {result.method.title: half_run_maps(result, case.size) for result in results}
    known = {title: each for title, each in readings.items() if each is not None}
    known |= dict(maps_under_noise(case, [result.method for result in deterministic_results(results)]))
    found = [each for each in (evidence_on_grid(result, case.size) for result in results) if each is not None]
    try:
        inside = load_region_mask(folder / "masks", row.path, picture.shape[:2], classifier.fit).inside
        located, area = score_localisation(results, case.size, inside), float(inside.mean())
    except UserError as no_use:
        print(f"Not located: {no_use}", file=sys.stderr)
        located, area = None, 1.0
    stable = reliability_scores(results, known)
    return ExplainedPicture(image_digest(image), found, known, stable, control_maps(case, twin), located, area, target), target


def _consistencies(explained: Sequence[ExplainedPicture], cells: int) -> list[MapConsistency]:
    """Every picture against all others."""
    rows = [{each.title: each.share for each in one.found if each.share is not None} | one.controls for one in explained]
    titles = [*(method.title for method in SEVEN), EDGES, UNTRAINED]
    pictures, classes = tuple(one.name for one in explained), tuple(one.target for one in explained)
    library = MapLibrary({}, pictures, stack_maps_by_method(rows, titles, cells), classes)
    return [
        consistency_from_maps(one.found, one.readings, one.stable, ReferenceMaps(library, one.name, one.controls, one.target))
        for one in explained
    ]


if __name__ == "__main__":
    sys.exit(run_benchmark("dermoscopy", main))
