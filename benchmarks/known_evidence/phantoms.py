"""Lesion phantoms: the share of every map in the evidence and near it, and whether it points there."""

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.known_evidence.rows import NEAR, RANDOM, Goal, Row, at_least, baselines, mean, measure_map, random_goal, table_cells
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from explainers.metrics.localisation.evidence_overlap import dilate_mask
from models.classifiers.score import Score
from models.datasets.synthetic.phantoms import PhantomPicture, draw_phantom, phantom_without_evidence
from models.loading import load_classifier
from models.output.markdown import markdown_table

FIRST_SEED = 700_000
GOALS = {"Grad-CAM": 0.60, "Integrated Gradients": 0.65, "Occlusion (smoothed)": 0.60, "LIME": 0.60, "SHAP": 0.60}
HEAD = ("map", "energy in the evidence", "energy near it", "points near it", "blank", "converged", "evaluations")
MASK = "lesion mask"


def decisive_phantoms(classifier: Any, count: int) -> Iterator[PhantomPicture]:
    """Phantoms of classes with evidence, classified correctly, whose predicted class changes when the evidence is removed."""
    seed, found = FIRST_SEED, 0
    while found < count:
        picture = draw_phantom(seed, 1 + seed % 3)
        both = np.stack([picture.image, phantom_without_evidence(picture).image])
        answer, without = classifier.outputs(both).argmax(axis=1)
        seed += 1
        if answer == picture.target and without != picture.target:
            found += 1
            yield picture


def print_phantoms(count: int, settings: ExplanationSettings) -> list[Goal]:
    """Prints the table of phantoms; gives the goals."""
    classifier: Any = load_classifier("phantoms")
    rows: dict[str, list[Row]] = defaultdict(list)
    areas = []
    started = time.perf_counter()
    for picture in tqdm(decisive_phantoms(classifier, count), total=count, desc="phantoms", disable=None):
        side = NEAR * len(picture.image)
        near = dilate_mask(picture.evidence, side)
        areas.append((picture.evidence.mean(), near.mean()))
        case = Case(classifier, picture.image, Score(picture.target), settings)
        for title, values in baselines(picture.seed, picture.lesion, case).items():
            rows[MASK if title == "mask" else title].append(measure_map(values, picture.evidence, near, side))
        for result in (r for r in run_methods(case, [method() for method in METHODS]) if r.done):
            found = result.attribution
            if found is None:
                raise SystemExit(f"{result.method.title} failed: {result.error}")
            known = {"evaluations": result.evaluations + result.shared, "converged": found.converged}
            rows[result.method.title].append(measure_map(found.values, picture.evidence, near, side, **known))
    inside, near_area = np.mean(areas, axis=0)
    seconds = time.perf_counter() - started
    print(f"\n{count} phantoms, {settings.preset}, {seconds:.0f} s; evidence {inside:.3f}, near it {near_area:.3f} of the area\n")
    print(markdown_table(HEAD, (table_cells(title, found, ("inside", "near", "points")) for title, found in rows.items())))
    return phantom_goals({title: mean(row.near for row in found) for title, found in rows.items()}, float(near_area))


def phantom_goals(near: dict[str, float], area: float) -> list[Goal]:
    """near: of each map and baseline, the share of its energy near the evidence, which is `area` of the picture."""
    goals = [at_least(title, near[title], goal, "near the evidence") for title, goal in GOALS.items()]
    goals += [
        Goal(f"{method.title} {near[method.title]:.3f}, the lesion mask {near[MASK]:.3f}", near[method.title] >= near[MASK])
        for method in METHODS
    ]
    return [*goals, random_goal(near[RANDOM], area, "near the evidence")]
