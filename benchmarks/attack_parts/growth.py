"""What a server has gained between two moments at which nobody visits it, and whether that is a leak."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack_parts.processes import Usage, usage_of

BOUNDS = Usage(memory=100.0, threads=8, descriptors=16, children=1, files=2)
"""How much more a server may hold after a soak than after its warm-up. A pool of threads or workers may be filled once."""
KINDS = ("memory", "threads", "descriptors", "children", "files")
QUIET_SECONDS, LOOK_EVERY = 3.0, 0.5


@dataclass(frozen=True)
class Growth:
    """What was held after the warm-up and after each stretch of the soak."""

    readings: tuple[Usage, ...]

    @property
    def gained(self) -> dict[str, float]:
        """Kind -> more at the end than after the warm-up."""
        first, last = self.readings[0], self.readings[-1]
        return {name: getattr(last, name) - getattr(first, name) for name in KINDS}

    @property
    def leaks(self) -> list[str]:
        """The kinds that grew by more than their bound."""
        return [name for name, gain in self.gained.items() if gain > getattr(BOUNDS, name)]


def measure_growth(
    pid: int, folder: Path, visit: Callable[[float], object], amount: float, stretches: int = 4, patience: float = 60.0
) -> Growth:
    """Warms up, then visits in stretches, and reads after each, when what visitors left is gone.

    visit: lets visitors come for so many seconds or requests, until the last has left. folder: where the server puts temporary files.
    amount: seconds or requests of the whole, a fifth of which is the warm-up.
    """
    visit(amount / 5)
    readings = [settled(pid, folder, patience)]
    for _ in range(stretches):
        visit(amount * 4 / 5 / stretches)
        readings.append(settled(pid, folder, patience))
    return Growth(tuple(readings))


def settled(pid: int, folder: Path, patience: float) -> Usage:
    """What it holds once nothing but memory has changed for some seconds, or after so many at most."""
    limit = time.monotonic() + patience
    found, since = usage_of(pid, folder), time.monotonic()
    while time.monotonic() < min(limit, since + QUIET_SECONDS):
        time.sleep(LOOK_EVERY)
        now = usage_of(pid, folder)
        if _counts(now) != _counts(found):
            since = time.monotonic()
        found = now
    return found


def _counts(usage: Usage) -> tuple[int, ...]:
    return usage.threads, usage.descriptors, usage.children, usage.files
