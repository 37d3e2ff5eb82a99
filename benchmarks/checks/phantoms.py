"""What the measures say of phantoms, whose evidence is known: against an untrained network, from half runs, by votes, and of a ruler."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from app.library import library_of
from benchmarks.truth import NEAR, gated
from explainers.case import Case, Settings
from explainers.grid import area_sum
from explainers.measures.agreement import Evidence, consensus, evidence, votes
from explainers.measures.ceiling import LEAST
from explainers.measures.consistency import Background, consistency
from explainers.measures.controls import UNTRAINED, controls_of, untrained_twin
from explainers.measures.library import digest
from explainers.measures.localisation import energy_inside, widened
from explainers.methods import METHODS
from explainers.methods.lime import LIME
from explainers.methods.shap import SHAP
from explainers.study import Result, study
from models.classifier import Classifier
from models.datasets.phantoms import phantom
from models.loading import load
from models.score import Score

EVIDENCE = 0.10
"""Share of a cell that has to be evidence for the cell to count as evidence."""
CONVERGED = 2000


def results_of(case: Case) -> list[Result]:
    """Every method's last result."""
    return list({result.method.title: result for result in study(case, [method() for method in METHODS])}.values())


def found_in(case: Case, results: Sequence[Result]) -> list[Evidence]:
    """The maps on the common grid."""
    return [each for each in (evidence(result, case.size) for result in results) if each is not None]


def untrained_and_votes(count: int) -> list[str]:
    """Two checks from the same explanations: kappa against the untrained network, and what votes and consensus are worth."""
    classifier = load("phantoms")
    library, twin = library_of("phantoms"), untrained_twin(classifier)
    kappas: dict[str, list[float]] = defaultdict(list)
    words: dict[str, list[str]] = defaultdict(list)
    chosen: dict[int, list[float]] = defaultdict(list)
    energies: dict[str, list[float]] = defaultdict(list)
    for picture in tqdm(gated(classifier, count), total=count, desc="phantoms", disable=None):
        case = Case(classifier, picture.image, Score(picture.target))
        results = results_of(case)
        judged = consistency(results, case.size, Background(library, digest(case.image), controls_of(case, twin)), {})
        for title, kappa in judged.controls.get(UNTRAINED, {}).items():
            kappas[title].append(kappa)
        for each in judged.verdicts:
            words["within families" if each.within_family else "across families"].append(each.word)
        found = found_in(case, results)
        _count(found, picture.evidence, chosen, energies)
    _print_words(words)
    return _judge_untrained(kappas) + _judge_votes(chosen, energies)


def _count(found: list[Evidence], truth: np.ndarray, chosen: dict[int, list[float]], energies: dict[str, list[float]]) -> None:
    """Adds one picture: for each number of votes whether the cells are evidence, and each map's energy near the evidence."""
    cells = len(found[0].signed)
    pixels = truth.size / cells**2
    true_cells = area_sum(truth.astype(float), cells) / pixels >= EVIDENCE
    for number, true in zip(votes(found).ravel().tolist(), true_cells.ravel().tolist(), strict=True):
        chosen[number].append(true)
    near = area_sum(widened(truth, NEAR * len(truth)).astype(float), cells) / pixels
    shared = consensus(found)
    maps = {each.title: each.share for each in found} | {"geometric consensus": shared, "even": np.full((cells, cells), 1 / cells**2)}
    for title, share in maps.items():
        if share is not None:
            energies[title].append(float((share * near).sum()))


def _print_words(words: dict[str, list[str]]) -> None:
    for name, said in words.items():
        shares = ", ".join(f"{word} {said.count(word) / len(said):.0%}" for word in sorted(set(said)))
        print(f"Pairs {name}: {shares}.")


def _judge_untrained(kappas: dict[str, list[float]]) -> list[str]:
    print("\n| map | mean kappa with the untrained network's Grad-CAM |\n|---|---|")
    means = {title: float(np.mean(values)) for title, values in kappas.items()}
    for title, mean in means.items():
        print(f"| {title} | {mean:+.3f} |")
    return [f"{title} agrees with the untrained network at {mean:.2f}" for title, mean in means.items() if abs(mean) > 0.1]


def _judge_votes(chosen: dict[int, list[float]], energies: dict[str, list[float]]) -> list[str]:
    base = np.mean([true for cells in chosen.values() for true in cells])
    print(f"\n| families that choose a cell | precision (base rate {base:.3f}) | cells |\n|---|---|---|")
    for number in sorted(chosen, reverse=True):
        print(f"| {number} | {np.mean(chosen[number]):.2f} | {len(chosen[number])} |")
    print("\n| map, on the common grid | energy near the evidence |\n|---|---|")
    means = {title: float(np.mean(values)) for title, values in energies.items()}
    for title, mean in means.items():
        print(f"| {title} | {mean:.3f} |")
    many = float(np.mean([true for number, cells in chosen.items() if number >= 3 for true in cells]))
    best = max(mean for title, mean in means.items() if title != "geometric consensus")
    missed = [f"cells of three families are evidence at {many:.2f}"] if many < 0.6 else []
    behind = means["geometric consensus"] < best - 0.03
    return [*missed, f"the consensus has {means['geometric consensus']:.3f}, the best single {best:.3f}"] if behind else missed


def half_runs(count: int, budget: int = 120) -> list[str]:
    """Whether kappa* of LIME and SHAP from `budget` evaluations is that of the same pair after 2,000."""
    classifier, library = load("phantoms"), library_of("phantoms")
    rows = []
    for picture in tqdm(gated(classifier, count), total=count, desc="half runs", disable=None):
        few, many = (_pair(classifier, picture.image, picture.target, library, spent) for spent in (budget, CONVERGED))
        if few is not None and many is not None and few.ceiling is not None and many.ceiling is not None:
            rows.append((few.chance.kappa, few.ceiling, many.ceiling, many.chance.kappa))
    shared, crossed, true, kappa = np.mean(rows, axis=0)
    error = float(np.mean([abs(row[1] - row[2]) for row in rows]))
    print(f"\nLIME and SHAP on {len(rows)} of {count} phantoms (self-agreement of {LEAST} or more): kappa* after {CONVERGED} evaluations")
    print(f"{true:.3f}, from {budget} {crossed:.3f} (mean distance {error:.3f}); kappa with the noise {kappa:.3f}, {shared:.3f}.")
    return [f"kappa* is {crossed:.3f}, converged {true:.3f}"] if abs(crossed - true) > 0.05 else []


def _pair(classifier: Classifier, image: np.ndarray, target: int, library, budget: int):
    case = Case(classifier, image, Score(target), Settings(budget=budget))
    results = list({result.method.title: result for result in study(case, [LIME(), SHAP()])}.values())
    verdicts = consistency(results, case.size, Background(library, digest(case.image)), {}).verdicts
    return verdicts[0] if verdicts else None


def ruler(count: int) -> list[str]:
    """Where maps point on pictures with streaks and a ruler: for the classifier that learnt the ruler, and for the other."""
    table: dict[str, dict[tuple[str, str], list[float]]] = {}
    pictures = [phantom(900_000 + seed, "streaks", ruler=True) for seed in range(count)]
    for name in ("phantoms_shortcut", "phantoms"):
        classifier = load(name)
        for picture in tqdm(pictures, desc=name, disable=None):
            case = Case(classifier, picture.image, Score(picture.target))
            found = found_in(case, results_of(case))
            shared = consensus(found)
            maps = {each.title: each.share for each in found} | {"geometric consensus": shared}
            for title, share in maps.items():
                for place, mask in (("ruler", picture.ruler), ("streaks", picture.evidence)):
                    value = None if share is None else energy_inside(_blocks(share, mask.shape), widened(mask, NEAR * len(mask)))
                    if value is not None:
                        table.setdefault(title, defaultdict(list))[name, place].append(value)
    return _judge_ruler(table)


def _blocks(share: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    rows, columns = (np.arange(side) * len(share) // side for side in size)
    return share[rows[:, None], columns].astype(np.float32)


def _judge_ruler(table: dict[str, dict[tuple[str, str], list[float]]]) -> list[str]:
    columns = [(name, place) for name in ("phantoms_shortcut", "phantoms") for place in ("ruler", "streaks")]
    print("\n| energy near | " + " | ".join(f"{place}, {name}" for name, place in columns) + " |\n|---|---|---|---|---|")
    missed = []
    for title, found in table.items():
        means = {column: float(np.mean(found[column])) for column in columns}
        print(f"| {title} | " + " | ".join(f"{means[column]:.3f}" for column in columns) + " |")
        if means["phantoms_shortcut", "ruler"] < 2 * means["phantoms", "ruler"]:
            missed.append(f"{title} does not tell the shortcut by its energy at the ruler")
    return missed
