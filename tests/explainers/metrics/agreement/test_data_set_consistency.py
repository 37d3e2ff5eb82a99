"""Families over many pictures: mean, interval and corrected count, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from explainers.metrics.agreement.consistency import ReferenceMaps
from explainers.metrics.agreement.data_set_consistency import data_set_consistency
from tests.explainers.metrics.agreement.test_consistency import judged, library, noise


def test_counts_are_corrected_over_all_pictures_and_families_together() -> None:
    one = judged({"cam": noise(1), "lime": noise(2), "ig": noise(3)}, ReferenceMaps(library()))
    ps = np.random.default_rng(0).uniform(0, 0.08, (20, 3))
    kappas = np.random.default_rng(1).uniform(0, 1, (20, 3))
    pictures = [
        replace(
            one,
            families=tuple(
                replace(each, chance=replace(each.chance, p=p, kappa=kappa)) for each, p, kappa in zip(one.families, *row, strict=True)
            ),
        )
        for row in zip(ps, kappas, strict=True)
    ]
    found = data_set_consistency(pictures)
    agreeing = (false_discovery_control(ps.ravel()) <= 0.05).reshape(20, 3).sum(0)
    assert [each.agreeing for each in found] == agreeing.tolist()
    assert [each.kappa for each in found] == pytest.approx(kappas.mean(0).tolist())
    for each, column in zip(found, kappas.T, strict=True):
        error = column.std(ddof=1) / np.sqrt(20)
        assert each.interval.low == pytest.approx(each.kappa - 1.96 * error, abs=0.5 * error)
        assert each.interval.high == pytest.approx(each.kappa + 1.96 * error, abs=0.5 * error)
        assert each.pictures == 20


def test_pictures_without_a_chance_to_compare_with_do_not_count() -> None:
    assert data_set_consistency([judged({"cam": noise(1), "lime": noise(2)}, ReferenceMaps())]) == ()
    assert data_set_consistency([]) == ()
