"""Jobs answer questions behind the page: a glance for the prediction, then the methods, a few jobs at a time."""

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from app.explanation import explain, predict_first
from app.service.case_cache import CaseCache
from app.service.classifier_registry import ClassifierRegistry
from app.service.metric_queue import MetricQueue
from app.service.metric_state import AGREEMENT, MetricState
from app.service.picture_uploads import Picture
from app.service.request import ExplanationRequest, ExplanationState, Place
from errors import UserError

if TYPE_CHECKING:
    from models.classifiers.keras_classifier import Classifier

GLANCES = 4
ANSWERS_KEPT = 24
log = logging.getLogger(__name__)


class ExplanationJob:
    """One question under way. Whoever listens is told of every new report; when nobody listens any more, it stops.

    halt: set to end a measure on request.
    """

    def __init__(self, question: ExplanationRequest, given_up: Callable[["ExplanationJob"], None] = lambda job: None) -> None:
        """given_up: told when nobody listens any more."""
        self.report = ExplanationState(question)
        self.given_up = given_up
        self.stop_case: Callable[[], None] = lambda: None
        self.halt = Event()
        self.abandoned = False
        self._listeners: set[Callable[[], None]] = set()
        self._lock = Lock()

    def publish(self, **changes: Any) -> None:
        """The report's fields that are new; listeners are told."""
        with self._lock:
            self.report = replace(self.report, **changes)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def measured(self, **changes: Any) -> None:
        """What is new of the report's measures; listeners are told."""
        with self._lock:
            self.report = replace(self.report, measures=replace(self.report.measures, **changes))
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def fail(self, error: Exception, place: Place) -> None:
        """Ends the job with a sentence; what is no UserError goes to the log, not to the visitor."""
        if not isinstance(error, UserError):
            log.error("a job failed", exc_info=error)
        words = (
            str(error) if isinstance(error, UserError) else f"Something went wrong ({type(error).__name__}); the server's log says what."
        )
        self.publish(state="failed", error=words, place=place)

    def listen(self, listener: Callable[[], None]) -> bool:
        """False where the job was given up before anybody could join."""
        with self._lock:
            if self.abandoned and not self.report.final:
                return False
            self._listeners.add(listener)
        return True

    def stop_for(self, listener: Callable[[], None]) -> bool:
        """Stops the maps if nobody else waits for them, who then is still told of the last report; False where somebody does."""
        with self._lock:
            if self._listeners - {listener}:
                return False
            self.abandoned = not self.report.final
        self.stop_case()
        self.given_up(self)
        return True

    def stop_measure(self, listener: Callable[[], None]) -> bool:
        """Ends a measure that was asked for if nobody else waits for it; False where somebody does.

        The agreement, which costs nothing, goes on.
        """
        with self._lock:
            if self._listeners - {listener}:
                return False
            if self.report.measures.running != AGREEMENT:
                self.halt.set()
        return True

    def leave(self, listener: Callable[[], None]) -> None:
        """Stops the job's case within a batch if this was the last one who waited."""
        with self._lock:
            self._listeners.discard(listener)
            alone = not self._listeners
            given_up = alone and not self.report.final and not self.abandoned
            self.abandoned = self.abandoned or given_up
        if alone:
            self.stop_measure(listener)
        if given_up:
            self.stop_case()
            self.given_up(self)


class ExplanationQueue:
    """Question -> job. Equal questions share one job, and the newest answers are kept, so a class that clicks one example waits once."""

    def __init__(self, shelf: ClassifierRegistry, concurrency: int, queue: int, budget: float) -> None:
        """concurrency: jobs that ask a model at once. queue: jobs that may wait. budget: seconds that one may take.

        The attribute `wanted` says whether somebody still asks about a picture; of any other, `forget` drops what is known, but for the
        examples. The attribute `quiet` is set while nobody waits for maps.
        """
        self.shelf = shelf
        self.budget = budget
        self.wanted: Callable[[Picture], bool] = lambda picture: True
        self._room = concurrency + queue
        self._known: OrderedDict[ExplanationRequest, ExplanationJob] = OrderedDict()
        self._queue: list[ExplanationJob] = []
        self._lock = Lock()
        self._cases = CaseCache()
        self.quiet = Event()
        self.quiet.set()
        self.judges = MetricQueue(shelf, self.quiet)
        self._glances = ThreadPoolExecutor(GLANCES, "glance")
        self._desk = ThreadPoolExecutor(concurrency, "explain")

    def ask(self, question: ExplanationRequest) -> ExplanationJob:
        """The job that answers; begun, joined or finished long ago. UserError where too many wait."""
        with self._lock:
            job = self._known.get(question)
            if job and not job.abandoned and job.report.state not in ("failed", "stopped"):
                self._known.move_to_end(question)
                return job
            if len(self._queue) >= self._room:
                raise UserError(f"Too many people are asking at once ({len(self._queue)} explanations wait); try again in a minute.")
            loaded = self.shelf.start(question.classifier)
            job = ExplanationJob(question, self._finished)
            self._known[replace(question, picture=question.picture.bare)] = job
            self._queue.append(job)
            self.quiet.clear()
            self._make_room()
        # A glance begins when its classifier is there: one that loads slowly keeps nobody from another.
        loaded.add_done_callback(lambda done: self._begin(job, done))
        return job

    def _begin(self, job: ExplanationJob, loaded: "Future[Classifier]") -> None:
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._glances.submit(self._guarded, lambda job: self._look(job, loaded), job)

    def forget(self) -> None:
        """Drops answers and cases about pictures that nobody asks about any more."""
        with self._lock:
            known = [(question, job) for question, job in self._known.items() if job not in self._queue]
        stale = [(question, job) for question, job in known if not self._wanted(question.picture)]
        with self._lock:
            for question, job in stale:
                if self._known.get(question) is job:
                    del self._known[question]
        self._cases.evict(lambda key: self._wanted(key[1]))  # type: ignore[index]

    def _wanted(self, picture: Picture) -> bool:
        return bool(picture.example) or self.wanted(picture)

    def keep(self, report: ExplanationState) -> ExplanationJob:
        """Takes in an answer that was worked out before, so that nobody needs to ask again."""
        job = ExplanationJob(report.question)
        job.report = report
        with self._lock:
            return self._known.setdefault(replace(report.question, picture=report.question.picture.bare), job)

    def known(self, question: ExplanationRequest | None) -> ExplanationJob:
        """The job of an answer that is there. UserError where it is not."""
        with self._lock:
            job = self._known.get(question) if question else None
        if job is None:
            raise UserError("This answer is no longer kept; press Explain, and then again.")
        return job

    @property
    def waiting(self) -> int:
        """Jobs that are not finished."""
        return len(self._queue)

    def close(self) -> None:
        """Stops everything that runs."""
        for job in list(self._queue):
            job.abandoned = True
            job.stop_case()
        self.judges.close()
        self._glances.shutdown(wait=False, cancel_futures=True)
        self._desk.shutdown(wait=False, cancel_futures=True)

    def _guarded(self, work: Callable[[ExplanationJob], None], job: ExplanationJob) -> None:
        """A pool swallows what its threads raise; a visitor would wait for ever."""
        try:
            work(job)
        except Exception as error:
            job.fail(error, "question")
            self._finished(job)
            job.measured(running="")

    def _look(self, job: ExplanationJob, loaded: "Future[Classifier]") -> None:
        if not job.abandoned:
            predict_first(job, loaded)
        if job.report.final or job.abandoned:
            return self._finished(job)
        job.publish(state="queued", ahead=self._ahead(job), measures=MetricState(running=AGREEMENT))
        self._desk.submit(self._guarded, self._explain, job)
        return None

    def _explain(self, job: ExplanationJob) -> None:
        if not job.abandoned:
            explain(job, self.shelf, self._cases, self.budget, self._before(job))
        self._finished(job)
        self.judges.weigh(job)

    def _before(self, job: ExplanationJob) -> ExplanationState | None:
        """The answer that a wish for more evaluations goes on from, if it is still there."""
        question = job.report.question
        with self._lock:
            before = self._known.get(replace(question, further=())) if question.further else None
        return before.report if before and before.report.state == "done" else None

    def _finished(self, job: ExplanationJob) -> None:
        with self._lock:
            if job in self._queue:
                self._queue.remove(job)
            if not self._queue:
                self.quiet.set()
            waiting = [other for other in self._queue if other.report.state == "queued"]
        if job.abandoned and not job.report.final:
            job.publish(state="stopped", seconds=job.report.elapsed)
        for place, other in enumerate(waiting):
            other.publish(ahead=place)
        if not self._wanted(job.report.question.picture):
            self.forget()

    def _ahead(self, job: ExplanationJob) -> int:
        with self._lock:
            return max(0, self._queue.index(job)) if job in self._queue else 0

    def _make_room(self) -> None:
        for question, job in list(self._known.items()):
            if len(self._known) <= ANSWERS_KEPT:
                break
            if job.report.final or job.abandoned:
                del self._known[question]
