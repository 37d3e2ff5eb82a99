"""Transplants: the right map beats other pictures' maps, one of theirs does not, and without a library nothing is said."""

import numpy as np
import pytest

from app.model_files import read_map_library_of_model
from explainers.explanation_case import Case
from explainers.grid import sum_into_cells
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.metrics.agreement.control_maps import centred_gaussian_map
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.faithfulness.deletion_insertion import DeletionPlan
from explainers.metrics.faithfulness.transplants import COARSE, OTHERS, TransplantsMetric, TransplantTest, transplant_tests
from models.classifiers.score import Score
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches, exact_pixel_evidence
from models.loading import load_classifier

TITLE = "Integrated Gradients"
PLAN = DeletionPlan(substrates=("mean colour",), steps=7, randoms=0)


@pytest.fixture(scope="module")
def library() -> MapLibrary:
    found = read_map_library_of_model("glass_box")
    assert found is not None
    return found


def share_beaten(case: Case, share: np.ndarray, library: MapLibrary) -> float:
    return float(np.mean([each.share for each in transplant_tests(case, TITLE, share, library, PLAN)]))


def test_the_right_map_beats_others_and_a_foreign_one_or_a_bell_does_not(library: MapLibrary) -> None:
    """Exact evidence above .8; another picture's map, and a centred bell among such bells, about .5."""
    right, foreign = [], []
    classifier = load_classifier("glass_box")
    for seed in range(8):
        label = seed % len(NAMES)
        case = Case(classifier, draw_colour_patches(seed, NAMES[label]).image, Score(label))
        evidence = sum_into_cells(np.maximum(exact_pixel_evidence(case.image)[..., label], 0), 8)
        right.append(share_beaten(case, evidence / evidence.sum(), library))
        known = library.maps[TITLE][np.isfinite(library.maps[TITLE]).all((1, 2))]
        foreign.append(share_beaten(case, known[40 + seed], library))
    assert np.mean(right) > 0.8
    assert 0.3 < np.mean(foreign) < 0.7
    bells = MapLibrary({}, tuple(map(str, range(31))), {TITLE: np.stack([centred_gaussian_map(8)] * 31).astype(np.float32)})
    assert share_beaten(case, bells.maps[TITLE][0], bells) == 0.5


def test_without_a_library_nothing_is_evaluated_or_claimed(library: MapLibrary) -> None:
    case = Case(load_classifier("glass_box"), draw_colour_patches(0, "red").image, Score(0))
    found = list(transplant_tests(case, TITLE, centred_gaussian_map(8), None))
    assert case.evaluations == 0
    assert [(each.kind, each.others, each.conclusive, each.area) for each in found] == [
        ("deletion", 0, False, None),
        ("insertion", 0, False, None),
    ]
    assert found[0].to_json()["share"] is None
    unfit = TransplantsMetric(AgreementContext(library, "another model", None, ()))
    assert list(unfit(case, [])) == []


def test_the_cost_is_said_before() -> None:
    assert COARSE.cost_per_order() * OTHERS == 13 * 2 * 30
    assert TransplantsMetric().cost(Case(load_classifier("glass_box"), draw_colour_patches(0, "red").image, Score(0)), []) == 0


def test_shares_count_a_tie_half() -> None:
    assert TransplantTest("m", "deletion", "blur", 0.5, 12, 20, 4).share == pytest.approx(0.7)
    assert TransplantTest("m", "deletion", "blur", 0.5, 0, 0).share == 0.5
