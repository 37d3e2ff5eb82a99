"""Shows only what a map lights: how much of the class's probability is lost, or gained?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import enlarge_map
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric

SOURCE = "Chattopadhyay et al. 2018, arXiv:1710.11063, sec. 5.1"


@dataclass(frozen=True)
class AverageDropScore:
    """drop: max(0, Y - O) / Y, a share of the picture's probability Y that is lost when the map's part alone gives O. increase: O > Y."""

    title: str
    whole: float
    shown: float

    @property
    def drop(self) -> float:
        return max(0.0, self.whole - self.shown) / self.whole if self.whole > 0 else 0.0

    @property
    def increase(self) -> bool:
        return self.shown > self.whole

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "drop": self.drop, "increase": self.increase}


@dataclass(frozen=True)
class AverageDropMetric(Metric[AverageDropScore]):
    """max(0, Y - O) / Y: the share of the picture's probability Y that is lost where the map's part alone gives O."""

    title = "Average drop, increase"
    key = "average_drop"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    on_page = False
    source = SOURCE
    formula = "max(0, Y − O) / Y: Y the class's probability for the picture, O for what the map lights of it; increase: O > Y"
    description = "Only what the map lights is shown. Where the map holds what the classifier needs, little of the probability is lost."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[AverageDropScore]:
        yield from average_drops(case, maps_with_positive_evidence(results))

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return len(maps_with_positive_evidence(results)) + 1  # and the picture itself

    def to_json(self, findings: Sequence[AverageDropScore]) -> dict[str, Any]:
        return {"average_drop": [each.to_json() for each in findings]}


def average_drops(case: Case, maps: Mapping[str, Floats], fill: str = "") -> list[AverageDropScore]:
    """One evaluation a map with positive evidence. maps: title -> (h, w); the mask is max(map, 0) over its maximum. Raises Stopped.

    fill: what stands where the map is dark; empty takes the case's, "black" is the paper's. Maps without positive evidence are left out.
    """
    masks = {title: mask for title, values in maps.items() if (mask := soft_mask_of_map(values, case.size)) is not None}
    logits = case.masked(iter(masks.values()), fill or case.fill)
    whole = float(case.probabilities(case.image_logits)[0, case.score.target])
    shown = case.probabilities(logits)[:, case.score.target]
    return [AverageDropScore(title, whole, float(each)) for title, each in zip(masks, shown, strict=True)]


def soft_mask_of_map(values: Floats, size: tuple[int, int]) -> Floats | None:
    """(H, W) in 0..1: the map's positive part over its maximum; None where it has none."""
    positive = np.maximum(enlarge_map(values, size), 0)
    peak = float(positive.max())
    return np.asarray(positive / peak, np.float32) if peak > 0 else None
