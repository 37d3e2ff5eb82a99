"""Whether the measures are right, and how fast: `python -m benchmarks.measures`, or `--full` for the numbers of pictures that count.

Right: unrelated maps against chance; known evidence on phantoms. Fast: ten maps against a library of 200 pictures; the curves of seven.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.agreement_checks.family_claims import family_claims
from benchmarks.agreement_checks.null_calibration import calibration
from benchmarks.agreement_checks.phantom_checks import half_runs, untrained_and_votes
from benchmarks.agreement_checks.ruler_shortcut import ruler
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from explainers.explanation_case import Case
from explainers.method_runner import run_methods
from explainers.methods import SEVEN
from explainers.metrics.agreement.consistency import ReferenceMaps, consistency_from_maps
from explainers.metrics.agreement.control_maps import CENTRE, EDGES, UNTRAINED, centred_gaussian_map
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.similarity import MapEvidence
from explainers.metrics.faithfulness.deletion_insertion import DeletionPlan, measure_deletion_curves
from explainers.metrics.faithfulness.road import evaluations_of_road, road_scores
from explainers.metrics.faithfulness.transplants import OTHERS
from explainers.metrics.robustness.reliability import RepeatedMaps, RepeatedReadingSource, reliability_score
from models.classifiers.score import Score
from models.loading import load_classifier

MOST_MS = 100
"""Of one core, for the agreement of ten maps: less than 20 evaluations of MobileNetV2 take."""
FULL = {"trials": 1000, "claims": 50, "phantoms": 100, "halves": 50, "rulers": 100}
QUICK = {"trials": 200, "claims": 6, "phantoms": 6, "halves": 6, "rulers": 4}
CHECKS: dict[str, Callable[[int], list[str]]] = {
    "trials": calibration,
    "claims": family_claims,
    "phantoms": untrained_and_votes,
    "halves": half_runs,
    "rulers": ruler,
}


def main() -> None:
    """Prints the tables and what misses its goal."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="1,000 trials and 100 phantoms, about an hour on two cores")
    for name, quick in QUICK.items():
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"({quick}; {FULL[name]} with --full; 0 leaves it out)")
    chosen = parser.parse_args()
    usual = FULL if chosen.full else QUICK
    counts = {name: usual[name] if getattr(chosen, name) is None else getattr(chosen, name) for name in QUICK}
    print(machine_line())
    missed = speed_of_agreement() + speed_of_curves()
    for name, check in CHECKS.items():
        if counts[name]:
            missed += check(counts[name])
    print("\nGoals:", "; ".join(missed) if missed else "all hold.")


def speed_of_agreement(cells: int = 14, others: int = 200) -> list[str]:
    """Ten maps of every family, three controls, a library: everything that the page shows of them."""
    rng = np.random.default_rng(0)
    titles = [f"map {number}" for number in range(10)]
    maps: dict[str, Any] = {
        title: rng.dirichlet(np.ones(cells**2), others).reshape(-1, cells, cells) for title in (*titles, EDGES, UNTRAINED)
    }
    library = MapLibrary({}, tuple(map(str, range(others))), maps)
    grids = rng.dirichlet(np.ones(cells**2), 12).reshape(-1, cells, cells)
    found = [
        MapEvidence(title, "CAM" if number < 5 else "surrogate", True, grids[number], grids[number]) for number, title in enumerate(titles)
    ]
    readings = {title: RepeatedMaps(grid, grid, RepeatedReadingSource.EXACT) for title, grid in zip(titles, grids, strict=False)}
    stable = {title: reliability_score(title, each, 1) for title, each in readings.items()}
    background = ReferenceMaps(library, "", {EDGES: grids[10], UNTRAINED: grids[11], CENTRE: centred_gaussian_map(cells)})
    seconds = []
    for _ in range(20):
        started = time.process_time()
        consistency_from_maps(found, readings, stable, background)
        seconds.append(time.process_time() - started)
    first, best = 1000 * seconds[0], 1000 * min(seconds)
    print(f"Agreement of ten maps with {others} other pictures, {cells} x {cells} cells: {best:.0f} ms of one core ({first:.0f} at first)")
    return [f"agreement takes {best:.0f} ms"] if best > MOST_MS else []


def speed_of_curves() -> list[str]:
    """Deletion and insertion of the seven on the bundled classifier: evaluations, and the share of time that is not the model's."""
    from models.datasets.synthetic.phantoms import draw_phantom

    classifier: Any = load_classifier("phantoms")
    case = Case(classifier, draw_phantom(3, "dots").image, Score(2))
    maps = {r.method.title: r.attribution.values for r in run_methods(case, [method() for method in SEVEN]) if r.attribution is not None}
    plan, inside, batches, missed = DeletionPlan(randoms=0), [0.0], [0], []
    ask = classifier.masked

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        answer = ask(*arguments)
        inside[0] += time.perf_counter() - started
        batches[0] += 1
        return answer

    classifier.masked = timed
    list(measure_deletion_curves(case, maps, DeletionPlan(randoms=0, steps=3)))
    before, inside[0], batches[0], started = case.evaluations, 0.0, 0, time.perf_counter()
    list(measure_deletion_curves(case, maps, plan))
    seconds, asked = time.perf_counter() - started, case.evaluations - before
    own = 1 - inside[0] / seconds
    print(
        f"Deletion and insertion of seven maps, 28 steps, both substrates: {asked} evaluations (at most {28 * 7 * 2 * 2}) in "
        f"{batches[0]} batches of at most {case.settings.batch}, {seconds:.2f} s, {own:.0%} of it not the model's; "
        f"transplants of one map would be {OTHERS * plan.cost_per_order()} more"
    )
    started = time.perf_counter()
    road_scores(case, maps)
    print(f"ROAD of seven maps: {evaluations_of_road(7)} evaluations, {time.perf_counter() - started:.2f} s, most of it imputing")
    if asked > 28 * 7 * 2 * 2:
        missed.append(f"the curves ask {asked}")
    return [*missed, f"{own:.0%} of the curves' time is not the model's"] if own > 0.2 else missed


if __name__ == "__main__":
    sys.exit(run_benchmark("measures", main))
