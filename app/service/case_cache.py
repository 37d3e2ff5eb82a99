"""Cases that were asked before: another class of the same picture then costs only what depends on the class."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

from explainers.case import Case

KEPT = 8


class CaseCache:
    """Key -> case. A case serves one job at a time: it is taken, and put back when the job has finished."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._idle: OrderedDict[Hashable, Case] = OrderedDict()
        self._lock = Lock()

    def take(self, key: Hashable) -> Case | None:
        """The case of that key, if nobody else has it just now."""
        with self._lock:
            return self._idle.pop(key, None)

    def put(self, key: Hashable, case: Case) -> None:
        """Gives a case back; the one that has rested longest goes."""
        with self._lock:
            self._idle[key] = case
            while len(self._idle) > self._kept:
                self._idle.popitem(last=False)

    def forget(self, wanted: Callable[[Hashable], bool]) -> None:
        """Drops the idle cases whose key is not wanted."""
        with self._lock:
            for key in [key for key in self._idle if not wanted(key)]:
                del self._idle[key]

    def __len__(self) -> int:
        return len(self._idle)
