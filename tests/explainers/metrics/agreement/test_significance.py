"""Chance, ceiling, controls and words, by hand."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from explainers.metrics.agreement.attenuation_correction import disattenuated_correlation, disattenuated_kappa
from explainers.metrics.agreement.control_maps import centred_gaussian_map, difference_from_fill_map, edge_map
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.significance import (
    AgreementLevel,
    KappaInterval,
    agreement_significance,
    classify_agreement,
    resampled_counts,
    significance_against_both_nulls,
)
from explainers.metrics.robustness.reliability import is_reliable_enough, spearman_brown_reliability
from tests.explainers.metrics.agreement.test_similarity import random_share
from tests.explainers.plain_similarity import chance, headline


def test_kappa_and_p_by_hand() -> None:
    found = agreement_significance(0.7, [0.2, 0.4, 0.7, 0.3])
    assert found.mean == pytest.approx(0.4)
    assert found.kappa == pytest.approx(0.5)
    assert found.p == pytest.approx(2 / 5)
    assert agreement_significance(1.0, [1.0, 1.0]).kappa == 0


def test_p_of_what_lies_beyond_the_null_follows_its_tail() -> None:
    null = [0.2] * 60 + [0.3] * 20
    assert agreement_significance(0.7, null).p == pytest.approx(20 / 80 * np.exp(-(0.7 - 0.2) / 0.1)), "twenty exceed .2 by .1 on average"
    assert agreement_significance(0.31, null).p == pytest.approx(1 / 81), "the tail never makes p larger"
    assert agreement_significance(0.3, null).p == pytest.approx(21 / 81), "some map reaches it"
    assert agreement_significance(0.7, null[1:]).p == pytest.approx(1 / 80), "too few for a tail"
    assert agreement_significance(0.7, [0.2] * 80).p == pytest.approx(1 / 81), "a null that does not vary has none"


@pytest.mark.parametrize("others", [40, 100, 200])
def test_identical_maps_among_seven_are_told_from_chance(others: int) -> None:
    titles = [f"map {number}" for number in range(6)]
    maps = {title: random_share(number) for number, title in enumerate(titles)} | {"twin": random_share(0)}
    rows = {title: np.stack([random_share(1000 * (n + 1) + k) for k in range(others)]) for n, title in enumerate(maps)}
    nulls = NullDistributions(maps, MapLibrary({}, tuple(map(str, range(others))), rows))
    ps = [nulls.chance(*pair).p for pair in combinations(maps, 2)]
    adjusted = dict(zip(combinations(maps, 2), false_discovery_control(ps), strict=True))
    assert adjusted["map 0", "twin"] < 0.001
    assert sum(p <= 0.05 for p in adjusted.values()) <= 2


def test_two_nulls_are_combined_not_pooled() -> None:
    """Of .05 and .8 the mean of the tangents decides; the pooled p serves where it is smaller."""
    even = significance_against_both_nulls(0.5, [[0.1, 0.2, 0.3, 0.6], [0.1, 0.2, 0.3, 0.7]])
    assert even.p == pytest.approx(3 / 9), "pooled, 2 of 8 are as large; either alone has 2 / 5"
    assert even.mean == pytest.approx(2.5 / 8)
    uneven = significance_against_both_nulls(0.5, [[0.1] * 19, [0.1] * 4 + [0.9] * 15])
    assert uneven.p == pytest.approx(0.5 - np.arctan((np.tan(0.45 * np.pi) + np.tan(-0.3 * np.pi)) / 2) / np.pi)
    assert significance_against_both_nulls(0.0, [[0.1], [0.1]]).p == pytest.approx(1)


def test_identity_is_one_and_the_mean_is_zero() -> None:
    assert agreement_significance(1.0, [0.1, 0.3]).kappa == 1
    assert agreement_significance(0.2, [0.1, 0.3]).kappa == pytest.approx(0)


def habit(seed: int) -> np.ndarray:
    """A random map with a centre that all maps share."""
    share = centred_gaussian_map(14) * np.random.default_rng(seed).gamma(1.0, size=(14, 14))
    return share / share.sum()


def test_a_shared_habit_is_no_agreement_against_other_pictures() -> None:
    alarms = 0
    for trial in range(30):
        a, b, *rest = (habit(1000 * trial + s) for s in range(62))
        alarms += chance(a, b, rest[:30], rest[30:]).p <= 0.05
    assert alarms <= 5


def test_without_thirty_other_pictures_there_is_no_chance_to_compare_with() -> None:
    a, b, others = random_share(0), random_share(1), np.stack([random_share(s) for s in range(2, 32)])
    assert NullDistributions({"a": a, "b": b}, None).chance("a", "b") is None
    for missing, known in ((0, True), (1, False)):
        rows = others.copy()
        rows[:missing] = np.nan
        found = NullDistributions({"a": a, "b": b}, MapLibrary({}, tuple(map(str, range(30))), {"a": rows, "b": others})).chance("a", "b")
        assert (found is not None) == known
    assert found is None


def test_a_control_of_no_other_picture_is_compared_one_way() -> None:
    a, control, others = random_share(0), random_share(1), np.stack([random_share(s) for s in range(2, 42)])
    nulls = NullDistributions({"a": a, "c": control}, MapLibrary({}, tuple(map(str, range(40))), {"a": others}), controls=("c",))
    mean = np.mean([headline(control, other) for other in others])
    assert nulls.kappa("a", "c") == pytest.approx((headline(a, control) - mean) / (1 - mean), abs=1e-6)


def test_the_interval_is_that_of_resampled_libraries() -> None:
    """By hand: each library's mean, kappa against it, and the middle 95 of 100."""
    a, b = random_share(0), random_share(1)
    rows = {title: np.stack([random_share(1000 * (n + 1) + k) for k in range(40)]) for n, title in enumerate("ab")}
    found = NullDistributions({"a": a, "b": b}, MapLibrary({}, tuple(map(str, range(40))), rows)).chance("a", "b")
    both = np.array([(headline(a, other) + headline(one, b)) / 2 for one, other in zip(rows["a"], rows["b"], strict=True)])
    kappas = []
    for counts in resampled_counts(40):
        mean = np.average(both, weights=counts)
        kappas.append((headline(a, b) - mean) / (1 - mean))
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(kappas, (0.025, 0.975))), abs=1e-6)
    assert found.interval.low < found.kappa < found.interval.high
    highest = np.quantile(np.concatenate([[headline(a, o) for o in rows["b"]], [headline(o, b) for o in rows["a"]]]), 0.95)
    assert found.detectable == pytest.approx((highest - both.mean()) / (1 - both.mean()), abs=1e-6)


def test_the_null_takes_both_directions() -> None:
    a, b, c, d = (random_share(s) for s in range(4))
    library = MapLibrary({}, tuple(map(str, range(30))), {"a": np.stack([c] * 30), "b": np.stack([d] * 30)})
    assert NullDistributions({"a": a, "b": b}, library).chance("a", "b").mean == pytest.approx(
        (headline(a, d) + headline(c, b)) / 2, abs=1e-6
    )


def test_benjamini_hochberg_by_hand() -> None:
    assert false_discovery_control([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert false_discovery_control([]).tolist() == []
    assert false_discovery_control([0.9, 0.8]) == pytest.approx([0.9, 0.9])


def test_the_ceiling_takes_out_the_methods_own_noise() -> None:
    """Two noisy readings each of one truth, on the scale of correlations: crossed .49, own .5 each: true agreement .98."""
    assert disattenuated_correlation((0.50, 0.48), (0.5, 0.5)) == pytest.approx(0.98)
    assert disattenuated_correlation((0.9, 0.9), (0.5, 0.5)) == 1
    assert disattenuated_correlation((0.3, 0.3), (0.09, 0.9)) is None
    assert disattenuated_kappa(0.98, 0.6) == pytest.approx(0.95)
    assert disattenuated_kappa(0.5, 1.0) == 0


def test_reliability_of_the_whole_from_its_halves() -> None:
    assert spearman_brown_reliability(0.5) == pytest.approx(2 / 3)
    assert spearman_brown_reliability(-1) == -1
    assert is_reliable_enough(0.54)
    assert not is_reliable_enough(0.53)


def test_words_go_by_the_interval_and_p() -> None:
    cases = {
        "none": [(KappaInterval(-0.1, 0.09), 0.5), (KappaInterval(0.0, 0.09), 0.01)],
        "some": [(KappaInterval(0.1, 0.3), 0.05), (KappaInterval(0.49, 0.7), 0.01)],
        "strong": [(KappaInterval(0.5, 0.7), 0.05), (KappaInterval(0.8, 0.9), 0.001)],
        "cannot be told yet": [
            (KappaInterval(0.8, 0.9), 0.051),
            (KappaInterval(0.05, 0.3), 0.01),
            (None, None),
            (KappaInterval(0.8, 0.9), None),
        ],
    }
    for word, all_given in cases.items():
        assert [classify_agreement(*given) for given in all_given] == [word] * len(all_given)
    assert {level for level in AgreementLevel if level.beyond_chance} == {"some", "strong"}


def test_controls_by_hand() -> None:
    image = np.zeros((64, 64, 3), np.float32)
    image[:, 32:] = 1
    found = edge_map(image, 8)
    assert found.sum() == pytest.approx(1)
    assert found[:, 3:5].sum() == pytest.approx(1)
    np.testing.assert_allclose(edge_map(np.ones((64, 64, 3), np.float32), 8), 1 / 64)
    image[:] = 0.25
    image[8:16, 8:16] = 0.75
    covered = difference_from_fill_map(image, np.full_like(image, 0.25), 8)
    assert covered[1, 1] == pytest.approx(1)
    np.testing.assert_allclose(difference_from_fill_map(image, image, 8), 1 / 64)
    bell = centred_gaussian_map(7)
    assert bell.sum() == pytest.approx(1)
    assert np.unravel_index(bell.argmax(), bell.shape) == (3, 3)
    np.testing.assert_allclose(bell, bell.T)
