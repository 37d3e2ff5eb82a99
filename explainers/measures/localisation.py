"""Where the evidence is known: how much of a map's positive part lies on it, and whether the map's peak does."""

import cv2
import numpy as np
from numpy.typing import NDArray

from explainers.grid import enlarge
from explainers.protocol import Floats

Mask = NDArray[np.bool_]


def energy_inside(values: Floats, mask: Mask) -> float | None:
    """The share, 0 to 1, of the map's positive part that lies in the mask; None where the map has no positive part.

    values: (h, w), enlarged to the mask's (H, W). A map that is the same everywhere gets the mask's share of the picture.
    Wang et al. 2020, arXiv:1910.01279, sec. 4.3 (there with a bounding box).
    """
    positive = np.maximum(enlarge(values, mask.shape), 0).astype(np.float64)
    total = positive.sum()
    return float(positive[mask].sum() / total) if total > 0 else None


def points_at(values: Floats, mask: Mask, tolerance: float) -> float | None:
    """1 where the map's highest pixel lies within `tolerance` pixels of the mask, else 0; pixels that tie for the highest share it.

    None where the map has no positive part. Zhang et al. 2016, arXiv:1608.00507, sec. 4.1.
    """
    full = enlarge(values, mask.shape)
    peak = float(full.max())
    return float(widened(mask, tolerance)[full == peak].mean()) if peak > 0 else None


def widened(mask: Mask, radius: float) -> Mask:
    """(H, W): the pixels whose middle lies within `radius` pixels of the middle of one in the mask."""
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius)
