"""Chance pair by pair, as one would write it down: what the stacked arithmetic of `nulls` is held against."""

from collections.abc import Sequence

import numpy as np

from explainers.metrics.agreement.significance import (
    Significance,
    significance_against_both_nulls,
)
from explainers.metrics.agreement.similarity import rank_correlation, shared_map_mass, top_cell_overlap


def headline(a: np.ndarray, b: np.ndarray) -> float:
    return (top_cell_overlap(a, b) + shared_map_mass(a, b) + rank_correlation(a, b)) / 3


def chance(a: np.ndarray, b: np.ndarray, library_a: Sequence[np.ndarray], library_b: Sequence[np.ndarray]) -> Significance:
    nulls = [[headline(a, other) for other in library_b], [headline(other, b) for other in library_a]]
    return significance_against_both_nulls(headline(a, b), nulls)
