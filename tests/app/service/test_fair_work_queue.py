"""Tasks are taken in turns between their owners."""

import pytest

from app.service.fair_work_queue import FairWorkQueue


def test_every_owner_has_one_turn_before_anybody_has_two() -> None:
    lane: FairWorkQueue[str] = FairWorkQueue()
    for task in ("a1", "a2", "a3", "b1", "c1", "c2"):
        lane.put(task[0], task)
    assert lane.in_order() == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert [lane.take(), lane.take()] == ["a1", "b1"]
    lane.put("b", "b2")  # whoever has had a turn waits for the others'
    assert lane.in_order() == ["c1", "a2", "b2", "c2", "a3"]
    assert [lane.take() for _ in range(5)] == ["c1", "a2", "b2", "c2", "a3"]
    with pytest.raises(KeyError):
        lane.take()
