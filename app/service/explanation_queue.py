"""Runs explanations behind the page: the prediction at once, then the methods, a few jobs at a time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Timer
from typing import TYPE_CHECKING

from app.explanation import (
    EarlierExplanation,
    Explanation,
    ExplanationPlan,
    FittedPicture,
    explain_picture,
    fit_picture_to_input,
    predict_image,
)
from app.rendering import to_uint8
from app.service import limits
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_job import ExplanationJob
from app.service.metric_queue import MetricQueue
from app.service.metric_state import AGREEMENT, MetricState
from app.service.request import ExplanationRequest, ExplanationState
from app.service.stores.case_cache import CaseCache
from app.service.stores.picture_uploads import UploadedPicture
from app.service.work_queue import SharedWorkQueue
from errors import UserError
from explainers.explanation_case import EvaluationStopped, ExplanationSettings
from explainers.method_runner import MethodResult
from models.classifiers.score import Score
from models.inspection.preprocessing_alternatives import compare_preprocessing
from models.sandbox.picture_decoder import read_picture_confined

if TYPE_CHECKING:
    from models.loading import Served

MAX_KEPT = 24
ENOUGH_TO_TIME = 100  # evaluations; below, what a run costs is not what its evaluations cost


class ExplanationQueue(SharedWorkQueue[ExplanationRequest, ExplanationJob]):
    """Request -> job. The prediction comes as soon as the classifier is loaded, the maps when it is the job's turn.

    Uploaded models have threads and places of their own, give way to the others between two maps, and have less time: one that never
    answers holds up no bundled classifier.
    """

    def __init__(self, registry: ClassifierRegistry, concurrency: int, queue: int, budget: float) -> None:
        """concurrency: jobs that run methods at once. queue: jobs that may wait. budget: seconds that one may take.

        The attribute `picture_in_use` says whether anybody still uses a picture; of any other, `evict` drops what is kept, except for the
        examples. The attribute `idle` is set while no explanation by a bundled classifier is pending.
        """
        own = {"uploaded_predict": limits.UPLOADED_AT_ONCE, "uploaded_explain": limits.UPLOADED_AT_ONCE}
        super().__init__(MAX_KEPT, predict=limits.PREDICTIONS_AT_ONCE, explain=concurrency, **own)
        self.registry = registry
        self.budget = budget
        self.picture_in_use: Callable[[UploadedPicture], bool] = lambda picture: True
        self._capacity = concurrency + queue
        self._uploaded_capacity = limits.UPLOADED_AT_ONCE + max(1, queue // 4)
        self._capacity_per_owner = max(2, int(self._capacity * limits.EXPLANATIONS_SHARE))
        self._unfinished: list[ExplanationJob] = []
        self._cases = CaseCache()
        self.idle = Event()
        self.idle.set()
        self.metrics = MetricQueue(registry, self.idle)

    def submit(self, request: ExplanationRequest, owner: str = "") -> ExplanationJob:
        """The job of that request: a new one, one under way or a finished one. UserError where too many wait.

        owner: the address of the visitor who asks, which may not hold all places.
        """
        with self._lock:
            return self._share(_bare(request), lambda: self._new(request, owner))[0]

    def _new(self, request: ExplanationRequest, owner: str) -> ExplanationJob:
        uploaded = self.registry.is_uploaded(request.classifier)
        waiting = sum(other.uploaded == uploaded for other in self._unfinished)
        if waiting >= (self._uploaded_capacity if uploaded else self._capacity):
            raise UserError(f"Too many people are asking at once ({waiting} explanations wait); try again in a minute.")
        mine = sum(bool(owner) and other.owner == owner for other in self._unfinished)
        if mine >= self._capacity_per_owner:
            raise UserError(f"{mine} explanations for visitors from your address wait already; try again in a minute.")
        loaded = self.registry.start(request.classifier)
        job = ExplanationJob(request, self._abandon)
        job.owner, job.uploaded = owner, uploaded
        self._unfinished.append(job)
        if not uploaded:
            self.idle.clear()
        # The prediction begins when its classifier is there: one that loads slowly delays no other.
        loaded.add_done_callback(lambda done: self._start(_pool("predict", job), lambda job: self._predict(job, done), job))
        return job

    def add(self, report: ExplanationState) -> ExplanationJob:
        """Keeps an answer that was computed before."""
        job = ExplanationJob(report.request)
        job.report = report
        with self._lock:
            return self._jobs.setdefault(_bare(report.request), job)

    def get(self, request: ExplanationRequest | None) -> ExplanationJob:
        """The job of an answer that is kept. UserError where it is not."""
        with self._lock:
            job = self._jobs.get(request) if request else None
        if job is None:
            raise UserError("This answer is no longer kept; press Explain, and then again.")
        return job

    def evict(self) -> None:
        """Drops answers and cases of unused pictures."""
        super().evict()
        self._cases.evict(lambda key: self._keeps(key[1]))  # type: ignore[index]

    @property
    def waiting(self) -> int:
        """Jobs that are not finished."""
        return len(self._unfinished)

    def close(self) -> None:
        """Stops everything that runs."""
        for job in list(self._unfinished):
            job.abandoned = True
            job.stop_case()
        self.metrics.close()
        super().close()

    def _is_reusable(self, job: ExplanationJob) -> bool:
        return not job.abandoned and job.report.state not in ("failed", "stopped")

    def _is_over(self, job: ExplanationJob) -> bool:
        return job.report.final or job.abandoned

    def _is_referenced(self, request: ExplanationRequest) -> bool:
        return self._keeps(request.picture)

    def _is_busy(self, job: ExplanationJob) -> bool:
        return job in self._unfinished

    def _keeps(self, picture: UploadedPicture) -> bool:
        return bool(picture.example) or self.picture_in_use(picture)

    def _fail(self, job: ExplanationJob, error: Exception) -> None:
        job.fail(error, "request")
        self._finish(job)
        job.publish_metrics(running="")

    def _abandon(self, job: ExplanationJob) -> None:
        """Makes room for others. What an uploaded model still evaluates for it after a while is ended."""
        self._finish(job)
        if job.uploaded and job.evaluating:
            timer = Timer(limits.UPLOADED_ABANDONED_SECONDS, self._interrupt, [job])
            timer.daemon = True
            timer.start()

    def _interrupt(self, job: ExplanationJob) -> None:
        from models.classifiers.sandboxed_classifier import SandboxedClassifier

        entry = self.registry.entries.get(job.report.request.classifier)
        classifier = entry.future.result() if entry and entry.state == "ready" else None
        if job.evaluating and isinstance(classifier, SandboxedClassifier):
            classifier.interrupt()

    def _predict(self, job: ExplanationJob, loaded: "Future[Served]") -> None:
        if not job.abandoned:
            with _evaluating(job):
                _publish_prediction(job, loaded)
        if job.report.final or job.abandoned:
            return self._finish(job)
        job.publish(state="queued", measures=MetricState(running=AGREEMENT))
        self._start(_pool("explain", job), self._explain, job)
        return self._publish_places(job.uploaded)

    def _explain(self, job: ExplanationJob) -> None:
        if not job.abandoned:
            with _evaluating(job):
                self._publish_maps(job)
        self._finish(job)
        if job.awaited:
            self.metrics.score_agreement(job)
        else:
            job.publish_metrics(running="")

    def _publish_maps(self, job: ExplanationJob) -> None:
        """Runs the methods and publishes each map as it comes. Ends after `budget` seconds. Never raises."""
        budget = min(self.budget, limits.UPLOADED_BUDGET_SECONDS) if job.uploaded else self.budget
        request, report = job.report.request, job.report
        key = (request.classifier, request.picture, request.preset)
        try:
            classifier, entry = self.registry.get(request.classifier), self.registry.entry(request.classifier)
            assert report.image is not None
            assert report.target is not None
            score, settings = Score.of(report.target, request.rather_than), ExplanationSettings(preset=request.preset)
            plan = ExplanationPlan(request.methods, settings, score, dict(request.further), budget, entry.speed)
            earlier = EarlierExplanation(self._cases.take(key), self._earlier_results(job))

            def on_start(found: Explanation) -> None:
                job.stop_case = found.case.stop
                seconds = found.cost.seconds(entry) * entry.pace
                cost = {"expected": found.cost.evaluations, "expected_seconds": seconds, "budget": found.case.budget}
                job.publish(state="running", ahead=0, results=found.results, started=time.monotonic(), **cost)
                if job.abandoned:
                    raise EvaluationStopped

            def on_result(found: Explanation) -> None:
                job.publish(results=found.results, evaluations=found.evaluations)
                if job.uploaded:
                    self.idle.wait(limits.UPLOADED_YIELD_SECONDS)

            found = explain_picture(FittedPicture.of(report.image), classifier, plan, on_start, on_result, earlier)
        except Exception as error:
            return job.fail(error, "methods")
        late = job.report.elapsed >= budget
        words = f"The time allowed for one explanation ({budget:g} s) is over; the maps stand as far as they came." if late else ""
        job.publish(state="stopped" if late or job.abandoned else "done", seconds=job.report.elapsed, error=words, place="methods")
        if job.report.state == "done" and not earlier.case and not request.further and job.report.evaluations >= ENOUGH_TO_TIME:
            entry.paces.append(job.report.elapsed / found.cost.seconds(entry))
        job.stop_case = lambda: None  # the case is another's from here on
        return self._cases.put(key, found.case)

    def _earlier_results(self, job: ExplanationJob) -> dict[str, MethodResult]:
        """The maps that a request for more evaluations goes on from, if they are still there."""
        request = job.report.request
        with self._lock:
            before = self._jobs.get(replace(request, further=())) if request.further else None
        return dict(before.report.results) if before and before.report.state == "done" else {}

    def _finish(self, job: ExplanationJob) -> None:
        with self._lock:
            if job in self._unfinished:
                self._unfinished.remove(job)
            if all(other.uploaded for other in self._unfinished):
                self.idle.set()
        if job.abandoned and not job.report.final:
            job.publish(state="stopped", seconds=job.report.elapsed)
        self._publish_places(job.uploaded)
        if not self._keeps(job.report.request.picture):
            self.evict()

    def _publish_places(self, uploaded: bool) -> None:
        """Tells every job that waits how many are before it: those that run, and those whose turn comes earlier."""
        with self._lock:
            running = sum(other.uploaded == uploaded and other.report.state == "running" for other in self._unfinished)
            waiting = [job for _, job in self._lanes["uploaded_explain" if uploaded else "explain"].in_order() if not job.abandoned]
        for place, job in enumerate(waiting, running):
            if job.report.state == "queued" and job.report.ahead != place:
                job.publish(ahead=place)

    def _owner(self, job: ExplanationJob) -> str:
        return job.owner


@contextmanager
def _evaluating(job: ExplanationJob) -> Iterator[None]:
    job.evaluating = True
    try:
        yield
    finally:
        job.evaluating = False


def _pool(work: str, job: ExplanationJob) -> str:
    """The threads that do this part of a job."""
    return f"uploaded_{work}" if job.uploaded else work


def _bare(request: ExplanationRequest) -> ExplanationRequest:
    """Without the picture's bytes: enough to identify it."""
    return replace(request, picture=request.picture.bare)


def _publish_prediction(job: ExplanationJob, loaded: "Future[Served]") -> None:
    """Fits the picture and publishes the prediction; of the picture the job keeps only its pixels. loaded: done. Never raises."""
    request = job.report.request
    try:
        classifier = loaded.result()
    except Exception as error:
        return job.fail(error, "classifier")
    job.publish(state="looking", card=classifier.card)
    asked, classes = (request.target, request.rather_than), len(classifier.card.labels)
    if missing := [index for index in asked if index is not None and index >= classes]:
        sentence = f"{classifier.card.name} has no class number {missing[0]}; it has {classes} classes, counted from 0."
        return job.fail(UserError(sentence), "request")
    try:
        decoded = read_picture_confined(request.picture.data, request.picture.page)
        fitted = fit_picture_to_input(decoded.pixels, classifier.card)
    except Exception as error:
        return job.fail(error, "picture")
    job.publish(picture_notes=decoded.notes, pages=decoded.pages)
    try:
        found = predict_image(fitted.image, classifier, lambda top: _score(request, top))
        alternatives = compare_preprocessing(classifier, fitted.image)
    except Exception as error:
        return job.fail(error, "request")
    photo, target = to_uint8(fitted.photo), found.score.target
    known = {"probabilities": found.probabilities, "target": target, "alternatives": alternatives}
    return job.publish(request=_bare(request), image=fitted.image, photo=photo, **known)


def _score(request: ExplanationRequest, top: int) -> Score:
    """top: the likeliest class."""
    return Score.of(top if request.target is None else request.target, request.rather_than)
