"""Hides patches of a picture: does the map predict how much the score falls?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method_runner import MethodResult, maps_before_rectifying
from explainers.metric import Family, Metric

PATCHES = 64
SOURCE = "Yeh et al. 2019, arXiv:1901.09392, def. 2.1 and sec. 2.3 (optimal scaling)"


@dataclass(frozen=True)
class InfidelityScore:
    """min over b >= 0 of mean (b sum_hidden map - fall)^2 over mean fall^2: 0 predicts every fall, 1 none; None where nothing falls.

    The scale b is the best one, so that maps in other units can be compared; hidden patches show the case's fill.
    """

    title: str
    value: float | None

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "value": self.value}


@dataclass(frozen=True)
class InfidelityMetric(Metric[InfidelityScore]):
    """Whether the sum of the map under hidden patches predicts the fall of the score."""

    title = "Infidelity"
    key = "infidelity"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    on_page = False
    source = SOURCE
    formula = "min over b ≥ 0 of mean (b Σ_hidden map − fall)² / mean fall², over 64 hidden patches: 0 predicts every fall, 1 none"
    description = "Patches of the picture are hidden. A good map predicts how much of the score each of them costs."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[InfidelityScore]:
        yield from measure_infidelity(case, maps_before_rectifying(results))

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return PATCHES + 1  # and the picture itself

    def to_json(self, findings: Sequence[InfidelityScore]) -> dict[str, Any]:
        return {"infidelity": [each.to_json() for each in findings]}


def measure_infidelity(case: Case, maps: Mapping[str, Floats]) -> list[InfidelityScore]:
    """64 evaluations for all maps together, and one of the picture. maps: title -> (h, w), signed where the method is. Raises Stopped."""
    hidden = _random_patch_masks(case.size, case.seed)
    logits = case.recall([("patch", case.seed, n) for n in range(PATCHES)], lambda key: 1 - hidden[key[2]])
    falls = case.image_value - case.values(logits)
    return [
        InfidelityScore(title, unexplained_variance(predicted_score_drops(enlarge_map(values, case.size), hidden), falls))
        for title, values in maps.items()
    ]


def _random_patch_masks(size: tuple[int, int], seed: int) -> Floats:
    """(64, H, W) of 0 and 1, 1 hides: rectangles with sides of an eighth to a half of the picture's, anywhere in it."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((PATCHES, *size), np.float32)
    for mask in masks:
        sides = [int(rng.integers(max(1, side // 8), side // 2 + 1)) for side in size]
        top, left = (int(rng.integers(0, side - length + 1)) for side, length in zip(size, sides, strict=True))
        mask[top : top + sides[0], left : left + sides[1]] = 1
    return masks


def predicted_score_drops(full: Floats, hidden: Floats) -> NDArray[np.float64]:
    """(n,): the sum of the map (H, W) under each of the masks (n, H, W)."""
    return np.asarray(np.tensordot(hidden.astype(np.float64), full.astype(np.float64), 2))


def unexplained_variance(expected: NDArray[np.float64], falls: NDArray[np.float64]) -> float | None:
    """The mean square that is left by the best scale that is not negative, over the mean square of the falls."""
    total = float(falls @ falls)
    if total <= 0:
        return None
    own = float(expected @ expected)
    return 1 - max(0.0, float(expected @ falls)) ** 2 / (own * total) if own > 0 else 1.0
