"""How often families of methods are said to agree: on maps of different pictures, where that is false, and on maps of one picture."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta
from tqdm import tqdm

from app.explanation import fit_picture_to_input
from app.model_files import read_map_library_of_model
from benchmarks.known_evidence.phantoms import decisive_phantoms
from benchmarks.shared.data import required_data
from errors import UserError
from explainers.baselines import make_baseline_image
from explainers.explanation_case import Case
from explainers.grid import Grid
from explainers.method_runner import run_methods
from explainers.methods import METHODS
from explainers.metrics.agreement.consistency import ReferenceMaps, consistency_from_maps
from explainers.metrics.agreement.control_maps import CONTENT, picture_controls
from explainers.metrics.agreement.partial_agreement import PartialAgreement
from explainers.metrics.agreement.reference_library import MapLibrary, image_digest
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid
from explainers.metrics.robustness.reliability import ReliabilityScore, RepeatedMaps, half_run_maps, reliability_scores
from models.classifiers.score import Score
from models.loading import load_classifier
from models.output.markdown import markdown_table

DRAWS = 400
ALIKE = 0.7
"""kappa* from which two maps count as truly alike."""
GOALS = {"false": 0.05, "true": 0.80, "marked": 0.95}
X_RAYS = ("chest_xray", "test")


@dataclass(frozen=True)
class JudgedPicture:
    """One picture's maps with all that judging them needs. controls: those that need no classifier."""

    digest: str
    target: int
    found: Sequence[MapEvidence]
    readings: dict[str, RepeatedMaps]
    stable: dict[str, ReliabilityScore]
    controls: dict[str, Grid]


def family_claims(count: int) -> list[str]:
    """Prints the rates on phantoms and on X-rays, with the library and with the library hidden; returns what misses its goal."""
    missed, rows = [], []
    for name in ("phantoms", "chest_xray"):
        classifier: Any = load_classifier(name)
        try:
            pictures = [
                _judged(classifier, *each) for each in tqdm(_pictures(name, classifier, count), total=count, desc=name, disable=None)
            ]
        except UserError as no_use:
            print(f"Left out: {no_use}")
            continue
        library = read_map_library_of_model(name)
        for what, known in (("with its library", library), ("library hidden", None)):
            alarms, told, alike = _false_alarms(pictures, known), *_true_claims(pictures, known)
            low, high = beta.ppf((0.025, 0.975), (alarms, alarms + 1), (DRAWS - alarms + 1, DRAWS - alarms))
            interval = f"{alarms / DRAWS:.3f} ({np.nan_to_num(low):.3f} to {high:.3f})"
            rows.append((f"{name}, {what}", interval, f"{told} of {alike}", f"{told / max(1, alike):.2f}"))
            if alarms / DRAWS > GOALS["false"]:
                missed.append(f"{name}, {what}: {alarms / DRAWS:.3f} of mixed pictures with a false word")
            if name == "phantoms" and known is not None and told < GOALS["true"] * alike:
                missed.append(f"{name}: {told / alike:.2f} of pairs with kappa* of {ALIKE} or more reported")
        marked = float(np.mean([_marks_content(picture, seed) for picture in pictures for seed in range(20)]))
        print(f"{name}: of two maps |picture - fill| times independent noise {marked:.3f} are marked as explained by a control.")
        if marked < GOALS["marked"]:
            missed.append(f"{name}: {marked:.3f} of maps of the picture alone marked")
    head = (
        f"{count} pictures each",
        f"any false word, {DRAWS} mixtures of pictures",
        f"pairs with kappa* of {ALIKE} or more reported",
        "share",
    )
    print(f"\n{markdown_table(head, rows)}")
    return missed


def _pictures(name: str, classifier: Any, count: int) -> Iterator[tuple[np.ndarray, int]]:
    if name == "phantoms":
        for phantom in decisive_phantoms(classifier, count):
            yield phantom.image, phantom.target
        return
    files = sorted(required_data(*X_RAYS).rglob("*.jp*g"))
    for number in np.random.default_rng(0).permutation(len(files))[:count]:
        image = fit_picture_to_input(files[number].read_bytes(), classifier.card).image
        yield image, int(classifier.outputs(image[None])[0].argmax())


def _judged(classifier: Any, image: np.ndarray, target: int) -> JudgedPicture:
    case = Case(classifier, image, Score(target))
    results = list({result.method.title: result for result in run_methods(case, [method() for method in METHODS])}.values())
    found = [each for each in (evidence_on_grid(result, case.size) for result in results) if each is not None]
    readings = {result.method.title: each for result in results if (each := half_run_maps(result, case.size)) is not None}
    controls = picture_controls(image, make_baseline_image(image, case.fill))
    return JudgedPicture(image_digest(image), target, found, readings, reliability_scores(results, readings), controls)


def _false_alarms(pictures: Sequence[JudgedPicture], library: MapLibrary | None) -> int:
    """Of 400 mixtures, each family's maps of another picture, those in which any two families are said to agree."""
    rng, alarms = np.random.default_rng(0), 0
    families = sorted({method.family for method in METHODS})
    for _ in range(DRAWS):
        chosen = dict(zip(families, rng.choice(len(pictures), len(families), replace=False), strict=True))
        found = [each for family in families for each in pictures[chosen[family]].found if each.family == family]
        agreement = consistency_from_maps(found, {}, {}, ReferenceMaps(library, pictures[chosen[families[0]]].digest))
        alarms += any(each.level.beyond_chance for each in agreement.families)
    return alarms


def _true_claims(pictures: Sequence[JudgedPicture], library: MapLibrary | None) -> tuple[int, int]:
    """Pairs of methods of different families with a large kappa* that are said to agree, and how many there are.

    Which are truly alike is known from the library's kappa*, so that without one it is of none.
    """
    counts: Counter[bool] = Counter()
    for picture in pictures:
        background = ReferenceMaps(library, picture.digest, picture.controls, picture.target)
        found = consistency_from_maps(picture.found, picture.readings, picture.stable, background)
        alike = [each for each in found.pair_agreements if not each.within_family and each.ceiling is not None and each.ceiling >= ALIKE]
        counts.update(each.level.beyond_chance for each in alike)
    return counts[True], counts.total()


def _marks_content(picture: JudgedPicture, seed: int) -> bool:
    rng, content = np.random.default_rng(seed), picture.controls[CONTENT]
    maps = {title: content * rng.gamma(1.0, size=content.shape) for title in "ab"}
    return bool(PartialAgreement(maps, picture.controls).explanations("a", "b"))
