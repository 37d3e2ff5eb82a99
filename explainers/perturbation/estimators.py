"""Turns a classifier's answers to masked pictures into one number for each segment: the rules of SHAP, LIME, RISE and the first frame."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers.perturbation.coalition_weights import Vector, binomial_size_distribution, kernel_shap_size_weights, lime_size_weights
from explainers.perturbation.coalitions import CoalitionSample


def keep_one_segment_effects(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) v({i}) - v(nothing): what each segment says alone. Needs the first frame."""
    return np.asarray(values[2 : 2 + 2 * sample.parts : 2] - values[0])


def leave_one_out_effects(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) v(everything) - v(everything but i). Needs the first frame."""
    return np.asarray(values[1] - values[3 : 3 + 2 * sample.parts : 2])


def first_frame_memory_estimate(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) the mean of keep-only and leave-one-out, plus an equal share of what is missing to v(everything) - v(nothing).

    The Shapley and the Banzhaf value wherever segments interact at most in pairs. Needs the first frame.
    """
    if sample.parts == 2:
        alone = values[2:4] - values[0]
        return _efficient((alone + values[1] - values[3:1:-1]) / 2, values)
    return _efficient((keep_one_segment_effects(sample, values) + leave_one_out_effects(sample, values)) / 2, values)


def kernel_shap_values(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) Kernel SHAP with efficiency as a constraint: the weighted least squares whose sum is v(everything) - v(nothing), exactly.

    phi = A^-1 y - A^-1 1 (1'A^-1 y - total) / (1'A^-1 1), A = Z'WZ, y = Z'W(v - v0).
    """
    weighted = sample.masks * sample.weights(kernel_shap_size_weights(sample.parts))[:, None]
    matrix = weighted.T @ sample.masks
    columns = np.stack([weighted.T @ (values - values[0]), np.ones(sample.parts)], axis=1)
    free, ones = np.linalg.lstsq(matrix, columns, rcond=1e-12)[0].T
    return _efficient(free - ones * (free.sum() - (values[1] - values[0])) / ones.sum(), values)


def lime_coefficients(sample: CoalitionSample, values: Vector, ridge: float = 1.0) -> Vector:
    """(M,) coefficients of `lime`'s own ridge regression on our masks, weighted as `lime` weights its own; the intercept is not penalised.

    The weights have the sum that `lime`'s have for as many draws, so that its ridge of 1 means the same.
    """
    from lime.lime_base import LimeBase  # takes a second, and only this method needs it
    from sklearn.linear_model import LinearRegression, Ridge

    solver = Ridge(alpha=ridge) if ridge else LinearRegression()
    weights = sample.weights(lime_size_weights(sample.parts)) * len(values)
    fit: Any = LimeBase(lambda given: given, random_state=0).explain_instance_with_data
    found = fit(sample.masks, values[:, None], weights, 0, sample.parts, "none", solver)[1]
    coefficients = np.zeros(sample.parts)
    for segment, coefficient in found:
        coefficients[segment] = coefficient
    return coefficients


def rise_values(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) half the coefficients of the regression in which every coalition counts the same: E[v | i shown] - E[v], less noise."""
    root = np.sqrt(sample.weights(binomial_size_distribution(sample.parts)))[:, None]
    design = np.column_stack([np.ones(len(values)), sample.masks])
    return np.asarray(np.linalg.lstsq(design * root, values * root[:, 0], rcond=None)[0][1:] / 2)


def surrogate_shap_values(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) the exact Shapley values of a smooth game through the answers; of the game itself where every coalition was evaluated.

    The smooth game is the mean of a Gaussian process: a free straight line plus interactions whose covariance falls as exp(-3 d / M), d the
    number of segments in which two masks differ; noise 0.3 % of their variance. Its Shapley values are linear in the answers and vary
    between runs far less than Kernel SHAP's; the sum is made exact by an equal share for each segment. Of more than 2,048 answers each of
    several blocks of so many is fitted alone and the mean taken, so that memory is bounded and time grows with the answers.
    """
    if sample.complete:
        return kernel_shap_values(sample, values)
    parts = [_smooth_shap(sample.keep(pairs), values[sample.rows(pairs)]) for pairs in _blocks(sample)]
    return _efficient(np.mean(parts, axis=0), values)


def _smooth_shap(sample: CoalitionSample, values: Vector) -> Vector:
    """(M,) of one block."""
    sides = 2 * sample.masks - 1
    pull = np.linalg.solve(_covariance(sample), values - values[0])
    shown, hidden = _shares(sample.parts)
    sizes = sample.masks.sum(1).astype(int)
    curved = sample.masks.T @ (pull * shown[sizes]) - (1 - sample.masks).T @ (pull * hidden[sizes])
    return np.asarray(curved + 2 * STRAIGHT * sides.T @ pull)


def leave_one_out_residuals(sample: CoalitionSample, values: Vector) -> Vector:
    """(n,) each answer less what the smooth game of its block predicts of it from all the others of the block: (K^-1 y)_i / (K^-1)_ii."""
    missed = np.zeros(len(values))
    for pairs in _blocks(sample):
        rows = sample.rows(pairs)
        missed[rows] = _missed(sample.keep(pairs), values[rows])
    return missed


def _missed(sample: CoalitionSample, values: Vector) -> Vector:
    """(n,) of one block."""
    inverse = np.linalg.inv(_covariance(sample))
    return np.asarray(inverse @ (values - values[0]) / np.diag(inverse))


def _blocks(sample: CoalitionSample) -> list[NDArray[np.intp]]:
    """Pairs that are fitted together: all, or in blocks of ROWS answers, each with all enumerated pairs. Blocks may overlap."""
    if len(sample.masks) <= ROWS:
        return [np.arange(sample.pairs)]
    whole = sample.enumerated[2::2]
    framed, drawn = np.flatnonzero(whole), np.flatnonzero(~whole)
    each = (ROWS - 2) // 2 - len(framed)
    starts = np.linspace(0, len(drawn) - each, -(-len(drawn) // each)).round().astype(int)
    return [np.concatenate([framed, drawn[start : start + each]]) for start in starts]


def _covariance(sample: CoalitionSample) -> Vector:
    """(n, n) of the answers of the smooth game, noise included."""
    sides = 2 * sample.masks - 1
    alike = sides @ sides.T
    noise = np.where(np.arange(len(alike)) < 2, END_NOISE, NOISE)
    return np.asarray(np.exp(DECAY * (alike / sample.parts - 1) / 2) + STRAIGHT * alike + CONSTANT + np.diag(noise))


ROWS = 2048
"""Most answers that are fitted together: their covariances take 34 MB, and Thorough's 2,000 are fitted as one."""
DECAY = 3.0
NOISE = 0.003
END_NOISE = 1e-6
STRAIGHT = 1.0
CONSTANT = 100.0


@cache
def _shares(parts: int) -> tuple[Vector, Vector]:
    """(M + 1,) twice: the Shapley value of a segment in the game exp(-3 d(., z) / M), for z of each size that shows it, and that hides it.

    A Shapley value is the integral over t of the mean gain when every other segment is shown with chance t; Gauss-Legendre is exact here.
    """
    nodes, weights = np.polynomial.legendre.leggauss(parts)
    chance, weights = (nodes + 1) / 2, weights / 2
    decay = np.exp(-DECAY / parts)
    like_shown, like_hidden = decay + (1 - decay) * chance, 1 - (1 - decay) * chance
    sizes = np.arange(parts + 1)[:, None]
    shown = (weights * like_shown ** np.maximum(sizes - 1, 0) * like_hidden ** (parts - sizes)).sum(1)
    hidden = (weights * like_shown**sizes * like_hidden ** np.maximum(parts - sizes - 1, 0)).sum(1)
    return (1 - decay) * shown, (1 - decay) * hidden


def _efficient(shares: Vector, values: Vector) -> Vector:
    return np.asarray(shares + (values[1] - values[0] - shares.sum()) / len(shares))
