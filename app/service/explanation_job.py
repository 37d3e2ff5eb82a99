"""One explanation under way: its state, and who is notified whenever it changes."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock
from typing import Any

from app.service.error_message import public_error_message
from app.service.metric_state import AGREEMENT
from app.service.request import ExplanationRequest, ExplanationState, Place

Subscriber = Callable[[], None]


class ExplanationJob:
    """Subscribers are notified of every new state; when the last one has gone, the job is abandoned.

    The attribute `metric_stop` is set to end the metric that runs. `stop_case` ends the methods within a batch. `on_abandoned` is called
    once the methods have been stopped because nobody waits for them any more. `owner`: the address that it was first asked from.
    `uploaded`: whether its classifier is a visitor's own. `evaluating`: whether a thread evaluates it just now.
    """

    def __init__(self, request: ExplanationRequest, on_abandoned: Callable[["ExplanationJob"], None] = lambda job: None) -> None:
        self.report = ExplanationState(request)
        self.on_abandoned = on_abandoned
        self.stop_case: Callable[[], None] = lambda: None
        self.metric_stop = Event()
        self.abandoned = False
        self.owner, self.uploaded, self.evaluating = "", False, False
        self._subscribers: set[Subscriber] = set()
        self._lock = Lock()

    def publish(self, **changes: Any) -> None:
        """Replaces fields of the state, and notifies the subscribers."""
        self._update(lambda state: replace(state, **changes))

    def publish_metrics(self, **changes: Any) -> None:
        """Replaces fields of the state's metrics, and notifies the subscribers."""
        self._update(lambda state: replace(state, measures=replace(state.measures, **changes)))

    def _update(self, change: Callable[[ExplanationState], ExplanationState]) -> None:
        with self._lock:
            self.report = change(self.report)
            subscribers = tuple(self._subscribers)
        for subscriber in subscribers:
            subscriber()

    def fail(self, error: Exception, place: Place) -> None:
        """Ends the job with a sentence. place: where on the page it belongs."""
        self.publish(state="failed", error=public_error_message(error), place=place)

    def subscribe(self, subscriber: Subscriber) -> bool:
        """False where the job was abandoned before anybody could join."""
        with self._lock:
            if self.abandoned and not self.report.final:
                return False
            self._subscribers.add(subscriber)
        return True

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Stops the methods within a batch, and the metric that runs, if this was the last subscriber."""
        with self._lock:
            self._subscribers.discard(subscriber)
            alone = not self._subscribers
            abandons = alone and not self.report.final and not self.abandoned
            self.abandoned = self.abandoned or abandons
        if alone:
            self.stop_metric_if_last(subscriber)
        if abandons:
            self.stop_case()
            self.on_abandoned(self)

    @property
    def awaited(self) -> bool:
        """Whether somebody still wants its answer, or nobody has had the time to leave."""
        with self._lock:
            return bool(self._subscribers) or not self.abandoned

    def stop_if_last(self, subscriber: Subscriber) -> bool:
        """Stops the methods if nobody else waits for them; the subscriber still gets the last state. False where somebody does."""
        with self._lock:
            if self._subscribers - {subscriber}:
                return False
            self.abandoned = not self.report.final
        self.stop_case()
        self.on_abandoned(self)
        return True

    def stop_metric_if_last(self, subscriber: Subscriber) -> bool:
        """Ends a metric that was requested if nobody else waits for it; False where somebody does.

        The agreement, which costs nothing, goes on.
        """
        with self._lock:
            if self._subscribers - {subscriber}:
                return False
            if self.report.measures.running != AGREEMENT:
                self.metric_stop.set()
        return True
