"""Glass boxes: every map compared with the exact evidence in every pixel, which follows from a formula."""

from collections import defaultdict
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from tqdm import tqdm

from benchmarks.known_evidence.rows import (
    ACTIVATION,
    CENTRE,
    NEAR,
    RANDOM,
    Goal,
    Row,
    at_least,
    baselines,
    mean,
    measure_map,
    random_goal,
    table_cells,
)
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import sum_map_onto_grid
from explainers.method import Attribution
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from models.classifiers.score import Score
from models.datasets.synthetic import glass_box
from models.loading import load_classifier
from models.output.markdown import markdown_table

HEAD = ("map", "rank correlation with the exact evidence", "energy in the colour", "points at it", "blank", "converged", "evaluations")
MASK = "mask of all colours"
EXACT = {"Grad-CAM": 0.99, "HiResCAM": 0.99}
"""Rank correlation with the exact evidence of maps that are it, but for the layer's cells."""
SHARE = {**EXACT, "Grad-CAM++": 0.95, "Score-CAM": 0.95, "Integrated Gradients": 0.95}
BELOW_THE_MASK = {
    "Occlusion (smoothed)": "its windows are 3/14 of the side wide, as wide as most patches, and spread evidence around them",
    "Partition SHAP": "its rectangles hold a patch together with what lies around it",
}
"""Why a method may have less of its energy in the colour than the mask of all colours has."""


def print_glass_boxes(count: int, settings: ExplanationSettings) -> list[Goal]:
    """Prints the table of glass boxes; gives the goals."""
    classifier: Any = load_classifier("glass_box")
    rows: dict[str, list[Row]] = defaultdict(list)
    areas = []
    for seed in tqdm(range(count), desc="glass boxes", disable=None):
        picture = glass_box.draw_colour_patches(seed, glass_box.NAMES[seed % len(glass_box.NAMES)])
        exact = glass_box.exact_pixel_evidence(picture.image)
        target = glass_box.NAMES.index(picture.label)
        truth = sum_map_onto_grid((exact[..., target] - exact.mean(axis=-1)).astype(np.float32), exact.shape[:2]).ravel()
        case = Case(classifier, picture.image, Score(target), settings)
        for title, values in baselines(seed, np.asarray(np.abs(exact).any(axis=-1)), case).items():
            rows[MASK if title == "mask" else title].append(_row(Attribution(values), picture.evidence, truth))
        for result in (r for r in run_methods(case, [method() for method in METHODS]) if r.done):
            if result.attribution is None:
                raise SystemExit(f"{result.method.title} failed: {result.error}")
            rows[result.method.title].append(_row(result.attribution, picture.evidence, truth, result.evaluations + result.shared))
        areas.append(picture.evidence.mean())
    print(f"\n{count} glass boxes, {settings.preset}; the colour covers {np.mean(areas):.3f} of the area\n")
    print(markdown_table(HEAD, (table_cells(title, found, ("ranks", "inside", "points")) for title, found in rows.items())))
    means = {title: (mean(row.ranks for row in found), mean(row.inside for row in found)) for title, found in rows.items()}
    for title, reason in BELOW_THE_MASK.items():
        if means[title][1] < means[MASK][1]:
            print(f"\n{title} has less of its energy in the colour than the mask of all colours: {reason}.")
    return box_goals(means, float(np.mean(areas)))


def _row(found: Attribution, evidence: np.ndarray, truth: np.ndarray, evaluations: int = 0) -> Row:
    values = sum_map_onto_grid(found.values if found.signed is None else found.signed, evidence.shape).ravel()
    ranks = float(spearmanr(values, truth).statistic) if np.ptp(values) else None
    return measure_map(
        found.values, evidence, evidence, NEAR * len(evidence), evaluations=evaluations, converged=found.converged, ranks=ranks
    )


def box_goals(means: dict[str, tuple[float, float]], area: float) -> list[Goal]:
    """means: of each map and baseline, rank correlation and energy in the colour, which is `area` of the picture."""
    goals = [at_least(title, means[title][0], goal, "of the exact evidence's ranks") for title, goal in EXACT.items()]
    goals += [at_least(title, means[title][1], goal, "in the colour") for title, goal in SHARE.items()]
    best = max(means[title][0] for title in (RANDOM, CENTRE, MASK, ACTIVATION))
    goals += [
        Goal(f"{method.title} has {means[method.title][0]:.3f} of the ranks, the best baseline {best:.3f}", means[method.title][0] > best)
        for method in METHODS
    ]
    goals += [
        Goal(
            f"{method.title} {means[method.title][1]:.3f} in the colour, the mask {means[MASK][1]:.3f}",
            means[method.title][1] >= means[MASK][1],
        )
        for method in METHODS
        if method.title not in BELOW_THE_MASK
    ]
    return [*goals, random_goal(means[RANDOM][1], area, "in the colour")]
