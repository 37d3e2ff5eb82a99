"""What Gradio itself keeps of a page: messages that wait to be read, and the values that it shows. Nothing of a page that has gone.

Gradio keeps the messages of the 2000 newest sessions without a limit, read or not, and the values of the 10,000 newest.
"""

from collections.abc import Callable
from typing import Any

from app.service import limits


class UnreadMessages:
    """Session -> messages. Knows the inside of Gradio's queue; nothing else here does."""

    def __init__(self, blocks: Any) -> None:
        """blocks: gr.Blocks; its queue may be made later."""
        self._blocks = blocks
        blocks.state_session_capacity = limits.GRADIO_SESSIONS
        self._behind: set[str] = set()

    def count(self, session_hash: str) -> int:
        """Of one session."""
        messages = self._queue.pending_messages_per_session.get(session_hash)
        return messages.qsize() if messages else 0

    def too_many(self, session_hash: str) -> bool:
        """Whether the page has to read what waits for it before it may send another event."""
        own = self.count(session_hash)
        if own <= limits.UNREAD_MESSAGES_SMALL:
            return False
        return own > limits.UNREAD_MESSAGES_PER_SESSION or sum(map(self.count, self._sessions())) > limits.UNREAD_MESSAGES

    def forget(self, session_hash: str) -> None:
        """Drops the messages, events and values of a page that has gone; what still runs of them says nothing more."""
        queue = self._queue
        running = [event for events in queue.active_jobs for event in events or ()]
        waiting = [event for each in queue.event_queue_per_concurrency_id.values() for event in list(each.queue)]
        for event in (*running, *waiting):
            if event.session_hash == session_hash:
                event.alive = False
        queue.pending_messages_per_session.pop(session_hash, None)
        for number in queue.pending_event_ids_session.pop(session_hash, ()):
            queue.event_ids_to_events.pop(number, None)
        self.forget_values(session_hash)

    def forget_values(self, session_hash: str) -> None:
        """Drops what Gradio remembers of the values on a page: its picture and maps are among them."""
        if holder := self._holder:
            holder.session_data.pop(session_hash, None)
            holder.time_last_used.pop(session_hash, None)

    def sweep(self, present: Callable[[str], bool]) -> None:
        """Forgets the sessions that the server does not keep, unless they are newer than the last sweep.

        present: session hash -> whether the server keeps it.
        """
        behind = {each for each in self._sessions() if not present(each) and self.count(each)}
        behind |= {each for each in (list(self._holder.session_data) if self._holder else ()) if not present(each)}
        for each in behind & self._behind:
            self.forget(each)
        self._behind = behind - self._behind

    def _sessions(self) -> list[str]:
        return list(self._queue.pending_messages_per_session)

    @property
    def _holder(self) -> Any:
        """None until the page is mounted."""
        return getattr(self._blocks, "state_holder", None)

    @property
    def _queue(self) -> Any:
        return self._blocks._queue
