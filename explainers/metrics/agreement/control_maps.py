"""Maps that know the picture and nothing of the decision: what two maps share with these says nothing for either."""

import numpy as np

from errors import UserError
from explainers.classifier_protocol import Classifier, Floats
from explainers.explanation_case import Case
from explainers.grid import Grid, attribution_on_common_grid, grid_cells_per_side, sum_into_cells
from explainers.methods.grad_cam import GradCAM
from explainers.metrics.agreement.similarity import normalise_positive_part

SPREAD = 0.25
"""The centred bell's standard deviation, as a share of the picture's side."""
EDGES, CONTENT, CENTRE, UNTRAINED = "edges", "the difference from the fill", "the centre", "an untrained network"
SEED = 0


def control_maps(case: Case, untrained: Classifier | None) -> dict[str, Grid]:
    """All controls of a picture on its common grid, each summing to 1. `untrained`: what `untrained_twin` made, or None without one."""
    found = picture_controls(case.image, case.fill_image)
    share = _untrained_network_map(case, untrained) if untrained else None
    return found if share is None else {**found, UNTRAINED: share}


def picture_controls(image: Floats, fill: Floats) -> dict[str, Grid]:
    """Those that need no classifier. image, fill: (H, W, 3)."""
    cells = grid_cells_per_side(image.shape[:2])
    return {EDGES: edge_map(image, cells), CONTENT: difference_from_fill_map(image, fill, cells), CENTRE: centred_gaussian_map(cells)}


def difference_from_fill_map(image: Floats, fill: Floats, cells: int) -> Grid:
    """(H, W, 3) each -> (cells, cells) that sums to 1: |picture - fill|, what hiding a place changes whatever the classifier."""
    return _share_of(np.abs(image - fill).mean(-1, dtype=np.float64), cells)


def edge_map(image: Floats, cells: int) -> Grid:
    """(H, W, 3) -> (cells, cells) that sums to 1: the brightness gradient's length; even where the picture is flat."""
    down, right = np.gradient(image.mean(-1, dtype=np.float64)) if min(image.shape[:2]) > 1 else (np.zeros(1), np.zeros(1))
    return _share_of(np.hypot(down, right), cells)


def centred_gaussian_map(cells: int) -> Grid:
    """(cells, cells) that sums to 1: a bell over the middle of the picture."""
    places = (np.arange(cells) + 0.5) / cells - 0.5
    bell = np.exp(-(places**2) / (2 * SPREAD**2))
    return np.asarray(np.outer(bell, bell) / bell.sum() ** 2)


def untrained_twin(classifier: Classifier) -> Classifier | None:
    """The same network with all its weights re-initialised; None where a format keeps its weights as constants."""
    try:
        return classifier.randomised("everything", SEED)
    except UserError:
        return None


def _untrained_network_map(case: Case, untrained: Classifier) -> Grid | None:
    """(G, G) Grad-CAM of the untrained twin for the same picture and score, one evaluation; None where it has no positive evidence."""
    if not case.layers:
        return None
    twin_case = case.variant(classifier=untrained)
    return normalise_positive_part(attribution_on_common_grid(next(iter(GradCAM()(twin_case))), case.size))


def _share_of(values: Grid, cells: int) -> Grid:
    """(H, W) -> (cells, cells) that sums to 1; even where there is nothing. One value stands for a picture of one pixel."""
    if values.sum() <= 0:
        return np.full((cells, cells), 1 / cells**2)
    summed = sum_into_cells(values, cells)
    return np.asarray(summed / summed.sum())
