"""Predicts convergence: how far a map agrees with the one that all evaluations of its kind would give."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.stats import spearmanr

from explainers.perturbation.blas_threads import limit_blas_to_one_thread
from explainers.perturbation.occlusion_windows import NOISE, Window, smoothness_kernel, window_coverage

ENOUGH_AGREEMENT = 0.95
"""Agreement with the map of every question that a converged map is expected to have."""


def has_converged(agreement: float) -> bool:
    """Whether so much agreement is expected that the map counts as converged."""
    return agreement >= ENOUGH_AGREEMENT


def predict_final_agreement(windows: Sequence[Window], numbers: NDArray[np.float64], every: Sequence[Window], cells: int) -> float:
    """The expected correlation of `smooth_evidence` from windows, in cells, whose falls are `numbers` (n,), with that from `every` window.

    sqrt(S / (S + g E)). S: the variance of the map over its cells. E: the variance over the cells that the further windows would explain of
    the kernel, which rests on where windows lie alone. g = f'(A K A' + s I)^-1 f / n: the kernel's scale, by maximum likelihood.
    1 where there is no further window, or no evidence.
    """
    with limit_blas_to_one_thread():
        root, carried = _whitened(windows, cells)
        further = max(_explained(tuple(every), cells) - _spread(carried), 0.0)
        whitened = solve_triangular(root, numbers, lower=True)
        variance = float((whitened @ carried).var())
    lacking = float(np.square(whitened).mean()) * further
    return float(np.sqrt(variance / (variance + lacking))) if lacking > 0 else 1.0


def _whitened(windows: Sequence[Window], cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """L (n, n), the lower root of A K A' + s I of `smooth_evidence`, and L^-1 A K (n, cells^2): the map is (L^-1 f)' L^-1 A K."""
    cover = window_coverage(windows, cells)
    spread = cover @ smoothness_kernel(cells)
    between = spread @ cover.T
    root = cholesky(between + NOISE * between.diagonal().max() * np.eye(len(windows)), lower=True)
    return root, solve_triangular(root, spread, lower=True)


@cache
def _explained(windows: tuple[Window, ...], cells: int) -> float:
    return _spread(_whitened(windows, cells)[1])


def _spread(carried: NDArray[np.float64]) -> float:
    """The variance over the cells, in the units of the kernel, that the windows explain."""
    return float(carried.var(axis=1).sum())


def extrapolate_final_agreement(before: tuple[NDArray[np.float32], float], now: tuple[NDArray[np.float32], float]) -> float:
    """The expected rank correlation of a map with the one that leaves nothing unasked, from how far it moved since the map before.

    before, now: a map (h, w), and how much is left to evaluate after it, in any unit, the same for both. A map is taken to differ
    from the last one by what it leaves out, so that the two differ by the difference: 1 - (1 - r) now / (before - now), 0 at least.
    """
    (first, left), (second, lacking) = before, now
    if lacking <= 0:
        return 1.0
    moved = 1 - _rank_correlation(first, second)
    return max(1 - moved * lacking / (left - lacking), 0.0) if left > lacking else 0.0


def _rank_correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Spearman's over the cells; 1 for two maps without any difference between cells, 0 where one alone has none."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float(np.ptp(first) == np.ptp(second))
    return float(spearmanr(first.ravel(), second.ravel()).statistic)
