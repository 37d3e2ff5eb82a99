"""Removes the most, then the least important pixels and fills them in from their neighbours, so that the holes give nothing away."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric
from explainers.metrics.faithfulness.deletion_insertion import INCONCLUSIVE, TIE, pixels_by_importance

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
"""Parts of the picture removed."""
NOISE = 0.01
"""Standard deviation of what is added to imputed pixels."""
NEIGHBOURS = tuple(
    (down, right, 1 / 6 if 0 in (down, right) else 1 / 12) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)
)
"""(rows down, columns right, weight): 1/6 for direct, 1/12 for diagonal neighbours; they sum to 1."""
SOURCE = "Rong, Leemann, Borisov, Kasneci & Kasneci 2022, arXiv:2202.00449, sec. 4"


@dataclass(frozen=True)
class RoadScore:
    """(LeRF - MoRF) / 2, from -1/2 to 1/2: how much longer the class holds when the least important pixels go first.

    least, most: mean probability of the target over the shares removed, least or most important first.
    """

    title: str
    least: float
    most: float

    @property
    def value(self) -> float:
        return (self.least - self.most) / 2

    @property
    def remark(self) -> str:
        """Why the value says nothing, where it does not."""
        return INCONCLUSIVE if abs(self.least - self.most) < TIE else ""

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "least": self.least, "most": self.most, "value": self.value, "remark": self.remark}


@dataclass(frozen=True)
class RoadMetric(Metric[RoadScore]):
    """Remove and debias: (LeRF - MoRF) / 2 of the class's probability, holes imputed from their neighbours."""

    title = "ROAD"
    key = "road"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    on_page = False
    source = SOURCE
    formula = (
        "(LeRF − MoRF) / 2: mean probability when the least important pixels are removed first, less that when the most important are, "
        "the holes imputed from their surroundings"
    )
    description = (
        "The shape of a hole can give away what was there. Here the holes are filled in from their surroundings, so that they do not."
    )

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[RoadScore]:
        maps = maps_with_positive_evidence(results)
        yield from road_scores(case, maps) if maps else ()

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return evaluations_of_road(len(maps_with_positive_evidence(results)))

    def to_json(self, findings: Sequence[RoadScore]) -> dict[str, Any]:
        return {"road": [each.to_json() for each in findings]}


def evaluations_of_road(maps: int) -> int:
    """Evaluations for so many maps."""
    return 2 * len(SHARES) * maps


def road_scores(case: Case, maps: Mapping[str, Floats]) -> list[RoadScore]:
    """Each map's value, all maps evaluated together in full batches. maps: title -> (h, w). Raises Stopped."""
    orders = [pixels_by_importance(values, case.size, case.seed) for values in maps.values()]
    logits = case.outputs(picture for pixels in orders for picture in _pictures(case, pixels))
    found = case.probabilities(logits)[:, case.score.target].reshape(len(orders), 2, len(SHARES)).mean(2, dtype=np.float64)
    return [RoadScore(title, float(least), float(most)) for title, (most, least) in zip(maps, found, strict=True)]


def impute_pixels(image: Floats, hidden: NDArray[np.bool_], seed: int) -> Floats:
    """(H, W, 3) with hidden pixels (H, W) each the weighted mean of its neighbours, plus noise; within 0..1.

    Neighbours outside the picture do not count; hidden neighbours are unknowns of the same linear equations.
    """
    filled = image.copy()
    if hidden.any():
        matrix, known = _imputation_equations(image, hidden)
        solution = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(known)
        noise = np.random.default_rng(seed).normal(0, NOISE, solution.shape)
        filled[hidden] = np.clip(solution + noise, 0, 1)
    return filled


def _imputation_equations(image: Floats, hidden: NDArray[np.bool_]) -> tuple[csc_matrix, NDArray[np.float64]]:
    """(m, m) and (m, 3) for m hidden pixels, in the picture's order: sum of weights times (pixel - neighbour) = 0. Symmetric."""
    number = np.full((hidden.shape[0] + 2, hidden.shape[1] + 2), -2)
    number[1:-1, 1:-1] = -1
    number[1:-1, 1:-1][hidden] = np.arange(hidden.sum())
    padded = np.pad(image.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    rows, columns = (place + 1 for place in np.nonzero(hidden))
    diagonal, known = np.zeros(len(rows)), np.zeros((len(rows), 3))
    entries = []
    for down, right, weight in NEIGHBOURS:
        beside = number[rows + down, columns + right]
        diagonal += weight * (beside > -2)
        known += weight * (beside == -1)[:, None] * padded[rows + down, columns + right]
        inside = np.flatnonzero(beside >= 0)
        entries.append((np.full(len(inside), -weight), inside, beside[inside]))
    every = np.arange(len(rows))
    values, at, to = (np.concatenate(part) for part in zip(*entries, (diagonal, every, every), strict=True))
    return csc_matrix((values, (at, to)), shape=(len(rows), len(rows))), known


def _pictures(case: Case, pixels: NDArray[np.intp]) -> Iterator[Floats]:
    """Most important first, then least important first; each with every share removed."""
    for sorted_pixels in (pixels, pixels[::-1]):
        for share in SHARES:
            hidden = np.zeros(pixels.size, bool)
            hidden[sorted_pixels[: round(share * pixels.size)]] = True
            yield impute_pixels(case.image, hidden.reshape(case.size), case.seed)
