"""Energy, pointing and widening on maps small enough to work out by hand."""

import numpy as np
import pytest

from explainers.measures.localisation import energy_inside, points_at, widened

MASK = np.zeros((4, 4), bool)
MASK[1, 1] = MASK[1, 2] = True


def test_energy_counts_the_positive_part_alone() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 1], values[1, 2], values[3, 3], values[0, 0] = 2, 1, 1, -5
    assert energy_inside(values, MASK) == pytest.approx(3 / 4)
    assert energy_inside(values * 7, MASK) == pytest.approx(3 / 4)


def test_energy_of_an_even_map_is_the_area_and_of_an_empty_one_unknown() -> None:
    assert energy_inside(np.ones((2, 2), np.float32), MASK) == pytest.approx(2 / 16)
    assert energy_inside(-np.ones((4, 4), np.float32), MASK) is None


def test_pointing_allows_the_tolerance_and_no_more() -> None:
    values = np.zeros((4, 4), np.float32)
    values[3, 1] = 1
    assert points_at(values, MASK, 2) == 1
    assert points_at(values, MASK, 1.9) == 0
    assert points_at(np.zeros((4, 4), np.float32), MASK, 2) is None


def test_peaks_that_tie_share_the_point() -> None:
    values = np.zeros((4, 4), np.float32)
    values[1, 1] = values[3, 3] = 1
    assert points_at(values, MASK, 0) == pytest.approx(1 / 2)


def test_widening_is_round() -> None:
    dot = np.zeros((7, 7), bool)
    dot[3, 3] = True
    assert widened(dot, 2).sum() == 13
    assert widened(np.zeros((3, 3), bool), 5).sum() == 0
