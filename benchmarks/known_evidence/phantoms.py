"""Lesion phantoms: how much of every map lies in the evidence, near it, and whether it points there."""

import time
from collections import defaultdict

import numpy as np
from tqdm import tqdm

from benchmarks.known_evidence.rows import RANDOM, Goal, Row, at_least, baselines, judged, mean, printed, random_goal
from benchmarks.truth import NEAR, gated
from explainers.case import Case, Settings
from explainers.methods import METHODS
from explainers.metrics.localisation.evidence_overlap import widened
from explainers.runner import run_methods
from models.classifiers.score import Score
from models.loading import load

GOALS = {"Grad-CAM": 0.60, "Integrated Gradients": 0.65, "Occlusion": 0.60, "LIME": 0.60, "SHAP": 0.60}
MASK = "lesion mask"


def on_phantoms(count: int, settings: Settings) -> list[Goal]:
    """Prints the table of phantoms; gives the goals."""
    classifier = load("phantoms")
    rows: dict[str, list[Row]] = defaultdict(list)
    areas = []
    started = time.perf_counter()
    for picture in tqdm(gated(classifier, count), total=count, desc="phantoms", disable=None):
        side = NEAR * len(picture.image)
        near = widened(picture.evidence, side)
        areas.append((picture.evidence.mean(), near.mean()))
        case = Case(classifier, picture.image, Score(picture.target), settings)
        for title, values in baselines(picture.seed, picture.lesion, case).items():
            rows[MASK if title == "mask" else title].append(judged(values, picture.evidence, near, side))
        for result in (r for r in run_methods(case, [method() for method in METHODS]) if r.done):
            found = result.attribution
            if found is None:
                raise SystemExit(f"{result.method.title} failed: {result.error}")
            known = {"evaluations": result.evaluations + result.shared, "converged": found.converged}
            rows[result.method.title].append(judged(found.values, picture.evidence, near, side, **known))
    inside, near_area = np.mean(areas, axis=0)
    seconds = time.perf_counter() - started
    print(f"\n{count} phantoms, {settings.preset}, {seconds:.0f} s; evidence {inside:.3f}, near it {near_area:.3f} of the area\n")
    print("| map | energy in the evidence | energy near it | points near it | blank | converged | evaluations |")
    print("|---|---|---|---|---|---|---|")
    for title, found in rows.items():
        print(printed(title, found, ("inside", "near", "points")))
    return phantom_goals({title: mean(row.near for row in found) for title, found in rows.items()}, float(near_area))


def phantom_goals(near: dict[str, float], area: float) -> list[Goal]:
    """near: of each map and baseline, the share of its energy near the evidence, which is `area` of the picture."""
    goals = [at_least(title, near[title], goal, "near the evidence") for title, goal in GOALS.items()]
    goals += [
        Goal(f"{method.title} {near[method.title]:.3f}, the lesion mask {near[MASK]:.3f}", near[method.title] >= near[MASK])
        for method in METHODS
    ]
    return [*goals, random_goal(near[RANDOM], area, "near the evidence")]
