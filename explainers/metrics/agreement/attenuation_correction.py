"""How much two maps could agree at all, each being known only as well as it agrees with itself."""

import numpy as np

LEAST = 0.1
"""A method whose halves agree less than this has no ceiling and no score."""


def mean_without_method_noise(mean: float, reliabilities: tuple[float, float]) -> float:
    """mu / root of the product of both whole maps' reliabilities: the mean correlation of unrelated maps without the methods' own noise.

    Noise lowers it as it lowers r, and r* has none: taken off as it is it would leave something above chance where nothing is, .28 for
    unrelated maps of reliability .7 with a strong habit of the centre. Others' maps are taken to be as reliable as this picture's, for
    they are known by one reading each.
    """
    return mean / float(np.sqrt(reliabilities[0] * reliabilities[1]))


def disattenuated_kappa(correlation: float, mean: float) -> float:
    """kappa* = (r* - mu*) / (1 - mu*), clipped to -1..1, mu* the `noise_free` mean correlation of maps of unrelated pictures.

    0 where unrelated maps would be as alike as they can be.
    """
    return float(np.clip((correlation - mean) / (1 - mean), -1, 1)) if mean < 1 else 0.0


def disattenuated_correlation(crossed: tuple[float, float], own: tuple[float, float]) -> float | None:
    """r* = mean of the crossed halves' correlation / root of the product of the self-correlations, clipped to -1..1 (Spearman 1904).

    crossed: r(A1, B2), r(A2, B1): halves of one method never meet the same evaluations of the other. own: r(A1, A2), r(B1, B2).
    None where a self-correlation is under .1: not reliable, neither ceiling nor score. It holds for Pearson's correlation, to which noise
    adds linearly, and not for overlaps: from 120 evaluations LIME and SHAP on phantoms have r* of .998 against 1.000 once converged, while
    the same formula on the kappa of the mean similarity gives .78 against .97.
    """
    if min(own) < LEAST:
        return None
    return float(np.clip(np.mean(crossed) / np.sqrt(own[0] * own[1]), -1, 1))
