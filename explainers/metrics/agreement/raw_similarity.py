"""The similarities that people know, of two maps as they are: chance is in all of them, so they stand beside kappa, never in its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid
from explainers.metrics.agreement.similarity import TOPS
from explainers.metrics.agreement.similarity_batch import WINDOW, MapBatch, pearson_correlations, scalar_products, window_means

Values = NDArray[np.float64]

TOP = TOPS.index(0.20)
STABILISERS = (0.01**2, 0.03**2)
"""C1 and C2 of structural similarity for maps from 0 to 1."""
SOURCE = "Wang, Bovik, Sheikh & Simoncelli 2004, IEEE Trans. Image Process. 13(4), eq. 13 (SSIM)"


@dataclass(frozen=True)
class RawSimilarity:
    """spearman, pearson: correlations over all cells. ssim: structural similarity. overlap: IoU of the strongest 20 % of cells.

    The first three from -1 to 1, the last from 0 to 1. What unrelated maps reach is not taken out: smooth maps, and maps that all favour
    the centre, are alike by these whatever they show.
    """

    spearman: float
    ssim: float
    pearson: float
    overlap: float

    def to_json(self) -> dict[str, float]:
        return {"spearman": self.spearman, "ssim": self.ssim, "pearson": self.pearson, "overlap": self.overlap}


def measure_raw_similarity(a: Grid, b: Grid) -> RawSimilarity:
    """Of two maps (G, G) of positive shares, G from 7 on, whatever their scales; a map that is the same everywhere correlates at 0."""
    one, other = (MapBatch.of([each / each.sum()]) for each in (a, b))
    return mean_raw_similarity({name: likeness(one, other) for name, likeness in LIKENESSES.items()})


def mean_raw_similarity(found: Mapping[str, Values]) -> RawSimilarity:
    """The mean of each value. found: name of a value -> (n,)."""
    return RawSimilarity(**{name: float(np.mean(values)) for name, values in found.items()})


def _rank_correlations(one: MapBatch, many: MapBatch) -> Values:
    """(n,): Spearman's correlation over all cells of a stack of one map with each map of another stack."""
    return scalar_products(one.rank_directions, many.rank_directions)


def _structural_similarities(one: MapBatch, many: MapBatch) -> Values:
    """(n,): mean over all 7 x 7 windows of (2 mx my + C1) (2 cxy + C2) / ((mx^2 + my^2 + C1) (vx + vy + C2)), each map over its maximum.

    C1 = .01^2, C2 = .03^2; variances and covariance over 48.
    """
    (x, mx, vx), (y, my, vy) = one.windows, many.windows
    c1, c2 = STABILISERS
    cells = WINDOW**2
    covariance = (window_means(x * y) - mx * my) * np.float32(cells / (cells - 1))
    found = (2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return np.asarray(found.mean(0), np.float64)


def _top_cell_overlaps(one: MapBatch, many: MapBatch) -> Values:
    """(n,): intersection over union of the strongest 20 % of cells; ties for the last places are shared."""
    both = np.minimum(one.tops[TOP], many.tops[TOP]).sum(0)
    return np.asarray(both / (one.sizes[TOP] + many.sizes[TOP] - both), np.float64)


LIKENESSES: dict[str, Callable[[MapBatch, MapBatch], Values]] = {
    "spearman": _rank_correlations,
    "ssim": _structural_similarities,
    "pearson": pearson_correlations,
    "overlap": _top_cell_overlaps,
}
"""Each of the fields of `RawSimilarity`, for one map against many."""
