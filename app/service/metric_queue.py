"""Runs the metrics of finished answers behind the page: agreement by itself, expensive ones on request, always after everybody's maps."""

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

from app.conclusion_facts import usable_report_card
from app.metrics import Kind, build_agreement_context, dependent_metrics, run_metric
from app.service import limits
from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_error_message
from app.service.explanation_job import ExplanationJob
from app.service.low_priority_classifier import YieldingClassifier
from app.service.metric_state import AGREEMENT, BY_ITSELF, ON_REQUEST, MetricCost
from app.service.work_queue import WorkQueue
from errors import UserError
from explainers.explanation_case import Case, EvaluationStopped, ExplanationSettings
from explainers.method_runner import maps_with_positive_evidence
from explainers.metrics.agreement.agreement import AgreementContext
from models.classifiers.score import Score

Changes = dict[str, Any]
MAX_SECONDS = 15 * 60.0
"""For one metric in all, its waiting included: a page that a visitor has left open must not block the others' metrics."""
PROGRESS_SECONDS = 0.3
log = logging.getLogger(__name__)


class TimeLimitReachedError(Exception):
    """A metric took longer than one may; its partial results are kept."""


class MetricQueue(WorkQueue[ExplanationJob]):
    """One thread for the agreement, which costs next to nothing, and one for what is expensive: no agreement waits for another's checks.

    One more for all metrics of uploaded models, so that a model that never answers holds up no other's.
    """

    def __init__(self, registry: ClassifierRegistry, idle: Event) -> None:
        """idle: set while no explanation is pending."""
        super().__init__(agreement=1, on_request=1, uploaded=1)
        self.registry, self.idle = registry, idle
        self._contexts: dict[str, AgreementContext] = {}

    def score_agreement(self, job: ExplanationJob) -> None:
        """The agreement of the maps; nothing where there are none."""
        if maps_with_positive_evidence(job.report.results.values()):
            self._submit("agreement", job, AGREEMENT)
        else:
            job.publish_metrics(running="")

    def score_stored(self, job: ExplanationJob, preview: Callable[[], Changes]) -> None:
        """The agreement of a stored answer. preview: as much of it as can be computed before its classifier is loaded."""
        self._start("agreement", lambda job: _publish_preview(job, preview), job)
        self.score_agreement(job)

    def submit(self, job: ExplanationJob, kind: object) -> None:
        """Starts an expensive metric. kind: its key, as the browser sent it. UserError where it cannot be run just now."""
        key = str(kind)
        if key not in ON_REQUEST:
            raise UserError(f"There is no measure {key[:40]!r}; press one of the buttons.")
        report = job.report
        if not report.final or not maps_with_positive_evidence(report.results.values()):
            raise UserError("There are no finished maps to measure yet; wait for them.")
        if report.measures.running:
            raise UserError("Another measure of these maps is under way; wait for it, or stop it.")
        price = report.measures.prices.get(key)
        job.publish_metrics(running=key, done=0, expected=price.evaluations if price else 0, error="", stopped="")
        self._submit("on_request", job, key)

    def _submit(self, pool: str, job: ExplanationJob, key: str) -> None:
        job.metric_stop.clear()
        self._start("uploaded" if job.uploaded else pool, lambda job: _publish(job, self._work(job, key)), job)

    def _owner(self, job: ExplanationJob) -> str:
        return job.owner

    def _fail(self, job: ExplanationJob, error: Exception) -> None:
        job.publish_metrics(
            running="", error=public_error_message(error, "The measure failed ({}); the server's log says why."), stopped=""
        )

    def _work(self, job: ExplanationJob, key: str) -> Iterator[Changes]:
        """The findings, as the metric finds them. Raises Stopped, TimeLimitReachedError, UserError."""
        name = job.report.request.classifier
        classifier = self.registry.get(name)
        inputs = {"context": self._context(name, classifier)}
        case = self._case(job, classifier)
        if key == AGREEMENT:
            self._wait(job, time.monotonic() + MAX_SECONDS)
            results = list(job.report.results.values())
            prices, card = self._prices(case, job), usable_report_card(name, classifier)
            for kind in self._quick(case, job):
                found = tuple(run_metric(kind, case, results, inputs))
                yield {"findings": {**job.report.measures.findings, kind.key: found}, "prices": prices, "card": card}
        else:
            yield from _findings(ON_REQUEST[key], case, job, inputs)

    def _case(self, job: ExplanationJob, classifier: Any) -> Case:
        """A case of its own, so that no explanation has to wait for this one's."""
        report, started, published = job.report, time.monotonic(), 0.0

        def before() -> None:
            nonlocal published
            self._wait(job, started + MAX_SECONDS)
            if time.monotonic() - published > PROGRESS_SECONDS and job.report.measures.running != AGREEMENT:
                published = time.monotonic()
                job.publish_metrics(done=case.evaluations)

        assert report.image is not None
        assert report.target is not None
        score = Score.of(report.target, report.request.rather_than)
        case = Case(YieldingClassifier(classifier, before), report.image, score, ExplanationSettings(preset=report.request.preset))
        return case

    def _wait(self, job: ExplanationJob, until: float) -> None:
        """Gives way to maps for a while, so that visitors who keep coming hold up no metric for ever. The agreement of a bundled
        classifier's maps belongs to its answer and gives way to nobody. Raises Stopped, TimeLimitReachedError."""
        yields = limits.METRIC_YIELD_SECONDS if job.uploaded or job.report.measures.running != AGREEMENT else 0.0
        yielded = time.monotonic() + yields
        while True:
            if job.metric_stop.is_set() or self._closed.is_set():
                raise EvaluationStopped
            if time.monotonic() > until:
                raise TimeLimitReachedError(f"The measure took more than {MAX_SECONDS / 60:.0f} minutes and was ended")
            if time.monotonic() >= yielded or self.idle.wait(0.05):
                return

    def forget_context(self, name: str) -> None:
        """The model's library has changed: it is read again for the next picture."""
        self._contexts.pop(name, None)

    def _context(self, name: str, classifier: Any) -> AgreementContext:
        if name not in self._contexts:
            for gone in set(self._contexts) - set(self.registry.entries):
                self._contexts.pop(gone, None)
            entry = self.registry.entry(name)
            self._contexts[name] = build_agreement_context(name if entry.uploaded else str(entry.source), classifier)
        return self._contexts[name]

    def _quick(self, case: Case, job: ExplanationJob) -> list[Kind]:
        """Those that run by themselves, less what would take this classifier longer than they may."""
        results, entry = list(job.report.results.values()), self.registry.entry(job.report.request.classifier)
        prices = {kind: metric.cost(case, results) for kind in BY_ITSELF if (metric := kind.given({}))}
        return [kind for kind in BY_ITSELF if prices.get(kind, 0) * entry.forward * entry.pace <= kind.seconds_at_most]

    def _prices(self, case: Case, job: ExplanationJob) -> dict[str, MetricCost]:
        results, entry = list(job.report.results.values()), self.registry.entry(job.report.request.classifier)
        found = {key: metric.cost(case, results) for key, kind in ON_REQUEST.items() if (metric := kind.given({}))}
        return {key: MetricCost(count, count * entry.forward * entry.pace) for key, count in found.items()}


def _findings(kind: Kind, case: Case, job: ExplanationJob, inputs: dict[str, Any]) -> Iterator[Changes]:
    """One change per finding; of a metric that feeds others one change in all, with what the others find now."""
    results, known = list(job.report.results.values()), job.report.measures.findings
    if kind.feeds:
        found = tuple(run_metric(kind, case, results, inputs))
        fed = {other.key: tuple(run_metric(other, case, results, {**inputs, kind.feeds: dict(found)})) for other in dependent_metrics(kind)}
        yield {"findings": {**known, kind.key: found, **fed}}
        return
    so_far: tuple[Any, ...] = ()
    for finding in run_metric(kind, case, results, inputs):
        so_far = (*so_far, finding)
        yield {"findings": {**known, kind.key: so_far}}


def _publish(job: ExplanationJob, changes: Iterator[Changes]) -> None:
    """Publishes the findings as they come, and whether the metric was stopped or took too long; partial results are kept."""
    sentence, stopped, found = "", "", False
    try:
        for each in changes:
            job.publish_metrics(**each)
            found = True
    except EvaluationStopped:
        stopped = f"The measure was stopped{_rest(found)}"
    except TimeLimitReachedError as limit:
        sentence = f"{limit}{_rest(found)}"
    job.publish_metrics(running="", error=sentence, stopped=stopped)


def _publish_preview(job: ExplanationJob, preview: Callable[[], Changes]) -> None:
    """An error only costs the preview: the agreement follows."""
    try:
        job.publish_metrics(**preview())
    except Exception:
        log.exception("the stored answer's agreement could not be computed")


def _rest(found: bool) -> str:
    return "; what was found by then stands." if found else " before it found anything."
