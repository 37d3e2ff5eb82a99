"""Fidelity of a map: its agreement with itself, with its own limit, and with the model's answers when its cells are hidden."""

from itertools import combinations

import numpy as np
from scipy.stats import spearmanr

from explainers.explanation_case import Case
from explainers.grid import grid_cells_per_side, sum_into_cells
from explainers.metrics.agreement.similarity import normalise_positive_part, strongest_cells

STEPS = 28
TOP = 0.20


def similarity(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Spearman correlation over the cells of the common grid, and intersection over union of the strongest 20 % of cells.

    first, second: (H, W), signed. No number where a map is constant or has no positive part.
    """
    a, b = (sum_into_cells(values, grid_cells_per_side((values.shape[0], values.shape[1]))) for values in (first, second))
    if min(np.ptp(a), np.ptp(b)) <= 0:
        return float("nan"), float("nan")
    shares = [share for share in (normalise_positive_part(a), normalise_positive_part(b)) if share is not None]
    overlap = float("nan")
    if len(shares) == 2:
        tops = [strongest_cells(share, TOP) for share in shares]
        overlap = float(np.minimum(*tops).sum() / np.maximum(*tops).sum())
    return float(spearmanr(a.ravel(), b.ravel()).statistic), overlap


def run_to_run(readings: list[np.ndarray]) -> tuple[float, float]:
    """The mean of `alike` over all pairs of readings."""
    found = [similarity(a, b) for a, b in combinations(readings, 2)]
    return (float(np.mean([x for x, _ in found])), float(np.mean([y for _, y in found]))) if found else (float("nan"), float("nan"))


def insertion_minus_deletion(case: Case, found: np.ndarray) -> float:
    """Insertion less deletion: mean probability while the strongest cells are shown first on the blurred picture, less while hidden first.

    Hidden cells show the case's fill; the cells are the common grid's, 28 steps, for every package.
    """
    cells = grid_cells_per_side(case.size)
    order = np.argsort(-sum_into_cells(found, cells), axis=None, kind="stable")
    rank = np.empty(cells**2)
    rank[order] = np.arange(cells**2)
    counts = np.linspace(0, cells**2, STEPS + 1)
    shown = (rank[None] < counts[:, None]).reshape(-1, cells, cells).astype(np.float32)
    rows, columns = (np.arange(side) * cells // side for side in case.size)
    masks = np.concatenate([shown, 1 - shown])[:, rows][:, :, columns]
    probability = case.probabilities(case.masked(masks))[:, case.score.target].astype(np.float64)
    insertion, deletion = (np.trapezoid(half) / STEPS for half in np.split(probability, 2))
    return float(insertion - deletion)
