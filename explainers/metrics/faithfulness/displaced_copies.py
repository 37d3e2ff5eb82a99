"""Compares a map with displaced copies of itself: what do its places add to its texture?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np

from explainers.case import Case
from explainers.classifier_protocol import Floats
from explainers.grid import enlarge_map
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric
from explainers.metrics.faithfulness.deletion_insertion import SOURCE, TIE, DeletionPlan, Kind, curves_of_pixel_orders, pixels_by_importance

COPIES = 20
COARSE = DeletionPlan(substrates=("mean colour",), steps=14, randoms=0)
"""A coarser plan than that of the curves: it costs as much as 20 further maps."""


@dataclass(frozen=True)
class DisplacementTest:
    """Better than `better` of `copies` displaced copies of the same map, as good as `ties`."""

    title: str
    kind: Kind
    substrate: str
    area: float
    better: int
    copies: int
    ties: int = 0

    @property
    def conclusive(self) -> bool:
        """Whether the copies' areas differ from the map's at all, for at least half of them."""
        return 2 * self.ties <= self.copies

    @property
    def share(self) -> float:
        """The part of the copies that the map beats, a tie counting half."""
        return (self.better + self.ties / 2) / self.copies

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "kind": self.kind,
            "substrate": self.substrate,
            "area": self.area,
            "better": self.better,
            "copies": self.copies,
            "ties": self.ties,
            "told": self.conclusive,
            "share": self.share if self.conclusive else None,
        }


@dataclass(frozen=True)
class DisplacedCopiesMetric(Metric[DisplacementTest]):
    """Areas under deletion and insertion of each map compared with those of 20 copies of it, shifted and flipped."""

    plan: DeletionPlan = COARSE

    title = "Displaced copies"
    key = "displaced"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    evidence = "Faithfulness"
    source = SOURCE
    formula = "the share of 20 displaced copies of the map, shifted and flipped, with a worse area under deletion and insertion"
    description = (
        "A map can move the class's probability by its texture alone, wherever it lies. "
        "Here each map competes with copies of itself in other places."
    )
    button = "Compare with displaced copies"
    question = "Is the map's place worth anything? Each map is held against 20 shifted and flipped copies."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[DisplacementTest]:
        for title, values in maps_with_positive_evidence(results).items():
            yield from run_displacement_tests(case, title, values, self.plan)

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        maps = len(maps_with_positive_evidence(results))
        return maps * (max_evaluations_of_displaced_copies(self.plan) + self.plan.cost_per_order()) + self.plan.ends() if maps else 0

    def complete(self, findings: Sequence[DisplacementTest], results: Sequence[MethodResult]) -> bool:
        return len({(each.title, each.kind) for each in findings}) >= 2 * len(maps_with_positive_evidence(results))

    def to_json(self, findings: Sequence[DisplacementTest]) -> dict[str, Any]:
        return {"displaced": [each.to_json() for each in findings]}


def max_evaluations_of_displaced_copies(plan: DeletionPlan) -> int:
    """Evaluations at most for the displaced copies of one map."""
    return COPIES * plan.cost_per_order()


def run_displacement_tests(case: Case, title: str, values: Floats, plan: DeletionPlan) -> Iterator[DisplacementTest]:
    """The map (h, w) compared with 20 shifted and flipped copies of itself; cost: `max_evaluations_of_displaced_copies`. Raises Stopped."""
    full = enlarge_map(values, case.size)
    copies = displaced_map_copies(full, COPIES, case.seed)
    orders = {str(number): pixels_by_importance(each, case.size, case.seed) for number, each in enumerate([full, *copies])}
    for substrate, kind in product(plan.substrates, plan.kinds):
        own, *others = (curve.area for curve in curves_of_pixel_orders(case, orders, kind, substrate, plan.steps))
        gains = [other - own if kind == "deletion" else own - other for other in others]
        better, ties = sum(gain >= TIE for gain in gains), sum(abs(gain) < TIE for gain in gains)
        yield DisplacementTest(title, kind, substrate, area=own, better=better, copies=len(others), ties=ties)


def displaced_map_copies(full: Floats, count: int, seed: int) -> list[Floats]:
    """Copies of a map (H, W), flipped or not, and shifted round the edges by at least an eighth of a side in some direction."""
    rng = np.random.default_rng(seed)
    copies = []
    for _ in range(count):
        face = full[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
        shift = [int(rng.integers(side // 8, side - side // 8 + 1)) for side in full.shape]
        copies.append(np.ascontiguousarray(np.roll(face, shift, (0, 1))))
    return copies
