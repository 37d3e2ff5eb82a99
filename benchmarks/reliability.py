"""How well maps agree with themselves between independent seeds, or with what more evaluations would give, per evaluation spent.

python -m benchmarks.reliability segments      LIME and SHAP as shipped: by number of segments, at two budgets
python -m benchmarks.reliability estimators    SHAP's estimators against the exact Shapley values of games asked whole
python -m benchmarks.reliability occlusion     whether Occlusion has converged where it says so, on X-rays, photographs and phantoms
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.shared.data import MODEL, PHOTOGRAPHS, required_data
from benchmarks.shared.occlusion import print_claims
from benchmarks.shared.results_file import OPTION, run_benchmark
from explainers.explanation_case import Case, ExplanationSettings
from explainers.perturbation.coalitions import CoalitionSample, shared_coalition_pool
from explainers.perturbation.estimators import (
    first_frame_memory_estimate,
    kernel_shap_values,
    lime_coefficients,
    rise_values,
    surrogate_shap_values,
)
from explainers.perturbation.segment_maps import ENOUGH, jackknife_standard_errors
from explainers.superpixels import segment_areas
from models.classifiers.score import Score
from models.images.decoder import decode_picture
from models.loading import load_classifier
from models.output.command_line import silence_tensorflow
from models.output.markdown import markdown_table
from tests.explainers.coalition_games import drawn

SEEDS = range(4)
GOAL = 0.85
ESTIMATES = {"LIME": lime_coefficients, "SHAP": surrogate_shap_values, "Kernel SHAP": kernel_shap_values, "RISE": rise_values}


def main() -> None:
    """Prints the requested table."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", default="segments", choices=("segments", "estimators", "occlusion"))
    parser.add_argument("--budgets", type=int, nargs="+", default=[400])
    parser.add_argument("--segments", type=int, nargs="+", default=[12, 16, 20, 25, 40])
    chosen = parser.parse_args()
    silence_tensorflow()
    if chosen.table == "segments":
        by_segments(chosen.budgets, chosen.segments)
    elif chosen.table == "occlusion":
        print_claims()
    else:
        against_exact(chosen.budgets)


def photographs() -> Iterator[tuple[str, Case]]:
    """Each photograph's name and a case in front of MobileNetV2, explaining its first class; segments and seed still to be chosen."""
    classifier: Any = load_classifier(required_data(*MODEL))
    for path in sorted(required_data(PHOTOGRAPHS).glob("*.jpg")):
        image = classifier.fit(decode_picture(path.read_bytes()))
        yield path.stem, Case(classifier, image, Score(int(classifier.outputs(image[None])[0].argmax())))


def agreement(readings: list[np.ndarray]) -> float:
    """Mean Spearman correlation over pairs of readings."""
    return float(np.mean([spearmanr(a, b)[0] for a, b in combinations(readings, 2)]))


def by_segments(budgets: list[int], counts: list[int]) -> None:
    """For each number of segments: mean and worst run-to-run Spearman over the photographs, and the share at .85 or more, and converged."""
    found: dict[tuple[int, int, str], list[tuple[float, float]]] = {}
    for _, start in photographs():
        for count in counts:
            samples = [_grown(start, count, seed, max(budgets)) for seed in SEEDS]
            for budget in budgets:
                for name, estimate in ESTIMATES.items():
                    found.setdefault((count, budget, name), []).append(_run_to_run(samples, budget, estimate, start))
    table = []
    for (count, budget, name), rows in found.items():
        runs, errors = np.array(rows).T
        shares = f"{(runs >= GOAL).mean():.0%}", f"{(errors < ENOUGH).mean():.0%}"
        table.append((count, budget, name, f"{runs.mean():.2f}", f"{runs.min():.2f}", *shares))
    print(markdown_table(("segments", "evaluations", "method", "run to run", "worst", "share >= .85", "converged"), table))


def _grown(start: Case, count: int, seed: int, budget: int) -> tuple[Case, CoalitionSample]:
    case = Case(start.classifier, start.image, start.score, ExplanationSettings(segments=count, seed=seed, budget=budget))
    return case, shared_coalition_pool(case).grow(budget)


def _run_to_run(samples: list[tuple[Case, CoalitionSample]], budget: int, estimate: Any, start: Case) -> tuple[float, float]:
    """Agreement of the displayed densities, a segment counted once, and the first run's largest standard error over the map's range."""
    readings, error = [], 0.0
    for case, whole in samples:
        sample = shared_coalition_pool(case).grow(budget)
        values, area = start.values(sample.logits), segment_areas(case.segments)
        readings.append(estimate(sample, values) / area)
        if case is samples[0][0]:
            error = float((jackknife_standard_errors(sample, values, estimate, 0) / area).max() / np.ptp(readings[0]))
        assert len(whole.masks) >= len(sample.masks)
    return agreement(readings), error


def against_exact(budgets: list[int]) -> None:
    """Games of 12 segments evaluated exhaustively: each estimator's values from paired draws and the first frame, and the exact ones."""
    rules = {
        "first frame": first_frame_memory_estimate,
        "Kernel SHAP": kernel_shap_values,
        "surrogate": surrogate_shap_values,
        "antithetic permutations": None,
    }
    found: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    for _, start in photographs():
        case, sample = _grown(start, 12, 0, 4096)
        values = start.values(sample.logits)
        exact = kernel_shap_values(sample, values)
        table = _lookup(sample, values)
        for budget in budgets:
            for name, rule in rules.items():
                runs = [_one(shared_coalition_pool(case).parts, budget, seed, rule, table) for seed in SEEDS]
                errors = [np.sqrt(((run - exact) ** 2).mean() / exact.var()) for run in runs]
                ranks = [spearmanr(run, exact)[0] for run in runs]
                found.setdefault((name, budget), []).append((agreement(runs), float(np.mean(ranks)), float(np.mean(errors))))
    lines = []
    for (name, budget), rows in found.items():
        runs, ranks, errors = np.array(rows).mean(0)
        lines.append((name, budget, f"{runs:.2f}", f"{ranks:.2f}", f"{errors:.2f}"))
    print(markdown_table(("estimator", "evaluations", "run to run", "Spearman with exact", "relative RMSE"), lines))


def _lookup(sample: CoalitionSample, values: np.ndarray) -> np.ndarray:
    """(2^M,) the score of every coalition, by the number its mask reads as in binary."""
    table = np.full(2**sample.parts, np.nan)
    table[_number(sample.masks)] = values
    return table


def _number(masks: np.ndarray) -> np.ndarray:
    return np.asarray(masks @ 2 ** np.arange(masks.shape[1])).astype(int)


def _one(parts: int, budget: int, seed: int, rule: Any, table: np.ndarray) -> np.ndarray:
    if rule is None:
        return _permutations(parts, budget, np.random.default_rng(seed), table)
    sample = drawn(parts, budget, seed)
    return np.asarray(rule(sample, table[_number(sample.masks)]))


def _permutations(parts: int, budget: int, rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """Marginal gains along random orders and their reverses; an order costs M - 1 evaluations beyond the two ends."""
    total, orders = np.zeros(parts), 0
    while (orders + 2) * (parts - 1) + 2 <= budget:
        order = rng.permutation(parts)
        for walk in (order, order[::-1]):
            masks = np.zeros((parts + 1, parts))
            for step, segment in enumerate(walk):
                masks[step + 1 :, segment] = 1
            total[walk] += np.diff(table[_number(masks)])
            orders += 1
    return total / max(orders, 1)


if __name__ == "__main__":
    sys.exit(run_benchmark("reliability", main))
