"""What is known of one answer's maps beyond the maps: agreement above chance, and, on request, faithfulness, stability and sanity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from explainers.case import Case
from explainers.metrics.agreement.consistency import Consistency
from explainers.metrics.faithfulness.deletion_insertion import FILL, Curve, DisplacementTest, Plan, order
from explainers.metrics.randomisation.sanity_checks import WEIGHTS, SanityResult
from explainers.metrics.robustness.reliability import RepeatedReadings
from explainers.runner import Result

AGREEMENT, CURVES, DISPLACED, STABILITY, SANITY = "agreement", "curves", "displaced", "stability", "sanity"
ON_REQUEST = (CURVES, DISPLACED, STABILITY, SANITY)


@dataclass(frozen=True)
class Cost:
    """What a measure costs at most: evaluations, and about how many seconds on this machine."""

    evaluations: int
    seconds: float


@dataclass(frozen=True)
class DeletionFrames:
    """What is needed to show a picture while it is deleted or inserted, without asking anybody.

    steps: title -> (H, W) uint8, the step from 1 to `count` at which a pixel goes. fills: fill -> (H, W, 3) float32 0..1.
    """

    count: int
    steps: Mapping[str, NDArray[np.uint8]]
    fills: Mapping[str, NDArray[np.float32]]

    @classmethod
    def of(cls, case: Case, results: Mapping[str, Result], count: int) -> "DeletionFrames":
        """Of every map with positive evidence, in the order in which `curves` takes its pixels."""
        orders = {title: order(values, case.size, case.seed) for title, values in positive_maps(results).items()}
        steps = {title: _step_of_each(pixels, count).reshape(case.size) for title, pixels in orders.items()}
        return cls(count, steps, {fill: case.filled(fill) for fill in dict.fromkeys(FILL.values())})


@dataclass(frozen=True)
class MetricState:
    """Grows as measures are asked for. running: the measure that waits or works, or "". done, expected: its evaluations.

    others: pictures of the library that chance was drawn from, 0 without one. prices: measure -> its cost. jitters: readings of methods
    that draw nothing. notes, error: sentences. stopped: what to tell whoever stopped the last measure, and nobody else.
    """

    consistency: Consistency | None = None
    notes: tuple[str, ...] = ()
    others: int = 0
    prices: Mapping[str, Cost] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    slides: DeletionFrames | None = None
    ranks: tuple[DisplacementTest, ...] = ()
    jitters: Mapping[str, RepeatedReadings] = field(default_factory=dict)
    findings: tuple[SanityResult, ...] = ()
    running: str = ""
    done: int = 0
    expected: int = 0
    error: str = ""
    stopped: str = ""

    def told(self, stopper: bool) -> "MetricState":
        """As somebody sees it. stopper: whether they have stopped the last measure."""
        return replace(self, error=self.error or self.stopped) if stopper else self

    def complete(self, kind: str, results: Mapping[str, Result]) -> bool:
        """Whether all of a measure is known; asked again it would give the same."""
        maps = len(positive_maps(results))
        if kind == CURVES:
            return len(self.curves) >= (maps + curves_plan().randoms) * len(FILL)
        if kind == DISPLACED:
            return len({(rank.title, rank.kind) for rank in self.ranks}) >= 2 * maps
        if kind == SANITY:
            return len(self.findings) >= len(results) * (len(WEIGHTS) + 2)
        return bool(self.jitters)


def positive_maps(results: Mapping[str, Result]) -> dict[str, NDArray[np.float32]]:
    """Title -> (h, w) of every map with positive evidence."""
    found = ((result.method.title, result.attribution) for result in results.values())
    return {title: attribution.values for title, attribution in found if attribution is not None and not attribution.blank}


def with_attribution(results: Iterable[Result]) -> list[Result]:
    """Results that there is something to measure of; the others have an error instead."""
    return [result for result in results if result.attribution is not None]


def deterministic(results: Iterable[Result]) -> list[Result]:
    """Results of methods that draw nothing: only another picture can give another reading."""
    return [result for result in results if result.attribution is not None and result.attribution.halves is None]


def curves_plan() -> Plan:
    """Both kinds on both substrates, in 28 steps, beside three random orders."""
    return Plan()


def _step_of_each(pixels: NDArray[np.intp], count: int) -> NDArray[np.uint8]:
    """(H * W,): the first step after which a pixel has gone; 1 to `count`."""
    found = np.empty(pixels.size, np.uint8)
    edges = [round(step * pixels.size / count) for step in range(count + 1)]
    for step in range(1, count + 1):
        found[pixels[edges[step - 1] : edges[step]]] = step
    return found
