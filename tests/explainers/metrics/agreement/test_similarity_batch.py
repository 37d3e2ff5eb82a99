"""One map against many at once gives what pair by pair gives."""

import numpy as np
import pytest

from explainers.metrics.agreement.similarity_batch import MapBatch, mean_similarities, pearson_correlations
from tests.explainers.metrics.agreement.test_similarity import at, random_share
from tests.explainers.plain_similarity import headline


def blocks(seed: int, cells: int = 14) -> np.ndarray:
    """A map of few values and many ties, as segments and rectified maps have."""
    share = np.round(np.random.default_rng(seed).random((cells, cells)) * 4 - 2).clip(0)
    return share / share.sum()


@pytest.mark.parametrize("draw", [random_share, blocks])
def test_equal_to_the_comparison_of_two(draw) -> None:
    maps = [draw(seed) for seed in range(12)] + [at((3, 4), size=14), np.full((14, 14), 1 / 196), blocks(99), random_share(99)]
    stack = MapBatch.of(maps)
    for number in (0, 5, 12, 13):
        expected = [headline(maps[number], each) for each in maps]
        np.testing.assert_allclose(mean_similarities(stack.map(number), stack), expected, atol=2e-6)


def test_a_map_with_itself_is_one() -> None:
    stack = MapBatch.of([random_share(3)])
    assert mean_similarities(stack, stack)[0] == pytest.approx(1, abs=1e-6)


def test_correlations_are_pearsons() -> None:
    maps = [random_share(seed) for seed in range(4)]
    stack = MapBatch.of([*maps, np.full((14, 14), 1 / 196)])
    expected = [*np.corrcoef([each.ravel() for each in maps])[0], 0]
    np.testing.assert_allclose(pearson_correlations(stack.map(0), stack), expected, atol=1e-5)
