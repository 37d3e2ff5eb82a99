"""A thread-safe store whose oldest entries leave first: when there are too many, when they are too large, or too old.

cachetools measures an entry once, when it is added; here a session grows while it is stored.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass
class _Entry(Generic[Value]):
    value: Value
    used: float


class ExpiringStore(Generic[Key, Value]):
    """Key -> value, in the order of their last use. Each limit may be None; the size limit never evicts the newest entry.

    A weak reference's callback may remove an entry at any moment, in the middle of a loop too: every loop is over a list of keys.
    """

    def __init__(
        self,
        max_count: int | None = None,
        max_seconds: float | None = None,
        max_size: int | None = None,
        size_of: Callable[[Value], int] = lambda value: 0,
        on_evict: Callable[[Value], None] = lambda value: None,
    ) -> None:
        """max_seconds: since the last use. size_of: measured at every eviction. on_evict: called with what a limit removes."""
        self._max_count, self._max_seconds, self._max_size = max_count, max_seconds, max_size
        self._size_of, self._on_evict = size_of, on_evict
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._lock = RLock()  # a weak reference's callback may remove an entry while this thread holds the lock

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used; None without one."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.used = time.monotonic()
            self._entries.move_to_end(key)
            return entry.value

    def get_or_create(self, key: Key, create: Callable[[], Value]) -> Value:
        """The value, which counts as used; a new one if there is none."""
        with self._lock:
            value = self.get(key)
            if value is None:
                value = create()
                self._entries[key] = _Entry(value, time.monotonic())
            self.evict()
            return value

    def put(self, key: Key, value: Value) -> None:
        """Stores the value as the newest, in place of an older one."""
        with self._lock:
            self._entries[key] = _Entry(value, time.monotonic())
            self._entries.move_to_end(key)
            self.evict()

    def pop(self, key: Key) -> Value | None:
        """Removes the entry and returns its value; None without one."""
        with self._lock:
            entry = self._entries.pop(key, None)
        return entry.value if entry else None

    def remove_if(self, matches: Callable[[Key], bool]) -> None:
        """Removes the entries whose key matches."""
        with self._lock:
            for key in list(self._entries):
                if matches(key):
                    self._entries.pop(key, None)

    def evict(self) -> None:
        """Removes the oldest entries as far as the limits demand."""
        with self._lock:
            sizes = {key: self._size_of(value) for key, value in self.items()} if self._max_size is not None else {}
            total = sum(sizes.values())
            oldest = None if self._max_seconds is None else time.monotonic() - self._max_seconds
            for key in list(self._entries):
                entry = self._entries.get(key)
                if entry is None:
                    continue
                too_old = oldest is not None and entry.used < oldest
                too_many = self._max_count is not None and len(self._entries) > self._max_count
                too_large = self._max_size is not None and total > self._max_size and len(self._entries) > 1
                if not (too_old or too_many or too_large):
                    break
                self._entries.pop(key, None)
                total -= sizes.get(key, 0)
                self._on_evict(entry.value)

    def keys(self) -> list[Key]:
        """From the oldest to the newest."""
        with self._lock:
            return list(self._entries)

    def values(self) -> list[Value]:
        """From the oldest to the newest."""
        with self._lock:
            return [value for _, value in self.items()]

    def items(self) -> list[tuple[Key, Value]]:
        """From the oldest to the newest."""
        with self._lock:
            found = ((key, self._entries.get(key)) for key in list(self._entries))
            return [(key, entry.value) for key, entry in found if entry is not None]

    def rested(self, key: Key) -> float:
        """Seconds since the entry's last use; 0 without one."""
        with self._lock:
            entry = self._entries.get(key)
            return time.monotonic() - entry.used if entry else 0.0

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)
