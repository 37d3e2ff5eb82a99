"""Where the evidence is known: how much of a map's positive part lies on it, and whether the map's peak does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from errors import UserError
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric
from explainers.metrics.agreement.consensus import CONSENSUS, consensus_map, mean_share_by_family
from explainers.metrics.agreement.control_maps import SPREAD
from explainers.metrics.agreement.similarity import evidence_on_grid

Mask = NDArray[np.bool_]


def energy_inside_mask(values: Floats, mask: Mask) -> float | None:
    """The share, 0 to 1, of the map's positive part that lies in the mask; None where the map has no positive part.

    values: (h, w), enlarged to the mask's (H, W). A map that is the same everywhere gets the mask's share of the picture.
    Wang et al. 2020, arXiv:1910.01279, sec. 4.3 (there with a bounding box).
    """
    positive = np.maximum(enlarge_map(values, mask.shape), 0).astype(np.float64)
    total = positive.sum()
    return float(positive[mask].sum() / total) if total > 0 else None


def pointing_game_hit(values: Floats, mask: Mask, tolerance: float) -> float | None:
    """1 where the map's highest pixel lies within `tolerance` pixels of the mask, else 0; pixels that tie for the highest share it.

    None where the map has no positive part. Zhang et al. 2016, arXiv:1608.00507, sec. 4.1.
    """
    full = enlarge_map(values, mask.shape)
    peak = float(full.max())
    return float(dilate_mask(mask, tolerance)[full == peak].mean()) if peak > 0 else None


def dilate_mask(mask: Mask, radius: float) -> Mask:
    """(H, W): the pixels whose middle lies within `radius` pixels of the middle of one in the mask."""
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius)


def iou_at_mask_area(values: Floats, mask: Mask) -> float | None:
    """Intersection over union of the mask with as many of the map's highest pixels as it has; ties for the last places are shared.

    None where the map has no positive part or the mask none. A map without knowledge gets about a / (2 - a) for a mask of area a.
    """
    inside = _mass_inside(values, mask)
    return None if inside is None else float(inside / (2 * mask.sum() - inside))


def relevance_rank_accuracy(values: Floats, mask: Mask) -> float | None:
    """The share of the mask's number of highest pixels that lie in the mask, 0 to 1. None where the map or the mask has nothing.

    Arras, Osman & Samek 2022, arXiv:2003.07258, eq. 2 (relevance rank accuracy).
    """
    inside = _mass_inside(values, mask)
    return None if inside is None else float(inside / mask.sum())


@dataclass(frozen=True)
class LocalisationScore:
    """Where one map points, compared with a map without knowledge. Each from 0 to 1, None where undefined.

    energy: the share of its positive part in the mask. overlap: IoU at the mask's area. ranks: rank accuracy. points: the peak, within
    the tolerance.
    """

    title: str
    energy: float | None
    overlap: float | None
    ranks: float | None
    points: float | None

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "energy": self.energy, "overlap": self.overlap, "ranks": self.ranks, "points": self.points}


TOLERANCE = 1 / 16
"""Pointing's tolerance as a share of the picture's shorter side."""
BASELINES = ("the area", "the centre", "a centred Gaussian")


@dataclass(frozen=True)
class LocalisationMetric(Metric[LocalisationScore]):
    """Energy, overlap, rank accuracy and pointing of each map and of the families' consensus, next to three baselines.

    region: (H, W) where the evidence is known to lie.
    """

    region: Mask

    title = "Localisation"
    key = "localisation"
    family: ClassVar[Family] = "localisation"
    on_request = False
    on_page = False
    source = "arXiv:1910.01279, arXiv:2003.07258, arXiv:1608.00507"
    formula = (
        "energy in a known region, IoU at its area, rank accuracy, pointing with 1/16 of the side as tolerance; "
        "beside the area, the centre and a centred bell"
    )
    description = "Where the evidence is known to lie, a good map lies there too, and does so better than a map that knows nothing."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[LocalisationScore]:
        yield from score_localisation(results, case.size, self.region)

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return 0

    def to_json(self, findings: Sequence[LocalisationScore]) -> dict[str, Any]:
        tolerance = TOLERANCE * min(self.region.shape)
        return {"area": float(self.region.mean()), "tolerance": tolerance, "maps": [each.to_json() for each in findings]}


def score_localisation(results: Sequence[MethodResult], size: tuple[int, int], region: Mask) -> list[LocalisationScore]:
    """Of every map with positive evidence, of the families' consensus where there are two families, and of what knows nothing.

    size: (H, W) of the picture. region: (H, W). No evaluations. UserError for a region without a pixel.
    """
    found = [each for each in (evidence_on_grid(result, size) for result in results) if each is not None and each.share is not None]
    shared = consensus_map(found) if len(mean_share_by_family(found)) > 1 else None
    maps = maps_with_positive_evidence(results)
    return localisation_scores(maps if shared is None else {**maps, CONSENSUS: shared.astype(np.float32)}, region)


def localisation_scores(maps: Mapping[str, Floats], mask: Mask) -> list[LocalisationScore]:
    """Every map, then the baselines: an even map, the middle pixel, and a bell over the middle. UserError for a mask without a pixel.

    maps: title -> (h, w). mask: (H, W).
    """
    if not mask.any():
        raise UserError("The region is empty; draw or upload one that covers some of the picture.")
    return [_score(title, values, mask) for title, values in {**maps, **uninformed_baseline_maps(mask.shape)}.items()]


def uninformed_baseline_maps(size: tuple[int, ...]) -> dict[str, Floats]:
    """(H, W) maps that know nothing: what a map is worth is what it has beyond these."""
    away = [(np.arange(side) + 0.5) / side - 0.5 for side in size]
    bell = np.exp(-(away[0][:, None] ** 2 + away[1] ** 2) / (2 * SPREAD**2))
    middle = np.zeros(size, np.float32)
    middle[size[0] // 2, size[1] // 2] = 1
    return dict(zip(BASELINES, (np.ones(size, np.float32), middle, bell.astype(np.float32)), strict=True))


def _score(title: str, values: Floats, mask: Mask) -> LocalisationScore:
    pointed = pointing_game_hit(values, mask, TOLERANCE * min(mask.shape))
    return LocalisationScore(
        title, energy_inside_mask(values, mask), iou_at_mask_area(values, mask), relevance_rank_accuracy(values, mask), pointed
    )


def _mass_inside(values: Floats, mask: Mask) -> float | None:
    """How many of the mask's number of highest pixels lie in it, ties counted by their share."""
    full, wanted = enlarge_map(values, mask.shape), int(mask.sum())
    if wanted == 0 or full.max() <= 0:
        return None
    border = np.partition(full, full.size - wanted, axis=None)[full.size - wanted]
    above, tied = full > border, full == border
    share = (wanted - above.sum()) / tied.sum()
    return float(above[mask].sum() + share * tied[mask].sum())
