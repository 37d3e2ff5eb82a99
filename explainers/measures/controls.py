"""Maps that know nothing of the class: where a pair agrees no more than both agree with these, edges or the centre explain it."""

import numpy as np

from explainers.grid import area_sum
from explainers.measures.agreement import Grid
from explainers.protocol import Floats

SPREAD = 0.25
"""The centred bell's standard deviation, as a share of the picture's side."""


def edges(image: Floats, cells: int) -> Grid:
    """(H, W, 3) -> (cells, cells) that sums to 1: the brightness gradient's length; even where the picture is flat."""
    down, right = np.gradient(image.mean(-1, dtype=np.float64)) if min(image.shape[:2]) > 1 else (np.zeros(1), np.zeros(1))
    lengths = np.hypot(down, right)
    if lengths.sum() <= 0:
        return np.full((cells, cells), 1 / cells**2)
    summed = area_sum(lengths, cells)
    return np.asarray(summed / summed.sum())


def centre(cells: int) -> Grid:
    """(cells, cells) that sums to 1: a bell over the middle of the picture."""
    places = (np.arange(cells) + 0.5) / cells - 0.5
    bell = np.exp(-(places**2) / (2 * SPREAD**2))
    return np.asarray(np.outer(bell, bell) / bell.sum() ** 2)


def explains(pair_kappa: float, kappas_with_control: tuple[float, float]) -> bool:
    """Whether the pair agrees no more than both its methods agree with the control."""
    return pair_kappa <= min(kappas_with_control)
