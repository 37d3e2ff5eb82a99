"""Energy, pointing and widening on maps small enough to work out by hand."""

import numpy as np
import pytest

from errors import UserError
from explainers.metrics.localisation.evidence_overlap import (
    dilate_mask,
    energy_inside_mask,
    iou_at_mask_area,
    localisation_scores,
    pointing_game_hit,
    relevance_rank_accuracy,
    uninformed_baseline_maps,
)

MASK = np.zeros((4, 4), bool)
MASK[1, 1] = MASK[1, 2] = True


def test_energy_counts_the_positive_part_alone() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 1], values[1, 2], values[3, 3], values[0, 0] = 2, 1, 1, -5
    assert energy_inside_mask(values, MASK) == pytest.approx(3 / 4)
    assert energy_inside_mask(values * 7, MASK) == pytest.approx(3 / 4)


def test_energy_of_an_even_map_is_the_area_and_of_an_empty_one_unknown() -> None:
    assert energy_inside_mask(np.ones((2, 2), np.float32), MASK) == pytest.approx(2 / 16)
    assert energy_inside_mask(-np.ones((4, 4), np.float32), MASK) is None


def test_pointing_allows_the_tolerance_and_no_more() -> None:
    values = np.zeros((4, 4), np.float32)
    values[3, 1] = 1
    assert pointing_game_hit(values, MASK, 2) == 1
    assert pointing_game_hit(values, MASK, 1.9) == 0
    assert pointing_game_hit(np.zeros((4, 4), np.float32), MASK, 2) is None


def test_peaks_that_tie_share_the_point() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 1] = values[3, 3] = 1
    assert pointing_game_hit(values, MASK, 0) == pytest.approx(1 / 2)


def test_widening_is_round() -> None:
    dot = np.zeros((7, 7), bool)
    dot[3, 3] = True
    assert dilate_mask(dot, 2).sum() == 13
    assert dilate_mask(np.zeros((3, 3), bool), 5).sum() == 0


def test_overlap_and_ranks_at_the_masks_area() -> None:
    """Two highest pixels, one in the mask of two: IoU 1 / 3, rank accuracy 1 / 2."""
    values = np.zeros((4, 4), np.float32)
    values[1, 1], values[3, 3], values[0, 0] = 5, 4, 1
    assert iou_at_mask_area(values, MASK) == pytest.approx(1 / 3)
    assert relevance_rank_accuracy(values, MASK) == pytest.approx(1 / 2)
    assert iou_at_mask_area(values * 3, MASK) == iou_at_mask_area(values, MASK)
    assert iou_at_mask_area(MASK.astype(np.float32), MASK) == 1
    assert iou_at_mask_area(-values, MASK) is None
    assert relevance_rank_accuracy(values, MASK & False) is None


def test_ties_share_the_last_places_so_that_an_even_map_gets_the_area() -> None:
    even = np.ones((4, 4), np.float32)
    assert relevance_rank_accuracy(even, MASK) == pytest.approx(2 / 16)
    assert iou_at_mask_area(even, MASK) == pytest.approx((2 / 8) / (4 - 2 / 8))


def test_baselines_stand_beside_every_map() -> None:
    mask = np.zeros((32, 48), bool)
    mask[12:20, 18:30] = True
    found = {each.title: each for each in localisation_scores({"map": mask.astype(np.float32)}, mask)}
    assert list(found) == ["map", "the area", "the centre", "a centred Gaussian"]
    assert (found["map"].energy, found["map"].overlap, found["map"].ranks, found["map"].points) == (1, 1, 1, 1)
    assert found["the area"].energy == pytest.approx(mask.mean())
    assert found["the centre"].energy == 1
    assert mask.mean() < found["a centred Gaussian"].energy < 1
    assert uninformed_baseline_maps((4, 4))["a centred Gaussian"].argmax() in (5, 6, 9, 10)
    with pytest.raises(UserError, match="region is empty"):
        localisation_scores({}, mask & False)


def test_the_map_that_is_judged_is_not_changed() -> None:
    values = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    values.flags.writeable = False
    localisation_scores({"map": values}, MASK)
