"""What two maps share beyond controls: by hand, and on maps that follow the picture and know no model."""

import numpy as np
import pytest
from scipy.stats import rankdata

from explainers.metrics.agreement.control_maps import CENTRE, CONTENT, centred_gaussian_map
from explainers.metrics.agreement.partial_agreement import PartialAgreement


def ranked(grid: np.ndarray) -> np.ndarray:
    return 2 * (rankdata(grid) - 1) / (grid.size - 1) - 1


def test_the_partial_correlation_by_hand() -> None:
    """Against numpy's own least squares, one map at a time; without controls it is Spearman's."""
    rng = np.random.default_rng(0)
    a, b, control = (rng.normal(size=(6, 6)) for _ in range(3))
    partial = PartialAgreement({"a": a, "b": b}, {"c": control})
    assert partial.correlation("a", "b") == pytest.approx(np.corrcoef(ranked(a), ranked(b))[0, 1])
    r = ranked(control)
    left = [ranked(grid) - np.polyval(np.polyfit(r, ranked(grid), 2), r) for grid in (a, b)]
    assert partial.correlation("a", "b", ("c",)) == pytest.approx(np.corrcoef(*left)[0, 1])


def test_maps_of_the_picture_alone_are_marked_and_a_common_spot_is_not() -> None:
    """|picture - fill| times independent noise: 95 of 100 pairs and more are marked."""
    rng = np.random.default_rng(1)
    marked = kept = 0
    for _ in range(200):
        content = rng.gamma(0.7, size=(14, 14))
        controls = {CONTENT: content, CENTRE: centred_gaussian_map(14)}
        a, b = (content * rng.gamma(1, size=(14, 14)) for _ in "ab")
        marked += CONTENT in PartialAgreement({"a": a, "b": b}, controls).explanations("a", "b")
        seen = rng.gamma(1, size=(14, 14))
        a, b = (content * seen * rng.lognormal(0, 0.3, size=(14, 14)) for _ in "ab")
        kept += not PartialAgreement({"a": a, "b": b}, controls).explanations("a", "b")
    assert marked >= 190
    assert kept >= 190


def test_without_controls_or_maps_nothing_is_explained() -> None:
    one = np.ones((3, 3))
    assert PartialAgreement({"a": one, "b": one}, {}).explanations("a", "b") == ()
    assert PartialAgreement({"a": one, "b": one}, {"c": one}).correlation("a", "b") == 0
    PartialAgreement({}, {"c": one})
