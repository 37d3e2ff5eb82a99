"""Maps that know nothing of the class: where a pair agrees no more than both agree with these, edges or the centre explain it."""

import numpy as np

from errors import UserError
from explainers.case import Case
from explainers.classifier_protocol import Classifier, Floats
from explainers.grid import Grid, attribution_on_common_grid, grid_cells_per_side, sum_into_cells
from explainers.methods.grad_cam import GradCAM
from explainers.metrics.agreement.similarity import normalise_positive_part

SPREAD = 0.25
"""The centred bell's standard deviation, as a share of the picture's side."""
EDGES, CENTRE, UNTRAINED = "edges", "the centre", "an untrained network"
SEED = 0


def control_maps(case: Case, untrained: Classifier | None) -> dict[str, Grid]:
    """All controls of a picture on its common grid, each summing to 1. `untrained`: what `untrained_twin` made, or None without one."""
    cells = grid_cells_per_side(case.size)
    found = {EDGES: edge_map(case.image, cells), CENTRE: centre_map(cells)}
    share = _untrained_network_map(case, untrained) if untrained else None
    return found if share is None else {**found, UNTRAINED: share}


def edge_map(image: Floats, cells: int) -> Grid:
    """(H, W, 3) -> (cells, cells) that sums to 1: the brightness gradient's length; even where the picture is flat."""
    down, right = np.gradient(image.mean(-1, dtype=np.float64)) if min(image.shape[:2]) > 1 else (np.zeros(1), np.zeros(1))
    lengths = np.hypot(down, right)
    if lengths.sum() <= 0:
        return np.full((cells, cells), 1 / cells**2)
    summed = sum_into_cells(lengths, cells)
    return np.asarray(summed / summed.sum())


def centre_map(cells: int) -> Grid:
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


def control_accounts_for_agreement(pair_kappa: float, kappas_with_control: tuple[float, float]) -> bool:
    """Whether the pair agrees no more than both its methods agree with the control."""
    return pair_kappa <= min(kappas_with_control)
