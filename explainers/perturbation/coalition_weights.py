"""How many segments a drawn mask shows, and how much a mask of that size counts in each regression over the segments of a picture."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Vector = NDArray[np.float64]

UNIFORM_SHARE = 0.25
"""Share of the drawn masks whose size is uniform; the others show each segment with probability 1/2."""
LIME_WIDTH = 0.25


def coalitions_per_size(parts: int) -> Vector:
    """(M + 1,) the number of coalitions of each size 0..M."""
    k = np.arange(parts + 1)
    return np.asarray(np.rint(np.exp(gammaln(parts + 1) - gammaln(k + 1) - gammaln(parts - k + 1))))


def binomial_size_distribution(parts: int) -> Vector:
    """(M + 1,) the share of all 2^M coalitions that have size k."""
    return coalitions_per_size(parts) / 2.0**parts


def sampling_size_distribution(parts: int, frame: bool, uniform_share: float = UNIFORM_SHARE) -> Vector:
    """(M + 1,) q(k), the chance that a drawn mask has size k: a mixture of uniform and binomial sizes, symmetric about M / 2.

    frame: all coalitions of sizes 1 and M - 1 were evaluated and are not drawn again. All zeros where nothing is left to draw.
    """
    inner = np.zeros(parts + 1)
    inner[1 + frame : parts - frame] = 1
    if not inner.any():
        return inner
    halves = binomial_size_distribution(parts) * inner
    return np.asarray(uniform_share * inner / inner.sum() + (1 - uniform_share) * halves / halves.sum())


def kernel_shap_size_weights(parts: int) -> Vector:
    """(M + 1,) total weight of each size in Kernel SHAP: proportional to 1 / (k (M - k)); the two ends are constraints, not rows."""
    k = np.arange(1, parts)
    mass = np.zeros(parts + 1)
    mass[1:parts] = 1 / (k * (parts - k))
    return np.asarray(mass / mass.sum())


def lime_size_weights(parts: int) -> Vector:
    """(M + 1,) b(k) sqrt(exp(-(1 - sqrt(k / M))^2 / 0.25^2)): `lime`'s draws under its kernel on the cosine distance."""
    distance = 1 - np.sqrt(np.arange(parts + 1) / parts)
    return np.asarray(binomial_size_distribution(parts) * np.sqrt(np.exp(-(distance**2) / LIME_WIDTH**2)))
