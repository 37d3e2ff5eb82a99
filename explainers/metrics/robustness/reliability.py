"""Whether a method would show the same map again: two half runs of what draws, two pictures with invisible noise for what does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np

from errors import UserError
from explainers.blank_maps import mark_blank_attribution
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.grid import Grid, attribution_on_common_grid
from explainers.method import Attribution, Method
from explainers.method_runner import MethodResult, deterministic_results
from explainers.metric import Family, Metric

JITTER = 2 / 255
"""Standard deviation of the noise: two levels of 255, less than a camera's own."""

CONVERGED = 0.7
"""Reliability from which a map is given a score."""


class RepeatedReadingSource(StrEnum):
    """Where two readings of one map come from; the values stand in sentences and in the manifest."""

    HALF_RUNS = "half runs"
    JITTERED = "jittered pictures"
    EXACT = "taken as exact"


@dataclass(frozen=True)
class RepeatedMaps:
    """Two maps of one method that share no evaluations, signed, on the common grid (G, G)."""

    first: Grid
    second: Grid
    how: RepeatedReadingSource


@dataclass(frozen=True)
class ReliabilityScore:
    """r = 2 r_half / (1 + r_half), r_half the Pearson correlation of two half runs' signed maps over the cells of the common grid.

    Of noisy pictures, each as good as the whole, r is their correlation itself. further: evaluations that would be needed beyond those
    spent for r of .7, by the same formula turned round; 0 where the map has converged, None where more would not help.
    Of a map that is taken as exact nothing was measured: between, reliability and converged are None. unfinished: the method itself says
    that it has not converged.
    """

    title: str
    between: float | None
    reliability: float | None
    converged: bool | None
    further: int | None
    how: RepeatedReadingSource
    unfinished: bool = False

    source = "Spearman 1910; Brown 1910 (Brit. J. Psychol. 3)"

    @property
    def sentence(self) -> str:
        """What it means, for a person."""
        if self.reliability is None:
            own = " By its own measure the map has not converged." if self.unfinished else ""
            return f"Not measured: the method draws nothing, and whether it holds on a jittered picture was not asked.{own}"
        if self.converged:
            return f"Two {self.how} agree: reliability {self.reliability:.2f}."
        more = f"; it needs about {self.further:,} more evaluations" if self.further else ""
        return f"Not converged: reliability {self.reliability:.2f} of two {self.how}, under {CONVERGED}{more}."

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "between": self.between,
            "reliability": self.reliability,
            "converged": self.converged,
            "further": self.further,
            "how": self.how,
            "unfinished": self.unfinished,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class ReliabilityMetric(Metric[tuple[str, RepeatedMaps]]):
    """Readings of two noisy pictures for the methods that draw nothing; those that draw give two half runs without being run again."""

    title = "Reliability"
    key = "stability"
    section = "agreement"
    family: ClassVar[Family] = "robustness"
    reruns = True
    feeds = "readings"
    evidence = "Stability"
    source = ReliabilityScore.source
    formula = (
        "2 r / (1 + r), r the correlation of the maps of two half runs; of a method that draws nothing the correlation of its maps of "
        "two pictures with invisible noise (these only on request); how many more evaluations are needed"
    )
    description = "A map that would be another one if it were made again cannot be right. Below .7 a method counts as not converged."
    button = "Jitter the picture"
    question = "Do the methods that draw nothing show the same map when the picture carries invisible noise?"

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[tuple[str, RepeatedMaps]]:
        yield from maps_under_noise(case, [result.method for result in deterministic_results(results)])

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return 2 * sum(result.method.cost(case) for result in deterministic_results(results))

    def to_json(self, findings: Sequence[tuple[str, RepeatedMaps]]) -> dict[str, Any]:
        """Nothing: what the readings say stands with the agreement that they feed."""
        return {}


def spearman_brown_reliability(between_halves: float) -> float:
    """Spearman-Brown: how well the whole map would agree with another run, from how well its halves agree: 2 r / (1 + r)."""
    return 2 * between_halves / (1 + between_halves) if between_halves > -1 else -1.0


def is_reliable_enough(between_halves: float) -> bool:
    """Whether the map is reliable enough, .7 or more, to be given a score."""
    return spearman_brown_reliability(between_halves) >= CONVERGED


def half_run_maps(result: MethodResult, size: tuple[int, int]) -> RepeatedMaps | None:
    """The two halves that the method itself gives; the map twice where it draws nothing; None where it shows no evidence. size: (H, W)."""
    attribution = result.attribution
    if attribution is None or attribution.blank:
        return None
    if attribution.halves is None:
        grid = attribution_on_common_grid(attribution, size)
        return RepeatedMaps(grid, grid, RepeatedReadingSource.EXACT)
    first, second = (attribution_on_common_grid(Attribution(half), size) for half in attribution.halves)
    return RepeatedMaps(first, second, RepeatedReadingSource.HALF_RUNS)


def maps_under_noise(case: Case, methods: Sequence[Method]) -> Iterator[tuple[str, RepeatedMaps]]:
    """For each method its title and its maps of two pictures that differ from the case's by invisible noise; twice its cost each.

    A method that fails on one of them is left out. Raises Stopped after `case.stop()`.
    """
    for method in methods:
        grids = [_map(case.variant(add_gaussian_noise(case.image, case.seed + number)), method) for number in (1, 2)]
        if grids[0] is not None and grids[1] is not None:
            yield method.title, RepeatedMaps(grids[0], grids[1], RepeatedReadingSource.JITTERED)


def add_gaussian_noise(image: Floats, seed: int) -> Floats:
    """(H, W, 3) -> (H, W, 3) with normal noise of two levels of 255, kept within 0..1."""
    noise = np.random.default_rng(seed).normal(0, JITTER, image.shape).astype(np.float32)
    return np.asarray(np.clip(image + noise, 0, 1), np.float32)


def reliability_score(title: str, readings: RepeatedMaps, evaluations: int) -> ReliabilityScore:
    """evaluations: those that the map rests on, shared ones counted in."""
    if readings.how == RepeatedReadingSource.EXACT:
        return ReliabilityScore(title=title, between=None, reliability=None, converged=None, further=None, how=readings.how)
    between, halved = pearson_correlation(readings.first, readings.second), readings.how == RepeatedReadingSource.HALF_RUNS
    whole = spearman_brown_reliability(between) if halved else between
    good = whole >= CONVERGED
    further = 0 if good else _further(whole, evaluations) if halved else None
    return ReliabilityScore(title=title, between=between, reliability=whole, converged=good, further=further, how=readings.how)


def reliability_scores(results: Sequence[MethodResult], readings: Mapping[str, RepeatedMaps]) -> dict[str, ReliabilityScore]:
    """For every method with readings."""
    spent = {result.method.title: result.evaluations + result.shared for result in results}
    unfinished = {result.method.title for result in results if result.attribution and not result.attribution.converged}
    found = {title: reliability_score(title, each, spent.get(title, 0)) for title, each in readings.items()}
    return {title: replace(each, unfinished=title in unfinished) for title, each in found.items()}


def pearson_correlation(a: Grid, b: Grid) -> float:
    """Pearson's over cells; 1 where both are the same, 0 where one is constant."""
    if np.array_equal(a, b):
        return 1.0
    x, y = a.ravel() - a.mean(), b.ravel() - b.mean()
    scale = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / scale if scale > 0 else 0.0


def _further(whole: float, evaluations: int) -> int | None:
    """Spearman and Brown's prophecy: n k evaluations have reliability k r / (1 + (k - 1) r); one significant digit, rounded up."""
    if whole <= 0:
        return None
    missing = evaluations * (CONVERGED * (1 - whole) / (whole * (1 - CONVERGED)) - 1)
    digit = 10 ** int(np.log10(max(missing, 1)))
    return int(np.ceil(missing / digit) * digit)


def _map(case: Case, method: Method) -> Grid | None:
    try:
        *_, last = method(case)
    except UserError:
        return None
    return attribution_on_common_grid(mark_blank_attribution(method, last, case), case.size)
