"""A region of the picture in which the evidence should lie: drawn, uploaded as a mask, or known for an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.masks import decode_mask, fit_mask_to_input
from app.service.request import ExplanationState
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from explainers.method_runner import maps_with_positive_evidence
from explainers.metrics.localisation.evidence_overlap import BASELINES, LocalisationScore, localisation_scores
from models.cards.card import Card, Fit
from models.images.decoder import fit_to_size
from models.sandbox.picture_decoder import decode_picture_confined, read_picture_confined

Mask = NDArray[np.bool_]
Source = Literal["drawn", "uploaded", "known"]
POINTS = 400
FEWEST = 3


@dataclass(frozen=True)
class EvidenceRegion:
    """mask: (H, W) of the picture as the classifier gets it. It belongs to that picture and classifier alone."""

    picture: UploadedPicture
    classifier: str
    mask: Mask
    source: Source

    @property
    def area(self) -> float:
        """Its share of the picture."""
        return float(self.mask.mean())


def mask_from_outline(points: object, size: tuple[int, int]) -> Mask:
    """An outline [[x, y], ...] in shares of width and height -> (H, W), true where a pixel's middle lies inside. UserError."""
    corners = _corners(points)
    from skimage.draw import polygon2mask  # scikit-image takes half a second

    rows_columns = corners[:, ::-1] * np.array(size) - 0.5
    mask = polygon2mask(size, rows_columns)  # type: ignore[no-untyped-call]
    return _checked(np.asarray(mask, np.bool_))


def mask_from_file(mask: UploadedPicture, picture: UploadedPicture, card: Card) -> Mask:
    """The file of a mask, white where the evidence lies, fitted to (H, W) as its picture is. UserError where it is not a mask of it."""
    shape = read_picture_confined(picture.data, picture.page).pixels.shape[:2]
    inside = decode_mask(mask.data, mask.name, shape, decode_picture_confined)
    return fit_mask_to_input(inside, shape, lambda image: fit_to_size(image, card.size, card.fit), mask.name)


def mask_from_evidence(evidence: Mask, size: tuple[int, int], how: Fit) -> Mask:
    """An example's evidence (h, w), fitted to (H, W) as its picture is."""
    return _checked(np.asarray(fit_to_size(np.repeat(evidence[..., None].astype(np.float32), 3, axis=2), size, how)[..., 0] > 0.5))


def score_maps_in_region(maps: Mapping[str, NDArray[np.float32]], mask: Mask) -> tuple[list[LocalisationScore], list[LocalisationScore]]:
    """The scores of every map, and of the baselines, which need no map."""
    rows = localisation_scores(maps, mask)
    return rows[: -len(BASELINES)], rows[-len(BASELINES) :]


def score_report_in_region(report: ExplanationState, region: EvidenceRegion) -> tuple[list[LocalisationScore], list[LocalisationScore]]:
    """`score_maps_in_region` of the report's maps and of their consensus; nothing before the maps are finished."""
    found, agreement = maps_with_positive_evidence(report.results.values()), report.measures.consistency
    maps = {method.title: found[method.title] for method in report.request.methods if method.title in found}
    if agreement and agreement.consensus is not None:
        maps["Consensus"] = agreement.consensus.astype(np.float32)
    return score_maps_in_region(maps, region.mask) if report.final and maps else ([], [])


def _corners(points: object) -> NDArray[np.float64]:
    if not isinstance(points, list) or not FEWEST <= len(points) <= POINTS:
        raise UserError(f"The region has no outline of {FEWEST} to {POINTS} points; draw it again.")
    try:
        corners = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        corners = np.zeros(0)
    if corners.shape != (len(points), 2) or not np.isfinite(corners).all():
        raise UserError("The region's outline does not consist of points; draw it again.")
    return np.clip(corners, 0, 1)


def _checked(mask: Mask) -> Mask:
    if not mask.any():
        raise UserError("The region holds no pixel of the picture; draw a larger one.")
    if mask.all():
        raise UserError("The region is the whole picture, on which every map lies; draw a smaller one.")
    return mask
