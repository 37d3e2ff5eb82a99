"""How alike two maps of one picture are, on a common grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from explainers.grid import Grid, attribution_on_common_grid
from explainers.method import Family
from explainers.method_runner import MethodResult

TOPS = (0.05, 0.10, 0.20)
UNION = 0.30
ENOUGH = 0.01
"""A map whose positive part is under this share of its total shows no positive evidence."""
NO_EVIDENCE = "no positive evidence"


@dataclass(frozen=True)
class MapEvidence:
    """One method's map on the common grid. signed: (G, G) sums of its pixels; share: (G, G) the positive part over its sum, or None.

    signed_method: whether the method distinguishes evidence against from no evidence. reason: why `share` is None; empty where it is not.
    """

    title: str
    family: Family
    signed_method: bool
    signed: Grid
    share: Grid | None
    reason: str = ""


@dataclass(frozen=True)
class PairSimilarity:
    """How alike two maps are; each from 0 to 1 save the rank correlation, from -1 to 1. Chance is not yet taken out.

    top_overlap: mean of intersection over union of the top 5, 10 and 20 % of cells; independent maps have q / (2 - q) at share q.
    shared_mass: sum of min(A, B). rank_correlation: Spearman over the union of both maps' top 30 % of cells. same_sign: share of
    |A||B| in cells where the signs agree; None unless both methods are signed; reported by itself, not part of the mean.
    """

    first: str
    second: str
    top_overlap: float
    shared_mass: float
    rank_correlation: float
    same_sign: float | None

    @property
    def mean_similarity(self) -> float:
        """The mean of the first three."""
        return float(mean_similarity((self.top_overlap, self.shared_mass, self.rank_correlation)))

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "second": self.second,
            "top_overlap": self.top_overlap,
            "shared_mass": self.shared_mass,
            "rank_correlation": self.rank_correlation,
            "same_sign": self.same_sign,
            "headline": self.mean_similarity,
        }


def evidence_on_grid(result: MethodResult, size: tuple[int, int]) -> MapEvidence | None:
    """The result's map on the picture's grid; None where the method has no map. size: (H, W) of the picture in pixels."""
    attribution, method = result.attribution, result.method
    if attribution is None:
        return None
    signed = attribution_on_common_grid(attribution, size)
    share = None if attribution.blank else normalise_positive_part(signed)
    reason = "" if share is not None else attribution.blank or NO_EVIDENCE
    return MapEvidence(method.title, method.family, method.signed, signed, share, reason)


def normalise_positive_part(signed: Grid) -> Grid | None:
    """(G, G) max(g, 0) over its sum; None for a constant map, or one whose positive part is under 1 % of sum |g|."""
    positive = np.maximum(signed, 0)
    total = float(np.abs(signed).sum())
    flat = float(np.ptp(signed)) <= 1e-6 * float(np.abs(signed).max())
    if not np.isfinite(total) or flat or positive.sum() < ENOUGH * total:
        return None
    return np.asarray(positive / positive.sum())


def pair_similarity(a: MapEvidence, b: MapEvidence) -> PairSimilarity:
    """All scores of two maps that both have positive evidence; ValueError where one has none."""
    if a.share is None or b.share is None:
        raise ValueError(f"{a.title if a.share is None else b.title} has no positive evidence to compare")
    sign = sign_agreement(a.signed, b.signed) if a.signed_method and b.signed_method else None
    return PairSimilarity(
        first=a.title,
        second=b.title,
        top_overlap=top_cell_overlap(a.share, b.share),
        shared_mass=shared_map_mass(a.share, b.share),
        rank_correlation=rank_correlation(a.share, b.share),
        same_sign=sign,
    )


def mean_similarity(scores: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) or (3, n) top overlap, shared mass and rank correlation -> () or (n,) their mean."""
    return np.asarray(np.mean(scores, axis=0))


def strongest_cells(share: Grid, portion: float) -> Grid:
    """(G, G) from 0 to 1: how far each cell belongs to the strongest `portion` of all cells.

    Cells that tie for the last places share these evenly, so that neighbours within one segment do not agree by their order; cells
    without evidence never belong.
    """
    wanted = max(1, round(portion * share.size))
    border = np.sort(share, axis=None)[-wanted]
    if border <= 0:
        return np.asarray((share > 0).astype(np.float64))
    above, tied = share > border, share == border
    return np.asarray(above + tied * (wanted - above.sum()) / tied.sum())


def top_cell_overlap(a: Grid, b: Grid) -> float:
    """Mean over the top 5, 10 and 20 % of cells of intersection over union."""
    tops = [(strongest_cells(a, portion), strongest_cells(b, portion)) for portion in TOPS]
    return float(np.mean([np.minimum(x, y).sum() / np.maximum(x, y).sum() for x, y in tops]))


def shared_map_mass(a: Grid, b: Grid) -> float:
    """Sum of the smaller of both shares: 1 for equal maps, 0 for maps that share no cell."""
    return float(np.minimum(a, b).sum())


def rank_correlation(a: Grid, b: Grid) -> float:
    """Spearman correlation over the cells in the top 30 % of either map; 0 where one of them is constant there."""
    chosen = (strongest_cells(a, UNION) > 0) | (strongest_cells(b, UNION) > 0)
    ranks = [rankdata(share[chosen]) for share in (a, b)]
    if min(float(np.ptp(rank)) for rank in ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def sign_agreement(a: Grid, b: Grid) -> float:
    """Share of |a||b| that lies in cells of one sign; 0.5 is what independent signs give; 0 where the product vanishes."""
    weight = np.abs(a) * np.abs(b)
    total = float(weight.sum())
    return float(weight[np.sign(a) == np.sign(b)].sum()) / total if total > 0 else 0.0
