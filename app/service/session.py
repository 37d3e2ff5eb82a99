"""One visitor: their choices and their newest run, which alone may paint."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.service.expiring_store import ExpiringStore
from app.service.inspection_queue import Inspection
from app.service.picture_uploads import Picture
from app.service.regions import Region
from app.service.request import ExplanationRequest, ExplanationState
from explainers.method import Method

MAX_SESSIONS = 500
IDLE_SECONDS = 3600.0
MAX_PICTURE_BYTES = 512 * 1024 * 1024
_runs = count(time.time_ns() // 1_000_000)  # the browser drops lower numbers, also after a session was lost or the server was restarted


@dataclass
class Session:
    """One visitor's choices and their newest run.

    settings: methods with parameters that the visitor has set. report: the newest that has a prediction. painted: what the newest run
    painted last. opened: whether the page was opened or a picture chosen in this session. answered: whether the page shows an answer.
    run: the newest. painting: the run that still paints, or 0. active_runs: how many have not ended. repeat: whether the newest run has to
    send everything once more when it is the only one. notice: a sentence about an event that was refused while the run goes on.
    sent: part -> what the newest run has sent of it. newest_event: the number of the newest event of the page's own parts.
    region: where the visitor expects the evidence. metric_stopped: whether this visitor has stopped the newest metric.
    wake: makes the run that paints look for something new.
    """

    request: ExplanationRequest | None = None
    settings: dict[str, Method] = field(default_factory=dict)
    report: ExplanationState | None = None
    painted: ExplanationState | None = None
    opened: bool = False
    answered: bool = False
    run: int = 0
    painting: int = 0
    active_runs: int = 0
    repeat: bool = False
    notice: str = ""
    sent: dict[str, Any] = field(default_factory=dict)
    newest_event: float = 0.0
    region: Region | None = None
    classifier: str = ""
    inspection: Inspection | None = None
    stop_asked: bool = False
    metric_stopped: bool = False
    wake: Callable[[], None] = lambda: None

    def begin(self) -> int:
        """A new run: every older one of this session is silent from now on."""
        self.run = next(_runs)
        self.stop_asked, self.metric_stopped, self.notice, self.sent = False, False, "", {}
        self.wake()
        return self.run

    @property
    def answer(self) -> ExplanationState | None:
        """The prediction for the picture and the classifier of the request, once it is there."""
        report, request = self.report, self.request
        if report is None or request is None or report.target is None:
            return None
        same = report.request.picture == request.picture and report.request.classifier == request.classifier
        return report if same else None

    @property
    def pictures(self) -> set[Picture]:
        """The pictures that this visitor can still ask about or see."""
        questions = [self.request, *(report.request for report in (self.report, self.painted) if report)]
        return {request.picture for request in questions if request}

    def stop(self) -> None:
        """The newest run ends with its partial results."""
        self.stop_asked = True
        self.wake()


class SessionStore:
    """Session hash -> session. One is dropped when its visitor leaves, after an hour, or when there are too many or too large pictures."""

    def __init__(
        self, max_sessions: int = MAX_SESSIONS, idle_seconds: float = IDLE_SECONDS, max_picture_bytes: int = MAX_PICTURE_BYTES
    ) -> None:
        self._sessions: ExpiringStore[str, Session] = ExpiringStore(max_sessions, idle_seconds, max_picture_bytes, _size, _end)

    def of(self, session_hash: str | None) -> Session:
        """That visitor's session; a new one if there is none."""
        return self._sessions.get_or_create(str(session_hash), Session)

    def leave(self, session_hash: str | None) -> None:
        """The visitor has gone: their run stops, their pictures are dropped."""
        session = self._sessions.pop(str(session_hash))
        if session:
            session.begin()

    def present(self, session_hash: str) -> bool:
        """Whether that visitor is still here."""
        return session_hash in self._sessions

    def references(self, picture: Picture) -> bool:
        """Whether a visitor can still ask about that picture or see it."""
        return any(picture in session.pictures for session in self._sessions.values())

    def evict(self) -> None:
        """Drops the sessions that nobody has used for too long."""
        self._sessions.evict()

    def __len__(self) -> int:
        return len(self._sessions)


def _size(session: Session) -> int:
    """Bytes of the visitor's own pictures."""
    return sum(len(picture.data) for picture in session.pictures if not picture.example)


def _end(session: Session) -> None:
    session.begin()
