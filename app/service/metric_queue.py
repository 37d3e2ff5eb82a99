"""Measures the maps of finished answers behind the page: agreement by itself, dear measures on request, always after everybody's maps."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_message
from app.service.job import ExplanationJob
from app.service.metric_state import (
    AGREEMENT,
    CURVES,
    DISPLACED,
    ON_REQUEST,
    SANITY,
    STABILITY,
    Cost,
    DeletionFrames,
    curves_plan,
    deterministic,
    positive_maps,
)
from app.service.yielding_classifier import YieldingClassifier
from errors import UserError
from explainers.case import Case, Settings, Stopped
from explainers.metrics.faithfulness.deletion_insertion import curves, ranks
from explainers.metrics.randomisation import sanity_checks
from explainers.metrics.robustness.reliability import jittered
from models.classifiers.score import Score

if TYPE_CHECKING:
    from app.metrics import AgreementContext

Changes = dict[str, Any]
LONGEST = 15 * 60.0
"""Seconds that one measure may take in all, its waiting included: a visitor's forgotten page must not keep the others'."""
EVERY = 0.3


class _TimeLimitReached(Exception):  # noqa: N818 - the measure was ended, and what it found is right
    """The measure took longer than one may."""


class MetricQueue:
    """One thread for what is next to free and one for what is dear, so that no visitor's agreement waits for another's sanity."""

    def __init__(self, shelf: ClassifierRegistry, quiet: Event) -> None:
        """quiet: set while nobody waits for maps."""
        self.shelf, self.quiet = shelf, quiet
        self._judges: dict[str, AgreementContext] = {}
        self._weighing, self._measuring = ThreadPoolExecutor(1, "weigh"), ThreadPoolExecutor(1, "measure")
        self._closed = Event()

    def weigh(self, job: ExplanationJob) -> None:
        """The agreement of the maps, which costs next to nothing; at once where there are none."""
        if not positive_maps(job.report.results):
            return job.publish_metrics(running="")
        self._submit(self._weighing, job, AGREEMENT)
        return None

    def first(self, job: ExplanationJob, work: Callable[[], Changes]) -> None:
        """What can be said of a stored answer before its classifier is there, and then its agreement."""
        self._weighing.submit(_guarded, job, lambda: [work()])
        self.weigh(job)

    def measure(self, job: ExplanationJob, kind: object) -> None:
        """Begins a dear measure. UserError where it cannot be asked just now."""
        if kind not in ON_REQUEST:
            raise UserError(f"There is no measure {str(kind)[:40]!r}; press one of the buttons.")
        report = job.report
        if not report.final or not positive_maps(report.results):
            raise UserError("There are no finished maps to measure yet; wait for them.")
        if report.measures.running:
            raise UserError("Another measure of these maps is under way; wait for it, or stop it.")
        price = report.measures.prices.get(str(kind))
        job.publish_metrics(running=str(kind), done=0, expected=price.evaluations if price else 0, error="", stopped="")
        self._submit(self._measuring, job, str(kind))

    def close(self) -> None:
        """Stops everything that runs."""
        self._closed.set()
        for pool in (self._weighing, self._measuring):
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, job: ExplanationJob, kind: str) -> None:
        job.metric_stop.clear()
        pool.submit(_guarded, job, lambda: self._work(job, kind), finished=True)

    def _work(self, job: ExplanationJob, kind: str) -> Iterator[Changes]:
        """What the measure finds, as it finds it. Raises Stopped, UserError."""
        name = job.report.question.classifier
        classifier = self.shelf.get(name)
        judge = self._judge(name, classifier)
        case = self._case(job, classifier)
        if kind == AGREEMENT:
            self._wait(job, time.monotonic() + LONGEST)
            yield self._agreement(judge, case, job)
        elif kind == CURVES:
            yield from _curves(case, job)
        elif kind == DISPLACED:
            yield from _ranks(case, job)
        elif kind == SANITY:
            yield from _findings(case, job)
        elif kind == STABILITY:
            jitters = dict(jittered(case, [result.method for result in deterministic(job.report.results.values())]))
            yield {"jitters": jitters, **_score_agreement(judge, case, job, jitters)}

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

    def _judge(self, name: str, classifier: Any) -> "AgreementContext":
        from app.metrics import AgreementContext

        if name not in self._judges:
            self._judges[name] = AgreementContext.of(name, classifier)
        return self._judges[name]

    def _agreement(self, judge: "AgreementContext", case: Case, job: ExplanationJob) -> Changes:
        return {**_score_agreement(judge, case, job, {}), "prices": self._prices(case, job)}

    def _prices(self, case: Case, job: ExplanationJob) -> dict[str, Cost]:
        from app.metrics import DISPLACED as PLAN

        results, entry = job.report.results, self.shelf.entry(job.report.question.classifier)
        maps, methods = len(positive_maps(results)), [result.method for result in results.values()]
        found = {
            CURVES: curves_plan().cost(maps),
            DISPLACED: maps * (PLAN.displaced_cost() + 1),
            STABILITY: 2 * sum(result.method.cost(case) for result in deterministic(results.values())),
            SANITY: sanity_checks.cost(case, methods),
        }
        return {kind: Cost(count, count * entry.forward * entry.pace) for kind, count in found.items()}


def _score_agreement(judge: "AgreementContext", case: Case, job: ExplanationJob, jitters: Any) -> Changes:
    found, notes = judge.consistency(case, list(job.report.results.values()), jitters)
    others = len(judge.library.pictures) if judge.library and not found.weaker else 0
    return {"consistency": found, "notes": notes, "others": others}


def _curves(case: Case, job: ExplanationJob) -> Iterator[Changes]:
    plan, found = curves_plan(), ()
    slides = DeletionFrames.of(case, job.report.results, plan.steps)
    for drawn in curves(case, positive_maps(job.report.results), plan):
        found = (*found, *drawn)
        yield {"curves": found, "slides": slides}


def _ranks(case: Case, job: ExplanationJob) -> Iterator[Changes]:
    from app.metrics import DISPLACED as PLAN

    found = ()
    for title, values in positive_maps(job.report.results).items():
        for rank in ranks(case, title, values, PLAN):
            found = (*found, rank)
            yield {"ranks": found}


def _findings(case: Case, job: ExplanationJob) -> Iterator[Changes]:
    found = ()
    for finding in sanity_checks.findings(case, [result.method for result in job.report.results.values()]):
        found = (*found, finding)
        yield {"findings": found}


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
