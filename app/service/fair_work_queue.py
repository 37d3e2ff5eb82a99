"""What waits for a thread, taken in turns: one task of each owner before a second one of any."""

from collections import OrderedDict, deque
from threading import Lock
from typing import Generic, TypeVar

Task = TypeVar("Task")


class FairWorkQueue(Generic[Task]):
    """Owner -> their tasks, the oldest first. Whoever has many waits for their own, and holds up others by one task at most."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Task]] = OrderedDict()
        self._lock = Lock()

    def put(self, owner: str, task: Task) -> None:
        """Adds a task behind those of the same owner."""
        with self._lock:
            self._waiting.setdefault(owner, deque()).append(task)

    def take(self) -> Task:
        """Removes and returns the next task; its owner's turn comes again after all others'. KeyError without one."""
        with self._lock:
            owner, tasks = self._waiting.popitem(last=False)
            task = tasks.popleft()
            if tasks:
                self._waiting[owner] = tasks
            return task

    def in_order(self) -> list[Task]:
        """All tasks as they would be taken if no other came."""
        with self._lock:
            rest = [list(tasks) for tasks in self._waiting.values()]
        longest = max(map(len, rest), default=0)
        return [tasks[turn] for turn in range(longest) for tasks in rest if turn < len(tasks)]
