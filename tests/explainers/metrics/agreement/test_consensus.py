"""What all families have in common, by hand."""

import numpy as np
import pytest

from explainers.metrics.agreement.consensus import consensus_map, count_family_votes, mean_across_family_pairs, mean_share_by_family
from tests.explainers.metrics.agreement.test_similarity import at, known


def test_consensus_by_hand() -> None:
    """Two families over four cells: products of (P + 0.000025), rooted; a family's two members are rooted first."""
    a, b, c = np.array([[1.0, 0], [0, 0]]), np.array([[0, 1.0], [0, 0]]), np.array([[0.5, 0.5], [0, 0]])
    found = [known("lime", "surrogate", a), known("shap", "surrogate", b), known("cam", "CAM", np.array([[0.8, 0.2], [0, 0]]))]
    np.testing.assert_allclose(mean_share_by_family(found)["surrogate"], c)
    both = np.sqrt(1.000025 * 0.000025)
    expected = np.sqrt([[both * 0.800025, both * 0.200025], [0.000025**2, 0.000025**2]])
    np.testing.assert_allclose(consensus_map(found), expected / expected.sum())
    assert consensus_map([known("a", "CAM", None)]) is None


def test_votes_count_families_not_methods() -> None:
    one, two = at((0, 0), size=3), at((0, 0), size=3)
    found = [known("lime", "surrogate", one), known("shap", "surrogate", two), known("cam", "CAM", at((2, 2), size=3))]
    assert count_family_votes(found).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert count_family_votes([]).size == 0


def test_pairs_of_families_weigh_the_same() -> None:
    families = {"lime": "surrogate", "shap": "surrogate", "cam": "CAM", "ig": "gradient"}
    values = {("lime", "shap"): 1.0, ("lime", "cam"): 0.2, ("shap", "cam"): 0.4, ("cam", "ig"): 0.9}
    assert mean_across_family_pairs(values, families) == pytest.approx((0.3 + 0.9) / 2)
    assert mean_across_family_pairs({("lime", "shap"): 1.0}, families) is None
