"""Runs the metrics of finished answers behind the page: agreement by itself, expensive ones on request, always after everybody's maps."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from app.metrics import Kind, agreement_context, fed_by, run
from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_message
from app.service.job import ExplanationJob
from app.service.metric_state import AGREEMENT, BY_ITSELF, ON_REQUEST, Cost
from app.service.yielding_classifier import YieldingClassifier
from errors import UserError
from explainers.case import Case, Settings, Stopped
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.runner import positive_maps
from models.classifiers.score import Score

Changes = dict[str, Any]
LONGEST = 15 * 60.0
"""Seconds that one measure may take in all, its waiting included: a visitor's forgotten page must not keep the others'."""
EVERY = 0.3


class _TimeLimitReached(Exception):  # noqa: N818 - the measure was ended, and what it found is right
    """The measure took longer than one may."""


class MetricQueue:
    """One thread for what is next to free and one for what is expensive, so that no visitor's agreement waits for another's checks."""

    def __init__(self, shelf: ClassifierRegistry, quiet: Event) -> None:
        """quiet: set while nobody waits for maps."""
        self.shelf, self.quiet = shelf, quiet
        self._contexts: dict[str, AgreementContext] = {}
        self._weighing, self._measuring = ThreadPoolExecutor(1, "weigh"), ThreadPoolExecutor(1, "measure")
        self._closed = Event()

    def weigh(self, job: ExplanationJob) -> None:
        """The agreement of the maps, which costs next to nothing; at once where there are none."""
        if not positive_maps(job.report.results.values()):
            return job.publish_metrics(running="")
        self._submit(self._weighing, job, AGREEMENT)
        return None

    def first(self, job: ExplanationJob, work: Callable[[], Changes]) -> None:
        """What can be said of a stored answer before its classifier is there, and then its agreement."""
        self._weighing.submit(_guarded, job, lambda: [work()])
        self.weigh(job)

    def measure(self, job: ExplanationJob, kind: object) -> None:
        """Begins an expensive metric. kind: its key, as the browser sent it. UserError where it cannot be run just now."""
        key = str(kind)
        if key not in ON_REQUEST:
            raise UserError(f"There is no measure {key[:40]!r}; press one of the buttons.")
        report = job.report
        if not report.final or not positive_maps(report.results.values()):
            raise UserError("There are no finished maps to measure yet; wait for them.")
        if report.measures.running:
            raise UserError("Another measure of these maps is under way; wait for it, or stop it.")
        price = report.measures.prices.get(key)
        job.publish_metrics(running=key, done=0, expected=price.evaluations if price else 0, error="", stopped="")
        self._submit(self._measuring, job, key)

    def close(self) -> None:
        """Stops everything that runs."""
        self._closed.set()
        for pool in (self._weighing, self._measuring):
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, job: ExplanationJob, key: str) -> None:
        job.metric_stop.clear()
        pool.submit(_guarded, job, lambda: self._work(job, key), finished=True)

    def _work(self, job: ExplanationJob, key: str) -> Iterator[Changes]:
        """What the metric finds, as it finds it. Raises Stopped, UserError."""
        name = job.report.question.classifier
        classifier = self.shelf.get(name)
        inputs = {"context": self._context(name, classifier)}
        case = self._case(job, classifier)
        if key == AGREEMENT:
            self._wait(job, time.monotonic() + LONGEST)
            results = list(job.report.results.values())
            found = {kind.key: tuple(run(kind, case, results, inputs)) for kind in BY_ITSELF}
            yield {"findings": {**job.report.measures.findings, **found}, "prices": self._prices(case, job)}
        else:
            yield from _findings(ON_REQUEST[key], case, job, inputs)

    def _case(self, job: ExplanationJob, classifier: Any) -> Case:
        """A case of its own, so that nobody who asks for maps has to wait for this one's."""
        report, started, told = job.report, time.monotonic(), 0.0

        def before() -> None:
            nonlocal told
            self._wait(job, started + LONGEST)
            if time.monotonic() - told > EVERY and job.report.measures.running != AGREEMENT:
                told = time.monotonic()
                job.publish_metrics(done=case.evaluations)

        assert report.image is not None
        assert report.target is not None
        score = Score.of(report.target, report.question.rather_than)
        case = Case(YieldingClassifier(classifier, before), report.image, score, Settings(preset=report.question.preset))
        return case

    def _wait(self, job: ExplanationJob, until: float) -> None:
        """Until nobody waits for maps. Raises Stopped."""
        while True:
            if job.metric_stop.is_set() or self._closed.is_set():
                raise Stopped
            if time.monotonic() > until:
                raise _TimeLimitReached(f"The measure took more than {LONGEST / 60:.0f} minutes and was ended")
            if self.quiet.wait(0.05):
                return

    def _context(self, name: str, classifier: Any) -> AgreementContext:
        if name not in self._contexts:
            self._contexts[name] = agreement_context(name, classifier)
        return self._contexts[name]

    def _prices(self, case: Case, job: ExplanationJob) -> dict[str, Cost]:
        results, entry = list(job.report.results.values()), self.shelf.entry(job.report.question.classifier)
        found = {key: metric.cost(case, results) for key, kind in ON_REQUEST.items() if (metric := kind.given({}))}
        return {key: Cost(count, count * entry.forward * entry.pace) for key, count in found.items()}


def _findings(kind: Kind, case: Case, job: ExplanationJob, inputs: dict[str, Any]) -> Iterator[Changes]:
    """One change per finding; of a metric that feeds others one change in all, with what the others find now."""
    results, known = list(job.report.results.values()), job.report.measures.findings
    if kind.feeds:
        found = tuple(run(kind, case, results, inputs))
        fed = {other.key: tuple(run(other, case, results, {**inputs, kind.feeds: dict(found)})) for other in fed_by(kind)}
        yield {"findings": {**known, kind.key: found, **fed}}
        return
    so_far: tuple[Any, ...] = ()
    for finding in run(kind, case, results, inputs):
        so_far = (*so_far, finding)
        yield {"findings": {**known, kind.key: so_far}}


def _rest(found: bool) -> str:
    return "; what was found by then stands." if found else " before it found anything."


def _guarded(job: ExplanationJob, work: Callable[[], Any], finished: bool = False) -> None:
    """Passes on what is found; whatever goes wrong becomes a sentence, and the measure is over."""
    words, stopped, found = "", "", False
    try:
        for changes in work():
            job.publish_metrics(**changes)
            found = True
    except Stopped:
        stopped = f"The measure was stopped{_rest(found)}"
    except _TimeLimitReached as ended:
        words = f"{ended}{_rest(found)}"
    except Exception as error:
        words = public_message(error, "The measure failed ({}); the server's log says why.")
    if finished:
        job.publish_metrics(running="", error=words, stopped=stopped)
