"""The similarities that people know, by hand and against scikit-image and SciPy."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from skimage.metrics import structural_similarity

from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.raw_similarity import LIKENESSES, RawSimilarity, mean_raw_similarity, measure_raw_similarity
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.similarity_batch import MapBatch, window_means


def smooth(seed: int, cells: int = 14) -> np.ndarray:
    field = np.random.default_rng(seed).gamma(1.0, size=(cells, cells))
    return field + np.roll(field, 1, 0) + np.roll(field, 1, 1)


@pytest.mark.parametrize("cells", [7, 8, 14, 16])
def test_all_four_are_what_the_libraries_say(cells) -> None:
    a, b = smooth(1, cells), smooth(2, cells)
    found = measure_raw_similarity(a, b)
    assert found.spearman == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-5)
    assert found.pearson == pytest.approx(pearsonr(a.ravel(), b.ravel()).statistic, abs=1e-5)
    assert found.ssim == pytest.approx(structural_similarity(a / a.max(), b / b.max(), data_range=1.0, win_size=7), abs=1e-4)
    top = [np.argsort(-each, axis=None)[: round(0.2 * each.size)] for each in (a, b)]
    assert found.overlap == pytest.approx(len(np.intersect1d(*top)) / len(np.union1d(*top)), abs=1e-6)


def test_one_window_by_hand() -> None:
    """7 x 7 cells, one of them 1 and the rest 0 in A; one other in B. Means 1/49; variances 1/49; covariance -1/(49 * 48)."""
    a, b = np.zeros((7, 7)), np.zeros((7, 7))
    a[3, 3], b[0, 6] = 5, 2
    found = measure_raw_similarity(a, b)
    mean, variance, covariance = 1 / 49, 1 / 49, -1 / (49 * 48)
    expected = (2 * mean**2 + 1e-4) * (2 * covariance + 9e-4) / ((2 * mean**2 + 1e-4) * (2 * variance + 9e-4))
    assert found.ssim == pytest.approx(expected, abs=1e-5)
    assert found.pearson == pytest.approx(-1 / 48, abs=1e-6)
    assert found.spearman == pytest.approx(-1 / 48, abs=1e-6), "ties share their rank"
    assert found.overlap == 0


def test_a_map_is_like_itself_whatever_the_scale_and_stays_as_it_was() -> None:
    a = smooth(3)
    a.flags.writeable = False
    found = measure_raw_similarity(a, a * 1000)
    assert (found.spearman, found.ssim, found.pearson, found.overlap) == pytest.approx((1, 1, 1, 1), abs=1e-5)
    assert vars(measure_raw_similarity(a, smooth(4) * 1e-3)) == pytest.approx(vars(measure_raw_similarity(a, smooth(4))), abs=1e-5)


def test_a_constant_map_correlates_with_nothing() -> None:
    found = measure_raw_similarity(np.ones((8, 8)), smooth(1, 8))
    assert (found.spearman, found.pearson) == (0, 0)


def test_windows_by_hand() -> None:
    grid = np.arange(64, dtype=np.float32).reshape(8, 8)
    expected = [grid[row : row + 7, column : column + 7].mean() for row in (0, 1) for column in (0, 1)]
    assert window_means(grid.reshape(64, 1))[:, 0] == pytest.approx(expected)


def test_a_shared_habit_looks_like_agreement_and_chance_says_so() -> None:
    """Maps of different pictures that share nothing but the centre: raw values are high, and so is what chance gives."""
    bell = np.exp(-((np.arange(14) - 6.5) ** 2) / 18)
    habit = [np.outer(bell, bell) * (1 + 0.5 * smooth(seed)) for seed in range(130)]
    shares = [each / each.sum() for each in habit]
    library = MapLibrary({}, tuple(map(str, range(64))), {"a": np.stack(shares[2:66]), "b": np.stack(shares[66:])})
    nulls = NullDistributions({"a": shares[0], "b": shares[1]}, library)
    found, chance = nulls.raw("a", "b"), nulls.raw_by_chance("a", "b")
    assert found.spearman > 0.8
    assert chance.spearman == pytest.approx(found.spearman, abs=0.1)
    assert nulls.chance("a", "b").p > 0.05
    some = np.random.default_rng(0).permutation(64)[:40]
    plain = [measure_raw_similarity(shares[0], shares[66 + number]) for number in some] + [
        measure_raw_similarity(shares[2 + number], shares[1]) for number in some
    ]
    for name in LIKENESSES:
        assert getattr(chance, name) == pytest.approx(np.mean([getattr(each, name) for each in plain]), abs=1e-5)


def test_without_a_library_chance_is_not_known() -> None:
    a, b = (each / each.sum() for each in (smooth(1), smooth(2)))
    assert NullDistributions({"a": a, "b": b}, None).raw_by_chance("a", "b") is None


def test_a_mean_is_of_each_value() -> None:
    found = mean_raw_similarity(
        {"spearman": np.array([0.0, 1]), "ssim": np.array([1.0]), "pearson": np.array([0.5]), "overlap": np.array([0.25])}
    )
    assert found == RawSimilarity(0.5, 1, 0.5, 0.25)


def test_some_of_a_stack_are_of_every_class_where_classes_come_in_turns() -> None:
    """A fixed stride would meet the same class again and again."""
    maps = [np.full((7, 7), 1 / 49) * (1 + 0.01 * (number % 4)) for number in range(100)]
    chosen = MapBatch.of(maps).sample
    assert len(chosen) == 40
    kinds = np.round((chosen.shares[0] * 49 - 1) / 0.01).astype(int)
    assert np.bincount(kinds).min() >= 6
    assert len(MapBatch.of(maps[:31]).sample) == 31
