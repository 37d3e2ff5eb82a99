"""Which entry leaves first, and why: too many, too large or too old."""

import gc
import threading
import weakref

import pytest

from app.service.stores import expiring_store
from app.service.stores.expiring_store import ExpiringStore


def test_the_least_recently_used_entry_leaves_when_there_are_too_many() -> None:
    evicted: list[int] = []
    store: ExpiringStore[str, int] = ExpiringStore(2, on_evict=evicted.append)
    store.put("a", 1), store.put("b", 2)
    assert store.get("a") == 1
    store.put("c", 3)
    assert (store.keys(), store.values(), evicted) == (["a", "c"], [1, 3], [2])
    assert store.pop("a") == 1
    assert store.pop("a") is None
    assert evicted == [2], "what is taken was not evicted"


def test_sizes_are_measured_at_every_eviction_and_the_newest_entry_stays() -> None:
    store: ExpiringStore[str, list[int]] = ExpiringStore(max_size=3, size_of=len)
    store.put("a", [1]), store.put("b", [2])
    store.get_or_create("a", list).extend([1, 1, 1])
    store.evict()
    assert store.keys() == ["a"], "b was used before a, and a alone may be too large"
    store.put("c", [3])
    assert store.keys() == ["c"]


def test_what_was_not_used_for_too_long_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(expiring_store.time, "monotonic", lambda: now[0])
    store: ExpiringStore[str, int] = ExpiringStore(max_seconds=10)
    store.put("a", 1), store.put("b", 2)
    now[0] = 6
    assert store.get_or_create("a", lambda: 9) == 1
    now[0] = 12
    store.evict()
    assert "a" in store
    assert "b" not in store
    assert store.get_or_create("b", lambda: 9) == 9


def test_an_entry_may_be_removed_by_the_collector_while_the_store_is_used() -> None:
    class Owner:
        """Lives in a cycle, so that only the collector ends it."""

        def __init__(self) -> None:
            self.me = self

    def size_of(value: str) -> int:
        if collecting:
            collecting.clear()
            gc.collect()
        return 1

    collecting: list[bool] = []
    store: ExpiringStore[int, str] = ExpiringStore(max_size=5, size_of=size_of)
    store.put(9, "stays")
    owners = [Owner() for _ in range(4)]
    for number, owner in enumerate(owners):
        weakref.finalize(owner, store.pop, number)
        store.put(number, str(number))
    assert len(store) == 5
    del owner
    owners.clear()
    collecting.append(True)
    store.evict()  # the collector removes four of the five while their sizes are measured
    assert store.items() == [(9, "stays")]


def test_many_threads_create_a_value_once() -> None:
    store: ExpiringStore[str, object] = ExpiringStore(10)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(store.get_or_create("a", object))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
