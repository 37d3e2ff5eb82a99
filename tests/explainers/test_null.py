"""Chance is calibrated: a short form of the benchmark's first check."""

import numpy as np
import pytest

from benchmarks.checks.null import HABIT, judged_pairs


@pytest.mark.parametrize("habit", [0.0, HABIT])
def test_unrelated_maps_are_seldom_called_related_whatever_habit_they_share(habit) -> None:
    """Of 300 pairs a rate of .05 lies within three standard errors of .013."""
    found = judged_pairs(300, 0.0, habit)
    assert 0.01 <= np.mean([each.p <= 0.05 for each in found]) <= 0.09
    assert np.mean([each.kappa for each in found]) == pytest.approx(0, abs=0.03)


def test_a_shared_habit_does_not_move_kappa() -> None:
    with_it, without = (np.mean([each.kappa for each in judged_pairs(200, 0.7, habit)]) for habit in (HABIT, 0.0))
    assert with_it == pytest.approx(without, abs=0.06)
    assert without > 0.3
