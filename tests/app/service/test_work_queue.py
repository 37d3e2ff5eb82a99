"""Threads, guard, shared jobs and eviction, by a queue whose jobs are numbers."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from app.service.work_queue import SharedWorkQueue
from tests.patience import PATIENCE


@dataclass
class Job:
    """over: set when its work has ended."""

    error: str = ""
    over: threading.Event = field(default_factory=threading.Event)


class Queue(SharedWorkQueue[int, Job]):
    """Keeps two jobs. referenced: the requests whose answers are still used."""

    def __init__(self) -> None:
        super().__init__(2, work=1)
        self.referenced = {1, 2, 3, 4}

    def submit(self, request: int, work: Callable[[], object] = lambda: None) -> Job:
        with self._lock:
            job, new = self._share(request, Job)
        if new:
            self._start("work", lambda job: self._work(job, work), job)
        return job

    def _work(self, job: Job, work: Callable[[], object]) -> None:
        work()
        job.over.set()

    def _fail(self, job: Job, error: Exception) -> None:
        job.error = str(error)
        job.over.set()

    def _is_reusable(self, job: Job) -> bool:
        return not job.error

    def _is_over(self, job: Job) -> bool:
        return job.over.is_set()

    def _is_referenced(self, request: int) -> bool:
        return request in self.referenced

    def _is_busy(self, job: Job) -> bool:
        return not job.over.is_set()


@pytest.fixture
def queue() -> Iterator[Queue]:
    queue = Queue()
    yield queue
    queue.close()


def test_equal_requests_share_a_job_until_it_fails(queue: Queue) -> None:
    job = queue.submit(1)
    assert queue.submit(1) is job
    assert job.over.wait(PATIENCE)
    assert queue.submit(1) is job, "its answer is kept"

    def fail() -> None:
        raise ValueError("no")

    failed = queue.submit(2, fail)
    assert failed.over.wait(PATIENCE)
    assert failed.error == "no"
    assert queue.submit(2) is not failed


def test_jobs_that_are_over_make_room_the_oldest_first(queue: Queue) -> None:
    gate = threading.Event()
    first = queue.submit(1)
    assert first.over.wait(PATIENCE)
    second = queue.submit(2, lambda: gate.wait(PATIENCE))
    queue.submit(1)
    third, fourth = queue.submit(3), queue.submit(4)
    assert list(queue._jobs) == [2, 3, 4], "only the first was over"
    gate.set()
    for job in (second, third, fourth):
        assert job.over.wait(PATIENCE)
    queue.submit(1)
    assert list(queue._jobs) == [4, 1]


def test_what_nobody_can_use_is_dropped_unless_it_is_busy(queue: Queue) -> None:
    gate = threading.Event()
    assert queue.submit(1).over.wait(PATIENCE)
    busy = queue.submit(2, lambda: gate.wait(PATIENCE))
    queue.referenced = set()
    queue.evict()
    assert list(queue._jobs) == [2]
    gate.set()
    assert busy.over.wait(PATIENCE)
    queue.evict()
    assert not queue._jobs


def test_a_closed_queue_starts_nothing(queue: Queue) -> None:
    queue.close()
    job = queue.submit(1)
    queue._pools["work"].shutdown()  # waits for whatever was started
    assert not job.over.is_set()
