"""Compares a map with the same method's maps of other pictures, laid on this one: what does it know of this picture?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np

from explainers.explanation_case import Case
from explainers.grid import Grid
from explainers.method_runner import MethodResult, maps_with_positive_evidence
from explainers.metric import Family, Metric
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.metrics.agreement.reference_library import MapLibrary, image_digest, map_library_settings
from explainers.metrics.agreement.similarity import evidence_on_grid
from explainers.metrics.faithfulness.deletion_insertion import SOURCE, TIE, DeletionPlan, Kind, curves_of_pixel_orders, pixels_by_importance

OTHERS = 30
"""Other pictures whose maps are laid on this one."""
COARSE = DeletionPlan(substrates=("mean colour",), steps=14, randoms=0)
"""A coarser plan than that of the curves: it costs as much as 30 further maps."""
NO_LIBRARY = "Cannot be told yet: the library holds too few of this method's maps of other pictures, or there is none."


@dataclass(frozen=True)
class TransplantTest:
    """Better than `better` of `others` maps of other pictures by the same method, as good as `ties`, all on the same grid of cells.

    others: 0 where there is no library, and then no area either.
    """

    title: str
    kind: Kind
    substrate: str
    area: float | None
    better: int
    others: int
    ties: int = 0

    @property
    def conclusive(self) -> bool:
        """Whether the other maps' areas differ from this one's at all, for at least half of them."""
        return self.others > 0 and 2 * self.ties <= self.others

    @property
    def share(self) -> float:
        """The part of the other pictures' maps that the map beats, a tie counting half; 1/2 where there are none."""
        return (self.better + self.ties / 2) / self.others if self.others else 0.5

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "kind": self.kind,
            "substrate": self.substrate,
            "area": self.area,
            "better": self.better,
            "others": self.others,
            "ties": self.ties,
            "told": self.conclusive,
            "share": self.share if self.conclusive else None,
        }


@dataclass(frozen=True)
class TransplantsMetric(Metric[TransplantTest]):
    """Areas under deletion and insertion of each map compared with those of the same method's maps of 30 other pictures, from the library.

    All lie on the common grid, the map itself too, so that its finer detail is no advantage.
    """

    context: AgreementContext | None = None
    plan: DeletionPlan = COARSE

    title = "Transplants"
    key = "transplants"
    section = "faithfulness"
    family: ClassVar[Family] = "faithfulness"
    evidence = "Faithfulness"
    source = SOURCE
    formula = (
        "the share of the same method's maps of 30 other pictures, laid on this one on the same grid of cells, with a worse area under "
        "deletion and insertion"
    )
    description = (
        "A map may do well because subjects stand in the middle, whatever it knows of this picture. "
        "Here each map competes with the same method's maps of other pictures: .5 is what one of those would get."
    )
    button = "Compare with other pictures' maps"
    question = "Does the map know this picture? It is compared with the same method's maps of 30 other pictures, laid on this one."

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[TransplantTest]:
        library = self._library(case)
        shown = maps_with_positive_evidence(results)
        for result in results:
            found = evidence_on_grid(result, case.size) if result.method.title in shown else None
            if found is not None and found.share is not None:
                yield from transplant_tests(case, found.title, found.share, library, self.plan)

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        maps = len(maps_with_positive_evidence(results))
        return maps * (OTHERS + 1) * self.plan.cost_per_order() + self.plan.ends() if maps else 0

    def complete(self, findings: Sequence[TransplantTest], results: Sequence[MethodResult]) -> bool:
        return len({(each.title, each.kind) for each in findings}) >= 2 * len(maps_with_positive_evidence(results))

    def to_json(self, findings: Sequence[TransplantTest]) -> dict[str, Any]:
        return {"transplants": [each.to_json() for each in findings]}

    def _library(self, case: Case) -> MapLibrary | None:
        """The library, where it was made as this case is."""
        library = self.context.library if self.context else None
        return (
            None if library is None or self.context is None or library.mismatch(map_library_settings(case, self.context.model)) else library
        )


def transplant_tests(
    case: Case, title: str, share: Grid, library: MapLibrary | None, plan: DeletionPlan = COARSE
) -> Iterator[TransplantTest]:
    """The map (G, G) against 30 maps of that title, drawn from the library by the case's seed. Raises Stopped."""
    known = library.others(title, image_digest(case.image)) if library else None
    maps = [share] if known is None else [share, *_drawn(known.batch.shares.T, share, case.seed)]
    orders = {str(number): pixels_by_importance(each.astype(np.float32), case.size, case.seed) for number, each in enumerate(maps)}
    for substrate, kind in product(plan.substrates, plan.kinds):
        if known is None:
            yield TransplantTest(title, kind, substrate, area=None, better=0, others=0)
            continue
        own, *others = (curve.area for curve in curves_of_pixel_orders(case, orders, kind, substrate, plan.steps))
        gains = [other - own if kind == "deletion" else own - other for other in others]
        better, ties = sum(gain >= TIE for gain in gains), sum(abs(gain) < TIE for gain in gains)
        yield TransplantTest(title, kind, substrate, area=own, better=better, others=len(others), ties=ties)


def _drawn(rows: np.ndarray, share: Grid, seed: int) -> list[Grid]:
    """30 of the maps (n, C), as grids like `share`."""
    chosen = np.random.default_rng(seed).permutation(len(rows))[:OTHERS]
    return [np.asarray(rows[number], np.float64).reshape(share.shape) for number in chosen]
