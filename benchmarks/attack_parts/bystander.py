"""Another visitor, who wants maps from a bundled classifier while an attack is under way."""

import http.client
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from benchmarks.attack_parts.client import Guest, answered, error_of, new_picture
from tests.serving import Server


class Bystander:
    """Times maps of new pictures, alone before each attack, because the machine may have become slower, and then beside it."""

    def __init__(self, server: Server) -> None:
        self.guest = Guest(server)
        self.seconds()  # what is compiled for the first

    def seconds(self) -> float:
        """Of one answer. As long as the visitor waited where none came."""
        start = time.monotonic()
        try:
            painted = self.guest.explain(new_picture())
            if not answered(painted):
                raise OSError(error_of(painted) or "no maps")
        except (OSError, http.client.HTTPException):
            return max(time.monotonic() - start, self.guest.access.patience)
        return time.monotonic() - start

    @contextmanager
    def watching(self, alone: int = 5) -> Iterator[list[float]]:
        """Times maps until the block ends, at least once; the list holds how many times as long as alone each took.

        alone: so many are timed before the block begins, and their mean counts.
        """
        before = statistics.mean(self.seconds() for _ in range(alone))
        ratios: list[float] = []
        over = Event()

        def look() -> None:
            while not ratios or not over.is_set():
                ratios.append(self.seconds() / before)
                over.wait(0.1)

        watcher = Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield ratios
        finally:
            over.set()
            watcher.join()
