"""LRU cache of cases, so that explaining another class of the same picture reuses its evaluations."""

from collections.abc import Callable, Hashable

from app.service.stores.expiring_store import ExpiringStore
from explainers.explanation_case import Case

MAX_CASES = 8


class CaseCache:
    """Key -> case. A case serves one job at a time: a job takes it out and puts it back when it has finished."""

    def __init__(self, max_cases: int = MAX_CASES) -> None:
        self._idle: ExpiringStore[Hashable, Case] = ExpiringStore(max_cases)

    def take(self, key: Hashable) -> Case | None:
        """The case of that key; None while another job has it."""
        return self._idle.pop(key)

    def put(self, key: Hashable, case: Case) -> None:
        """Returns a case; the least recently used one is evicted."""
        self._idle.put(key, case)

    def evict(self, is_referenced: Callable[[Hashable], bool]) -> None:
        """Removes the idle cases whose key is no longer referenced."""
        self._idle.remove_if(lambda key: not is_referenced(key))

    def __len__(self) -> int:
        return len(self._idle)
