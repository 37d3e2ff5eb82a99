"""What the measures say of phantoms, whose evidence is known: against an untrained network, by votes, and from half runs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from app.model_files import read_map_library_of_model
from benchmarks.known_evidence.phantoms import decisive_phantoms
from benchmarks.known_evidence.rows import NEAR
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import sum_into_cells
from explainers.method_runner import MethodResult, run_methods
from explainers.methods import METHODS
from explainers.methods.lime import LIME
from explainers.methods.shap import SHAP
from explainers.metrics.agreement.attenuation_correction import LEAST, disattenuated_kappa
from explainers.metrics.agreement.consensus import FLOOR, consensus_map, count_family_votes
from explainers.metrics.agreement.consistency import PairAgreement, ReferenceMaps, measure_consistency
from explainers.metrics.agreement.control_maps import UNTRAINED, control_maps, untrained_twin
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.reference_library import MapLibrary, image_digest
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid
from explainers.metrics.localisation.evidence_overlap import dilate_mask
from explainers.metrics.robustness.reliability import pearson_correlation
from models.classifiers.score import Score
from models.datasets.synthetic.phantoms import PhantomPicture
from models.loading import load_classifier
from models.output.markdown import markdown_table

EVIDENCE = 0.10
"""Share of a cell that has to be evidence for the cell to count as evidence."""
CONVERGED = 2000
OTHER_FLOOR = 0.1
CONSENSUS, OTHER = f"geometric consensus, floor {FLOOR:g}", f"geometric consensus, floor {OTHER_FLOOR:g}"


def results_of(case: Case) -> list[MethodResult]:
    """Every method's last result."""
    return list({result.method.title: result for result in run_methods(case, [method() for method in METHODS])}.values())


def grid_maps(case: Case, results: Sequence[MethodResult]) -> list[MapEvidence]:
    """The maps on the common grid."""
    return [each for each in (evidence_on_grid(result, case.size) for result in results) if each is not None]


def untrained_and_votes(count: int) -> list[str]:
    """Two checks from the same explanations: kappa against the untrained network, and what votes and consensus are worth."""
    print(f"\n{count} phantoms\n")
    classifier: Any = load_classifier("phantoms")
    library, twin = read_map_library_of_model("phantoms"), untrained_twin(classifier)
    kappas: dict[str, list[float]] = defaultdict(list)
    blank: dict[str, int] = defaultdict(int)
    levels: dict[str, list[str]] = defaultdict(list)
    chosen: dict[int, list[float]] = defaultdict(list)
    energies: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for picture in tqdm(decisive_phantoms(classifier, count), total=count, desc="phantoms", disable=None):
        case = Case(classifier, picture.image, Score(picture.target))
        results = results_of(case)
        agreement = measure_consistency(results, case.size, ReferenceMaps(library, image_digest(case.image), control_maps(case, twin)), {})
        for title, kappa in agreement.controls.get(UNTRAINED, {}).items():
            kappas[title].append(kappa)
        for title in {result.method.title for result in results} - set(agreement.controls.get(UNTRAINED, {})):
            blank[title] += 1
        for each in agreement.pair_agreements:
            levels["within families" if each.within_family else "across families"].append(each.level)
        found = grid_maps(case, results)
        _count(found, picture.evidence, chosen, energies)
    _print_words(levels)
    return _check_untrained(kappas, blank) + _check_votes(chosen, energies)


def _count(
    found: list[MapEvidence], truth: np.ndarray, chosen: dict[int, list[float]], energies: dict[str, list[tuple[float, float]]]
) -> None:
    """Adds one picture: for each number of votes whether the cells are evidence, and each map's energy in and near the evidence."""
    cells = len(found[0].signed)
    pixels = truth.size / cells**2
    inside = sum_into_cells(truth.astype(float), cells) / pixels
    true_cells = inside >= EVIDENCE
    for number, true in zip(count_family_votes(found).ravel().tolist(), true_cells.ravel().tolist(), strict=True):
        chosen[number].append(true)
    near = sum_into_cells(dilate_mask(truth, NEAR * len(truth)).astype(float), cells) / pixels
    shared = consensus_map(found)
    wider = consensus_map(found, OTHER_FLOOR)
    maps = {each.title: each.share for each in found} | {CONSENSUS: shared, OTHER: wider, "even": np.full((cells, cells), 1 / cells**2)}
    for title, share in maps.items():
        if share is not None:
            energies[title].append((float((share * inside).sum()), float((share * near).sum())))


def _print_words(levels: dict[str, list[str]]) -> None:
    for name, found_levels in levels.items():
        shares = ", ".join(f"{word} {found_levels.count(word) / len(found_levels):.0%}" for word in sorted(set(found_levels)))
        print(f"Pairs {name}: {shares}.")


def _check_untrained(kappas: dict[str, list[float]], blank: dict[str, int]) -> list[str]:
    """blank: title -> phantoms left out, because the map or the untrained network's showed no evidence."""
    means = {title: float(np.mean(values)) for title, values in kappas.items()}
    head = ("map", "mean kappa with the untrained network's Grad-CAM", "phantoms", "left out, one of the two being blank")
    rows = [(title, f"{mean:+.3f}", len(kappas[title]), blank.get(title, 0)) for title, mean in means.items()]
    print(f"\n{markdown_table(head, rows)}")
    return [f"{title} agrees with the untrained network at {mean:.2f}" for title, mean in means.items() if abs(mean) > 0.1]


def _check_votes(chosen: dict[int, list[float]], energies: dict[str, list[tuple[float, float]]]) -> list[str]:
    base = np.mean([true for cells in chosen.values() for true in cells])
    precision = [(number, f"{np.mean(chosen[number]):.2f}", len(chosen[number])) for number in sorted(chosen, reverse=True)]
    print(f"\n{markdown_table(('families that choose a cell', f'precision (base rate {base:.3f})', 'cells'), precision)}")
    both = {title: np.mean(values, axis=0) for title, values in energies.items()}
    rows = [(title, f"{inside:.3f}", f"{near:.3f}") for title, (inside, near) in both.items()]
    print(f"\n{markdown_table(('map, on the common grid', 'energy in the evidence', 'energy near it'), rows)}")
    many = float(np.mean([true for number, cells in chosen.items() if number >= 3 for true in cells]))
    missed = [f"cells of three families are evidence at {many:.2f}"] if many < 0.6 else []
    singles = [values for title, values in both.items() if title not in (CONSENSUS, OTHER)]
    for place, where in enumerate(("in", "near")):
        ours, best = float(both[CONSENSUS][place]), float(max(values[place] for values in singles))
        other = f"floor {OTHER_FLOOR:g} {both[OTHER][place]:.3f}"
        print(f"Energy {where} the evidence: consensus {ours:.3f}, best single method {best:.3f}, {other}.")
        if where == "near" and ours < best - 0.03:
            missed.append(f"the consensus has {ours:.3f} of its energy near the evidence, the best single method {best:.3f}")
    return missed


def half_runs(count: int, budget: int = 120) -> list[str]:
    """Whether kappa* of LIME and SHAP from `budget` evaluations is what their maps have in common after 2,000, nothing being corrected."""
    classifier: Any = load_classifier("phantoms")
    library = read_map_library_of_model("phantoms")
    rows = []
    for picture in tqdm(decisive_phantoms(classifier, count), total=count, desc="half runs", disable=None):
        few, many = (_pair(classifier, picture, library, spent) for spent in (budget, CONVERGED))
        if few and many and few[0].ceiling is not None and few[0].chance and many[0].chance:
            rows.append((few[0].chance.kappa, few[0].ceiling, many[1], many[0].chance.kappa))
    shared, crossed, true, kappa = np.mean(rows, axis=0)
    error = float(np.mean([abs(row[1] - row[2]) for row in rows]))
    print(
        f"\nLIME and SHAP on {len(rows)} of {count} phantoms (self-agreement of {LEAST} or more): in common after {CONVERGED} evaluations"
    )
    print(f"{true:.3f}, kappa* from {budget} {crossed:.3f} (mean distance {error:.3f}); kappa with the noise {kappa:.3f}, {shared:.3f}.")
    return [f"kappa* is {crossed:.3f}, converged {true:.3f}"] if abs(crossed - true) > 0.05 else []


def _pair(classifier: Any, picture: PhantomPicture, library: MapLibrary | None, budget: int) -> tuple[PairAgreement, float] | None:
    """The agreement of LIME and SHAP, and their maps' Pearson correlation above chance as it is; None where one has no evidence."""
    case = Case(classifier, picture.image, Score(picture.target), ExplanationSettings(budget=budget))
    results = list({result.method.title: result for result in run_methods(case, [LIME(), SHAP()])}.values())
    shares = {each.title: each.share for each in grid_maps(case, results) if each.share is not None}
    name = image_digest(case.image)
    pair_agreements = measure_consistency(results, case.size, ReferenceMaps(library, name), {}).pair_agreements
    if not pair_agreements:
        return None
    first, second = shares
    chance = NullDistributions(shares, library, name).mean_correlation(first, second)
    if chance is None:
        return None
    return pair_agreements[0], disattenuated_kappa(pearson_correlation(shares[first], shares[second]), chance)
