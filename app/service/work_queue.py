"""What the queues behind the page have in common: threads, a guard around their work, and one job for equal requests."""

import contextlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Generic, TypeVar

from app.service.fair_work_queue import FairWorkQueue

Request = TypeVar("Request")
Job = TypeVar("Job")


class WorkQueue(ABC, Generic[Job]):
    """Jobs that are worked on by the threads of named pools, in turns between their owners."""

    def __init__(self, **threads: int) -> None:
        """threads: pool -> how many jobs it works on at once."""
        self._pools = {name: ThreadPoolExecutor(count, name) for name, count in threads.items()}
        self._lanes: dict[str, FairWorkQueue[tuple[Callable[[Job], None], Job]]] = {name: FairWorkQueue() for name in threads}
        self._closed = Event()

    @abstractmethod
    def _fail(self, job: Job, error: Exception) -> None:
        """Ends the job with the error's sentence."""

    def _owner(self, job: Job) -> str:
        """Whose turn the job takes; all jobs without an owner share one."""
        return ""

    def _start(self, pool: str, work: Callable[[Job], None], job: Job) -> None:
        """Does the work in the pool's next thread that is free when it is the owner's turn; never, once the queue is closed."""
        self._lanes[pool].put(self._owner(job), (work, job))
        with contextlib.suppress(RuntimeError):
            self._pools[pool].submit(self._work_on_next, self._lanes[pool])

    def _work_on_next(self, lane: FairWorkQueue[tuple[Callable[[Job], None], Job]]) -> None:
        """A pool swallows what its threads raise, and a visitor would wait for ever."""
        work, job = lane.take()
        try:
            work(job)
        except Exception as error:
            self._fail(job, error)

    def close(self) -> None:
        """Starts nothing more."""
        self._closed.set()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


class SharedWorkQueue(WorkQueue[Job], Generic[Request, Job]):
    """Request -> job. Equal requests share one job, and the newest jobs are kept, so that a class that clicks one example waits once."""

    def __init__(self, max_kept: int, **threads: int) -> None:
        super().__init__(**threads)
        self._max_kept = max_kept
        self._jobs: OrderedDict[Request, Job] = OrderedDict()
        self._lock = Lock()

    @abstractmethod
    def _is_reusable(self, job: Job) -> bool:
        """Whether an equal request joins the job, or gets its answer."""

    @abstractmethod
    def _is_over(self, job: Job) -> bool:
        """Whether the job may make room for newer ones."""

    @abstractmethod
    def _is_referenced(self, request: Request) -> bool:
        """Whether anybody can still use the answer."""

    def _is_busy(self, job: Job) -> bool:
        """Whether the job is kept even if its answer can no longer be used."""
        return False

    def _share(self, request: Request, create: Callable[[], Job]) -> tuple[Job, bool]:
        """The job of an equal request, or a new one; and whether it is new. Called with the lock held."""
        job = self._jobs.get(request)
        new = job is None or not self._is_reusable(job)
        if job is None or new:
            job = self._jobs[request] = create()
        self._jobs.move_to_end(request)
        if new:
            self._make_room()
        return job, new

    def _make_room(self) -> None:
        for request, job in list(self._jobs.items()):
            if len(self._jobs) <= self._max_kept:
                break
            if self._is_over(job):
                del self._jobs[request]

    def evict(self) -> None:
        """Drops the jobs whose answers can no longer be used."""
        with self._lock:
            known = [(request, job) for request, job in self._jobs.items() if not self._is_busy(job)]
        stale = [(request, job) for request, job in known if not self._is_referenced(request)]
        with self._lock:
            for request, job in stale:
                if self._jobs.get(request) is job:
                    del self._jobs[request]
