"""Chance is calibrated: a short form of the benchmark's first check."""

import numpy as np
import pytest

from benchmarks.agreement_checks.null_calibration import HABIT, ceilings, different_pictures, noisy_pairs, paired_significance


@pytest.mark.parametrize("habit", [0.0, HABIT])
def test_unrelated_maps_are_seldom_called_related_whatever_habit_they_share(habit) -> None:
    """Of 300 pairs a rate of .05 lies within three standard errors of .013."""
    found = paired_significance(300, 0.0, habit)
    assert 0.01 <= np.mean([each.p <= 0.05 for each in found]) <= 0.09
    assert np.mean([each.kappa for each in found]) == pytest.approx(0, abs=0.03)


def test_a_shared_habit_does_not_move_kappa() -> None:
    with_it, without = (np.mean([each.kappa for each in paired_significance(200, 0.7, habit)]) for habit in (HABIT, 0.0))
    assert with_it == pytest.approx(without, abs=0.06)
    assert without > 0.3


@pytest.mark.parametrize(("habit", "noise"), [(2.0, 0.9), (4.0, 1.3)])
def test_unrelated_noisy_maps_have_no_ceiling_to_speak_of_whatever_habit_they_share(habit: float, noise: float) -> None:
    """Of one habit and little reliability kappa* was .28 while chance was not freed of the noise that agreement was freed of."""
    reliable, kappa, ceiling = np.mean(list(noisy_pairs(60, 0.0, habit, noise)), axis=0)
    assert 0.5 < reliable < 0.85
    assert (kappa, ceiling) == pytest.approx((0, 0), abs=0.06)


def test_noise_does_not_move_the_ceiling_of_related_maps() -> None:
    quiet, loud = (np.mean(list(noisy_pairs(60, 0.7, 2.0, noise)), axis=0) for noise in (0.0, 1.2))
    assert loud[1] < 0.6 * quiet[1], "kappa itself falls with the noise"
    assert loud[2] == pytest.approx(quiet[2], abs=0.08)


def test_the_checks_print_their_tables_and_name_what_misses(capsys: pytest.CaptureFixture[str]) -> None:
    assert ceilings(60) == []
    assert different_pictures(100) == []
    said = capsys.readouterr().out
    assert "| unrelated, habit 4, noise 1.3 | 0." in said
    assert said.count(" pictures | 0.0") == 4
