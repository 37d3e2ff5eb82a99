"""Whether maps change when there was nothing to learn: `python -m benchmarks.agreement_checks.label_randomisation`.

The bundled recipe is trained three times, small: twice on the phantoms' true classes, from other first weights, and once on classes dealt
out by chance. A map that shows what a network has learnt differs between the true and the shuffled one, and does so more than between the
two true ones (Adebayo et al. 2018, arXiv:1810.03292, sec. 4.2). Correlations are of signed maps on the common grid.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import OPTION, run_benchmark
from models.output.command_line import silence_tensorflow

HEAD = ("map", "true and true", "true and shuffled", "changes more", "energy near the evidence: true", "shuffled")
FIRST_SEED = 600_000


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, parents=[OPTION], formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=800, metavar="N", help="training pictures of each network (800)")
    parser.add_argument("--epochs", type=int, default=6, metavar="N", help="(6)")
    parser.add_argument("--maps", type=int, default=16, metavar="N", help="pictures whose maps are compared (16)")
    chosen = parser.parse_args()
    silence_tensorflow()
    from models.output.markdown import markdown_table

    nets = {
        name: _train(chosen.pictures, chosen.epochs, seed, name == "shuffled") for seed, name in enumerate(("true", "other", "shuffled"))
    }
    rows = _compare({name: classifier for name, (classifier, _) in nets.items()}, chosen.maps)
    print(machine_line())
    right = ", ".join(f"{name} {accuracy:.2f}" for name, (_, accuracy) in nets.items())
    print(f"\nAccuracy on test phantoms: {right}; {chosen.maps} pictures, Fast\n")
    print(markdown_table(HEAD, rows))


def _train(pictures: int, epochs: int, seed: int, shuffled: bool) -> tuple[Any, float]:
    """The classifier, and its accuracy on pictures whose true classes are known."""
    from models.cards.card import Card
    from models.classifiers.classifier_builder import build_classifier
    from models.datasets.synthetic.phantoms import LABELS
    from models.training.recipes.phantom_training_recipe import PhantomTrainingPlan, measure_phantom_network, train_phantom_network

    plan = PhantomTrainingPlan("phantoms", "independent", pictures, 64, 128, epochs, seed, shuffled)
    model = train_phantom_network(plan)
    card = Card(name="phantoms", labels=LABELS, size=model.input_shape[1:3])
    return build_classifier(model, card, Path("phantoms.keras")), measure_phantom_network(model, plan).accuracy


def _compare(classifiers: dict[str, Any], count: int) -> list[tuple[str, ...]]:
    """A line for each method: medians over pictures."""
    from benchmarks.known_evidence.rows import NEAR
    from explainers.methods import SEVEN
    from explainers.metrics.localisation.evidence_overlap import dilate_mask, energy_inside_mask
    from explainers.metrics.robustness.reliability import pearson_correlation
    from models.datasets.synthetic.phantoms import draw_phantom

    found: dict[str, list[tuple[float, float, float, float]]] = {method.title: [] for method in SEVEN}
    for number in tqdm(range(count), desc="maps", disable=None):
        picture = draw_phantom(FIRST_SEED + number, 1 + number % 3)
        near = dilate_mask(picture.evidence, NEAR * len(picture.evidence))
        maps = {name: _maps(classifier, picture.image, picture.target) for name, classifier in classifiers.items()}
        for title, rows in found.items():
            (true, energy), (other, _), (shuffled, without) = (maps[name][title] for name in ("true", "other", "shuffled"))
            inside, outside = (energy_inside_mask(values, near) or 0.0 for values in (energy, without))
            rows.append((pearson_correlation(true, other), pearson_correlation(true, shuffled), inside, outside))
    lines: list[tuple[str, ...]] = []
    for title, rows in found.items():
        same, changed, inside, outside = np.median(rows, axis=0)
        share = np.mean([row[1] < row[0] for row in rows])
        lines.append((title, f"{same:.2f}", f"{changed:.2f}", f"{share:.0%}", f"{inside:.2f}", f"{outside:.2f}"))
    return lines


def _maps(classifier: Any, image: np.ndarray, target: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Title -> the signed map on the common grid, and the map as the method gives it."""
    from explainers.explanation_case import Case, ExplanationSettings
    from explainers.grid import attribution_on_common_grid
    from explainers.method_runner import run_methods
    from explainers.methods import SEVEN
    from models.classifiers.score import Score

    case = Case(classifier, image, Score(target), ExplanationSettings(preset="Fast"))
    results = {result.method.title: result for result in run_methods(case, [method() for method in SEVEN])}.values()
    return {
        result.method.title: (attribution_on_common_grid(result.attribution, case.size), result.attribution.values)
        for result in results
        if result.attribution is not None
    }


if __name__ == "__main__":
    sys.exit(run_benchmark("agreement_checks.label_randomisation", main))
