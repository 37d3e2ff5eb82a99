"""How much two maps could agree at all, each being known only as well as it agrees with itself."""

import numpy as np

LEAST = 0.1
"""A method whose halves agree less than this has no ceiling and no score."""
CONVERGED = 0.7


def reliability(between_halves: float) -> float:
    """Spearman-Brown: how well the whole map would agree with another run, from how well its halves agree: 2 r / (1 + r)."""
    return 2 * between_halves / (1 + between_halves) if between_halves > -1 else -1.0


def converged(between_halves: float) -> bool:
    """Whether the map is reliable enough, .7 or more, to be given a score."""
    return reliability(between_halves) >= CONVERGED


def corrected(crossed: tuple[float, float], own: tuple[float, float]) -> float | None:
    """kappa* = mean of the crossed halves' agreement / root of the product of the self-agreements, clipped to -1..1.

    crossed: kappa(A1, B2), kappa(A2, B1): halves of one method never meet the same evaluations of the other. own: kappa(A1, A2),
    kappa(B1, B2). None where a self-agreement is under .1: not reliable, neither ceiling nor score.
    """
    if min(own) < LEAST:
        return None
    return float(np.clip(np.mean(crossed) / np.sqrt(own[0] * own[1]), -1, 1))
