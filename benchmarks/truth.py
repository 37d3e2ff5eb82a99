"""How much of each map lies where the evidence is known to be: `python -m benchmarks.truth`.

Lesion phantoms that the bundled classifier names rightly, and names plain when their evidence is taken away, so that the evidence is
what it goes by; and the glass box, whose evidence in every pixel follows from a formula. Baselines stand in the same table.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from tqdm import tqdm

from benchmarks.machine import machine_line
from explainers.case import Case, Settings
from explainers.grid import on_grid
from explainers.measures.localisation import energy_inside, points_at, widened
from explainers.methods import METHODS
from explainers.study import study
from models.classifier import Classifier
from models.datasets import glass_box, phantoms
from models.loading import load
from models.score import Score

FIRST_SEED = 700_000
NEAR = 1 / 16  # of the picture's side: 8 px at 128, 4 px at 64
GOALS = {"Grad-CAM": 0.60, "Integrated Gradients": 0.65, "Occlusion": 0.60, "LIME": 0.60, "SHAP": 0.60}


@dataclass(frozen=True)
class Row:
    """One map of one picture: the shares of its energy in the evidence and near it, whether it points near it, and its cost."""

    inside: float | None
    near: float | None
    points: float | None
    evaluations: int = 0
    converged: bool = True


def main() -> None:
    """Prints the two tables and, last, which goals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--boxes", type=int, default=40)
    parser.add_argument("--preset", default="Balanced")
    chosen = parser.parse_args()
    print(machine_line())
    missed = on_phantoms(chosen.pictures, Settings(preset=chosen.preset))
    on_glass_boxes(chosen.boxes, Settings(preset=chosen.preset))
    print("\nGoals of the phantoms:", "; ".join(missed) if missed else "all hold.")


def on_phantoms(count: int, settings: Settings) -> list[str]:
    """Prints the table of phantoms; gives the goals that are missed."""
    classifier = load("phantoms")
    rows: dict[str, list[Row]] = defaultdict(list)
    areas = []
    started = time.perf_counter()
    for picture in tqdm(gated(classifier, count), total=count, desc="phantoms", disable=None):
        near = widened(picture.evidence, NEAR * len(picture.image))
        areas.append((picture.evidence.mean(), near.mean()))
        case = Case(classifier, picture.image, Score(picture.target), settings)
        for title, values in baselines(picture, case).items():
            rows[title].append(judged(values, picture.evidence, near))
        for result in (r for r in study(case, [method() for method in METHODS]) if r.done):
            found = result.attribution
            if found is None:
                raise SystemExit(f"{result.method.title} failed: {result.error}")
            asked = result.evaluations + result.shared
            rows[result.method.title].append(judged(found.values, picture.evidence, near, asked, found.converged))
    inside, near_area = np.mean(areas, axis=0)
    seconds = time.perf_counter() - started
    print(f"\n{count} phantoms, {settings.preset}, {seconds:.0f} s; evidence {inside:.3f}, near it {near_area:.3f} of the area\n")
    print("| map | energy in the evidence | energy near it | points near it | blank | converged | evaluations |")
    print("|---|---|---|---|---|---|---|")
    for title, found in rows.items():
        print(printed(title, found))
    return missed_goals(rows, float(near_area))


def gated(classifier: Classifier, count: int) -> Iterator[phantoms.Phantom]:
    """Phantoms of classes with evidence, named rightly, whose answer flips when the evidence is taken away."""
    seed, given = FIRST_SEED, 0
    while given < count:
        picture = phantoms.phantom(seed, 1 + seed % 3)
        both = np.stack([picture.image, phantoms.twin(picture).image])
        named, without = classifier.outputs(both).argmax(axis=1)
        seed += 1
        if named == picture.target and without != picture.target:
            given += 1
            yield picture


def baselines(picture: phantoms.Phantom, case: Case) -> dict[str, np.ndarray]:
    """What needs no explanation: noise, the middle of the picture, the whole lesion, and the mean activation, blind to the class."""
    side = len(picture.image)
    away = (np.indices((side, side)) - (side - 1) / 2) / (side / 4)
    return {
        "random": np.random.default_rng(picture.seed).random((side, side), np.float32),
        "centre (Gaussian)": np.exp(-(away**2).sum(axis=0) / 2).astype(np.float32),
        "lesion mask": picture.lesion.astype(np.float32),
        "mean activation": case.features()[0].maps.mean(axis=-1),
    }


def judged(values: np.ndarray, evidence: np.ndarray, near: np.ndarray, evaluations: int = 0, converged: bool = True) -> Row:
    """The row of one map."""
    tolerance = NEAR * len(evidence)
    return Row(energy_inside(values, evidence), energy_inside(values, near), points_at(values, evidence, tolerance), evaluations, converged)


def printed(title: str, rows: list[Row]) -> str:
    """One line of the table; blank maps are counted and left out of the means."""
    means = [mean([getattr(row, name) for row in rows]) for name in ("inside", "near", "points")]
    blank = sum(row.inside is None for row in rows)
    asked = np.mean([row.evaluations for row in rows])
    converged = "" if asked == 0 else f"{np.mean([row.converged for row in rows]):.2f}"
    return f"| {title} | " + " | ".join(f"{value:.3f}" for value in means) + f" | {blank} | {converged} | {asked:.0f} |"


def mean(values: list[float | None]) -> float:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def missed_goals(rows: dict[str, list[Row]], area: float) -> list[str]:
    """Each goal that is missed, with its figure."""
    near = {title: mean([row.near for row in found]) for title, found in rows.items()}
    missed = [f"{title} {near[title]:.3f} is below {goal}" for title, goal in GOALS.items() if near[title] < goal]
    missed += [
        f"{method.title} {near[method.title]:.3f} is below the lesion mask"
        for method in METHODS
        if near[method.title] < near["lesion mask"]
    ]
    if abs(near["random"] - area) > 0.02:
        missed.append(f"random {near['random']:.3f} is not the area {area:.3f}")
    return missed


def on_glass_boxes(count: int, settings: Settings) -> None:
    """For each method the rank correlation of its map with the exact evidence on the common grid, and its energy in the colour."""
    classifier = load("glass_box")
    rows: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for seed in tqdm(range(count), desc="glass boxes", disable=None):
        picture = glass_box.patches(seed, glass_box.NAMES[seed % len(glass_box.NAMES)])
        target = glass_box.NAMES.index(picture.label)
        exact = glass_box.exact_evidence(picture.image)
        truth = on_grid((exact[..., target] - exact.mean(axis=-1)).astype(np.float32), picture.evidence.shape)
        case = Case(classifier, picture.image, Score(target), settings)
        for result in (r for r in study(case, [method() for method in METHODS]) if r.done and r.attribution):
            values = result.attribution.values if result.attribution.signed is None else result.attribution.signed
            correlation = spearmanr(on_grid(values, truth_size(picture)).ravel(), truth.ravel()).statistic
            rows[result.method.title].append((correlation, energy_inside(result.attribution.values, picture.evidence)))
    area = np.mean([glass_box.patches(seed, glass_box.NAMES[seed % 4]).evidence.mean() for seed in range(count)])
    print(f"\n{count} glass boxes, {settings.preset}; the colour covers {area:.3f} of the area\n")
    print("| map | rank correlation with the exact evidence | energy in the colour |\n|---|---|---|")
    for title, found in rows.items():
        print(f"| {title} | {np.mean([c for c, _ in found]):.3f} | {mean([energy for _, energy in found]):.3f} |")


def truth_size(picture: glass_box.Patches) -> tuple[int, int]:
    """(H, W) of the picture."""
    height, width = picture.evidence.shape
    return height, width


if __name__ == "__main__":
    main()
