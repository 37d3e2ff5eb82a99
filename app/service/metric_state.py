"""What is known of one answer's maps beyond the maps: agreement above chance, and what other metrics found on request."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from explainers.method_runner import MethodResult
from explainers.metric import Metric
from explainers.metrics import METRICS
from explainers.metrics.agreement.agreement import AgreementMetric, AgreementResult
from explainers.metrics.agreement.consistency import MapConsistency
from explainers.report_card.report_card_file import ReportCard

F = TypeVar("F")

AGREEMENT = AgreementMetric.key
"""Stands for all metrics that run by themselves."""
BY_ITSELF = [kind for kind in METRICS if kind.on_page and not kind.on_request]
"""The metrics that run as soon as the maps are there, as far as they are quick."""
ON_REQUEST: dict[str, type[Metric[Any]]] = {
    kind.key: kind for kind in METRICS if kind.on_page and (kind.on_request or kind.seconds_at_most < math.inf)
}
"""Key -> the metric, of those that the page has a button for."""


@dataclass(frozen=True)
class MetricCost:
    """What a metric costs at most: evaluations, and about how many seconds on this machine."""

    evaluations: int
    seconds: float


@dataclass(frozen=True)
class MetricState:
    """Grows as metrics run. findings: metric's key -> what it has found so far. prices: metric's key -> its cost. card: the classifier's
    report card, where it has one that holds.

    running: the key of the metric that waits or works, or "". done, expected: its evaluations. error: a sentence. stopped: what to tell
    the visitor who stopped the last metric only.
    """

    findings: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    prices: Mapping[str, MetricCost] = field(default_factory=dict)
    card: ReportCard | None = None
    running: str = ""
    done: int = 0
    expected: int = 0
    error: str = ""
    stopped: str = ""

    def of(self, kind: type[Metric[F]]) -> tuple[F, ...]:
        """What the metric has found so far."""
        return self.findings.get(kind.key, ())

    @property
    def agreement(self) -> AgreementResult | None:
        """None until the maps were compared."""
        found = self.of(AgreementMetric)
        return found[-1] if found else None

    @property
    def consistency(self) -> MapConsistency | None:
        """None until the maps were compared."""
        return self.agreement.consistency if self.agreement else None

    def visible_to(self, stopper: bool) -> "MetricState":
        """As somebody sees it. stopper: whether they have stopped the last metric."""
        return replace(self, error=self.error or self.stopped) if stopper else self

    def complete(self, key: str, results: Mapping[str, MethodResult]) -> bool:
        """Whether all of a metric is known; run again it would give the same."""
        metric = ON_REQUEST[key].given({})
        return metric is not None and metric.complete(self.findings.get(key, ()), list(results.values()))
