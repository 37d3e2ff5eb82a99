"""Agreement of maps on the common grid, by hand."""

import numpy as np
import pytest

from explainers.grid import attribution_on_common_grid
from explainers.method import Attribution
from explainers.method_runner import MethodResult
from explainers.methods.grad_cam import GradCAM
from explainers.methods.shap import SHAP
from explainers.metrics.agreement.similarity import (
    MapEvidence,
    evidence_on_grid,
    normalise_positive_part,
    pair_similarity,
    rank_correlation,
    shared_map_mass,
    sign_agreement,
    strongest_cells,
    top_cell_overlap,
)


def random_share(seed: int, cells: int = 14) -> np.ndarray:
    share = np.random.default_rng(seed).random((cells, cells))
    return share / share.sum()


def at(*cells: tuple[int, int], size: int = 10) -> np.ndarray:
    share = np.zeros((size, size))
    for cell in cells:
        share[cell] = 1 / len(cells)
    return share


def known(title: str, family: str, share: np.ndarray | None) -> MapEvidence:
    return MapEvidence(title, family, True, np.zeros((2, 2)) if share is None else share, share, "" if share is not None else "none")


def test_the_grid_sums_before_it_rectifies() -> None:
    """A +1 and a -1 pixel in one cell cancel: 112 px on 7 cells of 16."""
    values = np.zeros((112, 112), np.float32)
    values[0, 0], values[3, 3], values[40, 40] = 1, -1, 2
    grid = attribution_on_common_grid(Attribution(values), (112, 112))
    assert grid.shape == (7, 7)
    assert grid[0, 0] == 0
    assert grid[2, 2] == 2
    assert normalise_positive_part(grid)[2, 2] == 1


def test_a_cams_signed_map_is_the_one_that_is_judged() -> None:
    """Where the map before the ReLU is all but negative, the rectified one is not stretched to evidence."""
    signed = -np.ones((7, 7), np.float32)
    signed[3, 3] = 0.4
    found = evidence_on_grid(MethodResult(GradCAM(), Attribution(np.maximum(signed, 0), signed=signed)), (112, 112))
    assert found.share is None
    assert found.reason == "no positive evidence"


def test_no_positive_evidence_under_one_percent_or_where_constant() -> None:
    grid = -np.ones((10, 10))
    grid[0, 0] = 0.98
    assert normalise_positive_part(grid) is None
    grid[0, 0] = 1.01
    assert normalise_positive_part(grid)[0, 0] == 1
    assert normalise_positive_part(np.full((10, 10), 0.3)) is None
    assert normalise_positive_part(np.zeros((10, 10))) is None
    assert normalise_positive_part(np.full((10, 10), np.nan)) is None


def test_a_blank_map_keeps_its_own_reason_and_a_failed_method_gives_none() -> None:
    blank = MethodResult(SHAP(), Attribution(np.zeros((112, 112), np.float32), blank="Nothing moved."))
    assert evidence_on_grid(blank, (112, 112)).reason == "Nothing moved."
    lit = MethodResult(SHAP(), Attribution(np.eye(112, dtype=np.float32), blank="Only noise."))
    assert evidence_on_grid(lit, (112, 112)).share is None, "what is shown as no evidence is not compared either"
    assert evidence_on_grid(MethodResult(SHAP(), None, error="failed"), (112, 112)) is None


def test_a_map_agrees_with_itself_fully() -> None:
    share = random_share(0)
    found = pair_similarity(known("a", "CAM", share), known("b", "gradient", share))
    assert (found.top_overlap, found.rank_correlation, found.same_sign) == pytest.approx((1, 1, 1))
    assert found.shared_mass == pytest.approx(1)
    assert found.mean_similarity == pytest.approx(1)


def test_top_overlap_by_hand() -> None:
    """Ten cells of a hundred in each map, five of them shared: 5, 10 and 20 % tops overlap by 5 / 15 once and by ties' even shares else."""
    a = at(*[(0, c) for c in range(10)])
    b = at(*[(0, c) for c in range(5)], *[(1, c) for c in range(5)])
    assert strongest_cells(a, 0.05)[0].tolist() == [0.5] * 10, "ten cells tie for five places"
    assert strongest_cells(a, 0.20).sum() == 10, "cells without evidence never belong"
    assert top_cell_overlap(a, b) == pytest.approx(1 / 3)


def test_chance_of_top_overlap_is_q_by_two_less_q() -> None:
    """Over many independent maps; intersection over union is a ratio, so the mean lies a little above q / (2 - q)."""
    overlaps = [top_cell_overlap(random_share(2 * s, 16), random_share(2 * s + 1, 16)) for s in range(400)]
    assert np.mean(overlaps) == pytest.approx(np.mean([q / (2 - q) for q in (0.05, 0.1, 0.2)]), abs=0.01)


def test_shared_mass_by_hand() -> None:
    assert shared_map_mass(np.array([0.5, 0.5, 0]), np.array([0.25, 0.25, 0.5])) == pytest.approx(0.5)
    assert shared_map_mass(at((0, 0)), at((1, 1))) == 0


def test_rank_correlation_by_hand() -> None:
    """Ten cells, top three of each: {9,8,7} and {9,8,0}; ranks over {0,7,8,9}: 1,2,3,4 and 2,1,3,4 -> 1 - 6*2/(4*15) = 0.8."""
    a = np.arange(1.0, 11)
    b = np.array([8.0, 1, 1, 1, 1, 1, 1, 2, 9, 10])
    assert rank_correlation(a / a.sum(), b / b.sum()) == pytest.approx(0.8)
    assert rank_correlation(at((0, 0)), at((0, 0), (5, 5))) == 0, "constant over the union: no order to compare"


def test_same_sign_by_hand() -> None:
    assert sign_agreement(np.array([1.0, -2, 3]), np.array([2.0, -1, -1])) == pytest.approx(4 / 7)
    assert sign_agreement(np.zeros(3), np.ones(3)) == 0


def test_signs_are_compared_only_where_both_methods_have_them() -> None:
    share = random_share(1)
    unsigned = MapEvidence("cam", "CAM", False, share, share)
    assert pair_similarity(unsigned, known("shap", "surrogate", share)).same_sign is None


def test_a_map_without_evidence_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="b has no positive evidence"):
        pair_similarity(known("a", "CAM", random_share(0)), known("b", "CAM", None))
