"""Whether Occlusion is right when it says that it has converged: `python -m benchmarks.reliability occlusion` prints the table."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from tqdm import tqdm

from benchmarks.known_evidence.phantoms import decisive_phantoms
from benchmarks.shared.data import MODEL, PHOTOGRAPHS, required_data
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import sum_map_onto_grid
from explainers.method import Attribution
from explainers.methods.occlusion import Occlusion
from explainers.perturbation.convergence import ENOUGH_AGREEMENT
from models.classifiers.score import Score
from models.images.decoder import decode_picture
from models.loading import load_classifier
from models.output.markdown import markdown_table

BUDGETS = (("Fast", 27), ("Fast", 31), ("Fast", 40), ("Fast", 120), ("Balanced", 500))
"""Preset and budget: Fast needs 76, so the first three cut its step short."""
XRAYS, PHANTOMS = 6, 24
"""Pictures of each class, and phantoms."""

HEAD = (
    *("pictures", "evaluations", "maps", "Spearman with Thorough: least, median", "predicted: median"),
    *("converged", "rightly", "not", "rightly"),
)

Row = tuple[float, float, bool]
"""Spearman with Thorough's map, the predicted correlation, whether it reports convergence."""


def print_claims() -> None:
    """For each kind of picture and budget: how near the maps are to Thorough's, what they say of it, and how often that is right."""
    found: dict[tuple[str, str], list[Row]] = {}
    for kind, cases in (("X-rays", _xrays()), ("photographs", _photographs()), ("phantoms", _phantoms())):
        for case in tqdm(cases, desc=kind, disable=None):
            for name, row in _rows(case):
                found.setdefault((kind, name), []).append(row)
    table = [(kind, name, *_summary(rows)) for (kind, name), rows in found.items()]
    whole = [row for (_, name), rows in found.items() if "cut" not in name for row in rows]
    print(markdown_table(HEAD, [*table, ("all, whole steps", "", *_summary(whole))]))


def _summary(rows: list[Row]) -> tuple[str, ...]:
    reached, predicted = np.array([row[:2] for row in rows]).T
    says, near = np.array([row[2] for row in rows]), reached >= ENOUGH_AGREEMENT
    counts = (says.sum(), (says & near).sum(), (~says).sum(), (~says & ~near).sum())
    return str(len(rows)), f"{reached.min():.2f}, {np.median(reached):.2f}", f"{np.median(predicted):.2f}", *map(str, counts)


def _rows(case: Case) -> Iterator[tuple[str, Row]]:
    """One picture's maps, all from the same remembered answers."""
    best = _last(case, ExplanationSettings("Thorough"))
    for preset, budget in BUDGETS:
        found = _last(case, ExplanationSettings(preset, budget=budget))
        here, there = (sum_map_onto_grid(each.values, case.size).ravel() for each in (found, best))
        assert found.uncertainty is not None
        name = f"{preset}, cut at {budget}" if budget < 76 else preset
        yield name, (float(spearmanr(here, there).statistic), 1 - found.uncertainty, found.converged)


def _last(case: Case, settings: ExplanationSettings) -> Attribution:
    other = case.with_score(case.score)
    other.settings = settings
    return list(Occlusion()(other))[-1]


def _xrays() -> Iterator[Case]:
    folders = [required_data("chest_xray", "test", label) for label in ("NORMAL", "PNEUMONIA")]
    return _of_files(load_classifier("chest_xray"), [path for folder in folders for path in sorted(folder.iterdir())[: 10 * XRAYS : 10]])


def _photographs() -> Iterator[Case]:
    return _of_files(load_classifier(required_data(*MODEL)), sorted(required_data(PHOTOGRAPHS).glob("*.jpg")))


def _phantoms() -> Iterator[Case]:
    classifier: Any = load_classifier("phantoms")
    for picture in islice(decisive_phantoms(classifier, PHANTOMS), PHANTOMS):
        yield Case(classifier, picture.image, Score(picture.target))


def _of_files(classifier: Any, files: list[Path]) -> Iterator[Case]:
    """Explaining the first class of each picture."""
    for path in files:
        image = classifier.fit(decode_picture(path.read_bytes()))
        yield Case(classifier, image, Score(int(classifier.outputs(image[None])[0].argmax())))
