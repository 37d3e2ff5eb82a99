"""What holds for every metric: a map's positive scale changes nothing, and the map that is judged is not changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from app.commands.manifest_metrics import to_json_values
from explainers import metrics
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import MethodResult, run_methods
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.metric import Family, Metric
from explainers.metrics import METRICS
from explainers.metrics.agreement import consensus, raw_similarity, similarity
from explainers.metrics.agreement.agreement import AgreementContext, AgreementMetric
from explainers.metrics.agreement.consistency import ReferenceMaps, consistency_from_maps
from explainers.metrics.agreement.control_maps import EDGES, edge_map
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.partial_agreement import PartialAgreement
from explainers.metrics.agreement.reference_library import MapLibrary, stack_maps_by_method
from explainers.metrics.agreement.similarity import MapEvidence
from explainers.metrics.agreement.similarity_batch import MapBatch, pearson_correlations, similarity_scores
from explainers.metrics.faithfulness import average_drop, deletion_insertion, hidden_place, infidelity, road, transplants
from explainers.metrics.localisation import evidence_overlap, grid_pointing_game
from explainers.metrics.randomisation import sanity_checks
from explainers.metrics.robustness import max_sensitivity, reliability
from explainers.metrics.robustness.reliability import RepeatedMaps, RepeatedReadingSource
from models.classifiers.score import Score
from models.loading import load_classifier
from tests.explainers.toy_classifiers import ToyScore, detectors, picture

Maps = dict[str, np.ndarray]
SIZE = (112, 112)
TITLES = ("LIME", "Grad-CAM")


def found_in(maps: Maps) -> list[MapEvidence]:
    """Through the same door as a study's results."""
    return [each for result in results_of(maps) if (each := similarity.evidence_on_grid(result, SIZE)) is not None]


def results_of(maps: Maps) -> list[MethodResult]:
    methods = {"LIME": LIME(), "Grad-CAM": GradCAM()}
    return [MethodResult(methods[title], Attribution(maps[title])) for title in TITLES]


def shares(maps: Maps) -> list[np.ndarray]:
    return [each.share for each in found_in(maps)]


def agreements(maps: Maps) -> list[float]:
    found = found_in(maps)
    pair = similarity.pair_similarity(*found)
    return [
        pair.mean_similarity,
        pair.same_sign or 0,
        *consensus.consensus_map(found).ravel(),
        *consensus.count_family_votes(found).ravel(),
    ]


def pair_agreements(maps: Maps) -> list[float]:
    found = found_in(maps)
    readings = {
        each.title: RepeatedMaps(each.signed, each.signed + np.roll(each.signed, 1), RepeatedReadingSource.HALF_RUNS) for each in found
    }
    stable = {title: reliability.reliability_score(title, each, 100) for title, each in readings.items()}
    judged = consistency_from_maps(found, readings, stable, ReferenceMaps(others(), controls={EDGES: edge_map(picture(SIZE), 7)}))
    (one,) = judged.pair_agreements
    values = [
        one.chance.kappa,
        one.p,
        one.ceiling,
        *vars(one.raw).values(),
        *vars(one.raw_by_chance).values(),
        judged.controls[EDGES]["LIME"],
    ]
    return [*values, *(each.reliability for each in stable.values())]


def agreement(maps: Maps) -> list[float]:
    """As the metric itself gives it; without a library only what chance is still in."""
    (found,) = AgreementMetric(AgreementContext(None, "toy", None, ()))(case(), results_of(maps))
    return [each.likeness.mean_similarity for each in found.consistency.pair_agreements]


def by_library(maps: Maps) -> list[float]:
    nulls = NullDistributions(dict(zip(TITLES, shares(maps), strict=True)), others())
    found, shared = nulls.chance(*TITLES), nulls.shared([TITLES])
    return [found.kappa, found.p, found.interval.low, found.detectable, shared.p, shared.kappa]


def others() -> MapLibrary:
    drawn = np.random.default_rng(0).random((31, 7, 7))
    rows = [dict(zip(TITLES, (each / each.sum(), each.T / each.sum()), strict=True)) for each in drawn]
    return MapLibrary({}, tuple(map(str, range(31))), stack_maps_by_method(rows, TITLES, 7))


def in_part(maps: Maps) -> list[float]:
    partial = PartialAgreement(dict(zip(TITLES, shares(maps), strict=True)), {EDGES: edge_map(picture(SIZE), 7)})
    return [partial.correlation(*TITLES), partial.correlation(*TITLES, (EDGES,))]


def stacks(maps: Maps) -> list[float]:
    one, other = (MapBatch.of([each]) for each in shares(maps))
    return [*similarity_scores(one, other)[:, 0], *pearson_correlations(one, other)]


def case() -> Case:
    toy = detectors(grid=(7, 7), cell=16)
    return Case(toy, picture(toy.size), ToyScore(0, "centred"), ExplanationSettings(preset="Fast"))


def halves(maps: Maps) -> list[float]:
    read = reliability.half_run_maps(MethodResult(LIME(), Attribution(maps["LIME"], halves=(maps["LIME"], maps["Grad-CAM"]))), SIZE)
    found = reliability.reliability_score("LIME", read, 100)
    return [found.between, found.reliability, float(found.further or 0)]


def located(maps: Maps) -> list[float]:
    mask = np.zeros(SIZE, bool)
    mask[30:60, 20:90] = True
    scores = evidence_overlap.localisation_scores(maps, mask)
    return [value for each in scores for value in (each.energy, each.overlap, each.ranks, each.points)]


def in_a_mosaic(maps: Maps) -> list[float]:
    mosaic = grid_pointing_game.GridGameMosaic(picture(SIZE), (0, 1, 2, 3), 2)
    return [grid_pointing_game.share_in_mosaic_part(maps["LIME"], mosaic, number) for number in range(4)]


def moved(maps: Maps) -> list[float]:
    """Both maps come from one method, so both have its scale."""
    grids = [similarity.attribution_on_common_grid(Attribution(maps[title]), SIZE) for title in TITLES]
    return [sanity_checks.map_rank_correlation(*grids), max_sensitivity.largest_relative_change(maps["LIME"], [maps["Grad-CAM"]])]


def hidden(maps: Maps) -> list[float]:
    return [value for found in hidden_place.HiddenConsensusMetric()(case(), results_of(maps)) for value in (found.fall, *found.others)]


VALUES: dict[str, Callable[[Maps], list[float]]] = {
    "similarity": agreements,
    "consensus": agreements,
    "significance": by_library,
    "family_agreement": by_library,
    "partial_agreement": in_part,
    "agreement": agreement,
    "consistency": pair_agreements,
    "null_distribution": by_library,
    "similarity_batch": stacks,
    "raw_similarity": lambda maps: list(vars(raw_similarity.measure_raw_similarity(*shares(maps))).values()),
    "deletion_insertion": lambda maps: [
        each.area
        for found in deletion_insertion.measure_deletion_curves(case(), maps, deletion_insertion.DeletionPlan(steps=4))
        for each in found
    ],
    "transplants": lambda maps: [
        each.better
        for each in transplants.transplant_tests(case(), "LIME", shares(maps)[0], others(), deletion_insertion.DeletionPlan(steps=3))
    ],
    "hidden_place": hidden,
    "road": lambda maps: [each.value for each in road.road_scores(case(), maps)],
    "average_drop": lambda maps: [each.drop for each in average_drop.average_drops(case(), maps)],
    "infidelity": lambda maps: [each.value for each in infidelity.measure_infidelity(case(), maps)],
    "evidence_overlap": located,
    "grid_pointing_game": in_a_mosaic,
    "reliability": halves,
    "sanity_checks": moved,
    "max_sensitivity": moved,
}
WITHOUT_MAPS = {"attenuation_correction", "control_maps", "data_set_consistency", "reference_library"}
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
    assert modules == set(VALUES) | WITHOUT_MAPS


@pytest.mark.parametrize("name", VALUES)
def test_the_scale_of_a_map_changes_nothing_and_nothing_changes_the_map(name: str) -> None:
    maps = drawn()
    before = {title: values.copy() for title, values in maps.items()}
    plain = np.array(VALUES[name](maps), float)
    assert np.isfinite(plain).all()
    for factor in (1024.0, 1e-3):
        scaled = {title: frozen(values * np.float32(factor)) for title, values in maps.items()}
        np.testing.assert_allclose(VALUES[name](scaled), plain, atol=2e-3 if name in ("deletion_insertion", "road") else 2e-5)
    for title, values in before.items():
        np.testing.assert_array_equal(maps[title], values)


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"sanity_checks", "max_sensitivity", "reliability"}))
def test_each_maps_own_scale_changes_nothing_either(name: str) -> None:
    """One map a thousand times the other, as a logit's map is beside a probability's."""
    maps = drawn()
    uneven = {"LIME": frozen(maps["LIME"] * np.float32(1024)), "Grad-CAM": maps["Grad-CAM"]}
    np.testing.assert_allclose(VALUES[name](uneven), VALUES[name](maps), atol=2e-5)


every_metric = pytest.mark.parametrize("kind", METRICS, ids=lambda kind: kind.key)


def glass_box() -> Case:
    classifier = load_classifier("glass_box")
    return Case(classifier, picture(classifier.size), Score(0), ExplanationSettings(preset="Fast"))


@every_metric
def test_it_says_what_it_is(kind: type[Metric[Any]]) -> None:
    assert kind.family in get_args(Family)
    assert kind.__module__.split(".")[2] == kind.family
    for words in (kind.title, kind.formula, kind.description, kind.source):
        assert words
    assert kind.description.endswith(".")
    assert kind.on_request <= (kind.given({}) is not None), "what a button starts needs nothing but the maps"


def test_keys_and_titles_differ() -> None:
    assert len({kind.key for kind in METRICS}) == len({kind.title for kind in METRICS}) == len(METRICS)


@every_metric
def test_it_costs_no_more_than_it_says_and_can_be_written_as_json(kind: type[Metric[Any]]) -> None:
    """Of a case of its own, as behind a button of the page."""
    results = [result for result in run_methods(glass_box(), [GradCAM(), LIME()]) if result.done]
    fresh = glass_box()
    metric = kind.given(
        {
            "context": AgreementContext(None, "glass_box", fresh.classifier.randomised("everything", 0), ()),
            "region": np.eye(fresh.size[0], dtype=bool),
            "mosaic": grid_pointing_game.GridGameMosaic(fresh.image, (0, 1, 2, 3), 2),
            "part": 1,
        }
    )
    assert metric is not None
    cost = metric.cost(fresh, results)
    found = list(metric(fresh, results))
    assert fresh.evaluations <= cost
    assert found
    assert metric.complete(found, results)
    json.dumps(to_json_values(metric.to_json(found)))
