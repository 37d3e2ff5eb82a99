"""How tests wait: for an event, never for a time. The limit ends a wait for what never comes, also on a machine ten times slower."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

PATIENCE = 600.0
"""Seconds after which a test gives up."""
_LOOK = 0.02


def until(holds: Callable[[], object], every: float = _LOOK) -> None:
    """Waits until it holds, and looks every so many seconds."""
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit, f"it did not hold within {PATIENCE:g} s"
        time.sleep(every)


async def until_then(holds: Callable[[], object]) -> None:
    """As `until`, while other tasks go on."""
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit, f"it did not hold within {PATIENCE:g} s"
        await asyncio.sleep(_LOOK)


@contextmanager
def waits_of(event: Event) -> Iterator[Callable[[], int]]:
    """Counts how often the event has been waited for in vain: whoever waits in a loop still does so when the count has grown."""
    vain, wait = [], event.wait

    def counted(timeout: float | None = None) -> bool:
        came = wait(timeout)
        if not came:
            vain.append(timeout)
        return came

    event.wait = counted  # type: ignore[method-assign]
    try:
        yield lambda: len(vain)
    finally:
        event.wait = wait  # type: ignore[method-assign]
