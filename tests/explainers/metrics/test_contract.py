"""What holds for every metric: a map's positive scale changes nothing, and the map that is judged is not changed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explainers import metrics
from explainers.case import Case, Settings
from explainers.method import Attribution
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.metrics.agreement import raw_similarity, similarity
from explainers.metrics.agreement.consistency import Background, build_consistency
from explainers.metrics.agreement.controls import EDGES, edges
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.reference_library import Library, gathered
from explainers.metrics.agreement.significance import displaced_copies
from explainers.metrics.agreement.similarity import Evidence
from explainers.metrics.agreement.similarity_batch import MapBatch, correlations, scores
from explainers.metrics.faithfulness import average_drop, deletion_insertion, infidelity, road
from explainers.metrics.localisation import evidence_overlap, grid_pointing_game
from explainers.metrics.randomisation import sanity_checks
from explainers.metrics.robustness import max_sensitivity, reliability
from explainers.metrics.robustness.reliability import ReadingKind, RepeatedReadings
from explainers.runner import Result
from tests.explainers.toy_classifiers import ToyScore, detectors, picture

Maps = dict[str, np.ndarray]
SIZE = (112, 112)
TITLES = ("LIME", "Grad-CAM")


def found_in(maps: Maps) -> list[Evidence]:
    """Through the same door as a study's results."""
    methods = {"LIME": LIME(), "Grad-CAM": GradCAM()}
    return [each for title in TITLES if (each := similarity.evidence(Result(methods[title], Attribution(maps[title])), SIZE)) is not None]


def shares(maps: Maps) -> list[np.ndarray]:
    return [each.share for each in found_in(maps)]


def agreements(maps: Maps) -> list[float]:
    found = found_in(maps)
    pair = similarity.pair(*found)
    return [pair.headline, pair.same_sign or 0, *similarity.consensus(found).ravel(), *similarity.votes(found).ravel()]


def against_chance(maps: Maps) -> list[float]:
    a, b = shares(maps)
    found = NullDistributions(dict(zip(TITLES, (a, b), strict=True)), None).chance(*TITLES)
    return [found.kappa, found.p, *displaced_copies(b)[5].ravel()]


def verdicts(maps: Maps) -> list[float]:
    found = found_in(maps)
    readings = {each.title: RepeatedReadings(each.signed, each.signed + np.roll(each.signed, 1), ReadingKind.HALF_RUNS) for each in found}
    stable = {title: reliability.stability(title, each, 100) for title, each in readings.items()}
    judged = build_consistency(found, readings, stable, Background(controls={EDGES: edges(picture(SIZE), 7)}))
    (one,) = judged.verdicts
    values = [
        one.chance.kappa,
        one.p,
        one.ceiling,
        *vars(one.raw).values(),
        *vars(one.raw_by_chance).values(),
        judged.controls[EDGES]["LIME"],
    ]
    return [*values, *(each.reliability for each in stable.values())]


def by_library(maps: Maps) -> list[float]:
    a, b = shares(maps)
    drawn = np.random.default_rng(0).random((31, 7, 7))
    rows = [dict(zip(TITLES, (each / each.sum(), each.T / each.sum()), strict=True)) for each in drawn]
    library = Library({}, tuple(map(str, range(31))), gathered(rows, TITLES, 7))
    found = NullDistributions(dict(zip(TITLES, (a, b), strict=True)), library).chance(*TITLES)
    return [found.kappa, found.p]


def stacks(maps: Maps) -> list[float]:
    one, other = (MapBatch.of([each]) for each in shares(maps))
    return [*scores(one, other)[:, 0], *correlations(one, other)]


def case() -> Case:
    toy = detectors(grid=(7, 7), cell=16)
    return Case(toy, picture(toy.size), ToyScore(0, "centred"), Settings(preset="Fast"))


def halves(maps: Maps) -> list[float]:
    read = reliability.half_runs(Result(LIME(), Attribution(maps["LIME"], halves=(maps["LIME"], maps["Grad-CAM"]))), SIZE)
    found = reliability.stability("LIME", read, 100)
    return [found.between, found.reliability, float(found.further or 0)]


def located(maps: Maps) -> list[float]:
    mask = np.zeros(SIZE, bool)
    mask[30:60, 20:90] = True
    return [value for each in evidence_overlap.located(maps, mask) for value in (each.energy, each.overlap, each.ranks, each.points)]


def in_a_mosaic(maps: Maps) -> list[float]:
    mosaic = grid_pointing_game.Mosaic(picture(SIZE), (0, 1, 2, 3), 2)
    return [grid_pointing_game.share_in_part(maps["LIME"], mosaic, number) for number in range(4)]


def moved(maps: Maps) -> list[float]:
    """Both maps come from one method, so both have its scale."""
    grids = [similarity.on_common_grid(Attribution(maps[title]), SIZE) for title in TITLES]
    return [sanity_checks.similarity(*grids), max_sensitivity.moved(maps["LIME"], [maps["Grad-CAM"]])]


METRICS: dict[str, Callable[[Maps], list[float]]] = {
    "similarity": agreements,
    "significance": against_chance,
    "consistency": verdicts,
    "null_distribution": by_library,
    "similarity_batch": stacks,
    "raw_similarity": lambda maps: list(vars(raw_similarity.raw(*shares(maps))).values()),
    "deletion_insertion": lambda maps: (
        [each.area for found in deletion_insertion.curves(case(), maps, deletion_insertion.Plan(steps=4)) for each in found]
        + [each.better for each in deletion_insertion.ranks(case(), "LIME", maps["LIME"], deletion_insertion.Plan(steps=3))]
    ),
    "road": lambda maps: [each.value for each in road.road(case(), maps)],
    "average_drop": lambda maps: [each.drop for each in average_drop.drops(case(), maps)],
    "infidelity": lambda maps: [each.value for each in infidelity.infidelities(case(), maps)],
    "evidence_overlap": located,
    "grid_pointing_game": in_a_mosaic,
    "reliability": halves,
    "sanity_checks": moved,
    "max_sensitivity": moved,
}
WITHOUT_MAPS = {"attenuation", "controls", "reference_library"}
"""Of numbers that others made of maps, of pictures, of files."""


def drawn() -> Maps:
    """Signed maps with a common part, so that they agree somewhat; not to be written to."""
    rng = np.random.default_rng(5)
    common = rng.normal(size=(14, 14))
    maps = {title: (common + rng.normal(size=(14, 14))).astype(np.float32).repeat(8, 0).repeat(8, 1) for title in TITLES}
    noise = np.linspace(0, 1e-3, 112 * 112, dtype=np.float32).reshape(SIZE)
    return {title: frozen(values + noise) for title, values in maps.items()}


def frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values


def test_every_metric_is_held_to_it() -> None:
    modules = {path.stem for path in Path(metrics.__file__).parent.rglob("*.py")} - {"__init__"}
    assert modules == set(METRICS) | WITHOUT_MAPS


@pytest.mark.parametrize("name", METRICS)
def test_the_scale_of_a_map_changes_nothing_and_nothing_changes_the_map(name: str) -> None:
    maps = drawn()
    before = {title: values.copy() for title, values in maps.items()}
    plain = np.array(METRICS[name](maps), float)
    assert np.isfinite(plain).all()
    for factor in (1024.0, 1e-3):
        scaled = {title: frozen(values * np.float32(factor)) for title, values in maps.items()}
        np.testing.assert_allclose(METRICS[name](scaled), plain, atol=2e-3 if name in ("deletion_insertion", "road") else 2e-5)
    for title, values in before.items():
        np.testing.assert_array_equal(maps[title], values)


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"sanity_checks", "max_sensitivity", "reliability"}))
def test_each_maps_own_scale_changes_nothing_either(name: str) -> None:
    """One map a thousand times the other, as a logit's map is beside a probability's."""
    maps = drawn()
    uneven = {"LIME": frozen(maps["LIME"] * np.float32(1024)), "Grad-CAM": maps["Grad-CAM"]}
    np.testing.assert_allclose(METRICS[name](uneven), METRICS[name](maps), atol=2e-5)
