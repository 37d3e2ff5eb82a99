"""One visitor: their choices and their newest run, which alone may paint."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from threading import RLock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.service import limits
from app.service.inspection_queue import InspectionJob
from app.service.regions import EvidenceRegion
from app.service.request import ExplanationRequest, ExplanationState
from app.service.stores.expiring_store import ExpiringStore
from app.service.stores.picture_uploads import UploadedPicture
from explainers.method import Method

LEFT = "This page was closed before its event was read; open it again."
LEFT_KEPT = 2000
"""Sessions that are remembered as left, for events of theirs that are still on their way."""
_runs = count(time.time_ns() // 1_000_000)  # the browser drops lower numbers, also after a session was lost or the server was restarted


@dataclass(frozen=True)
class VisitedPicture:
    """One of a visitor's own pictures, and what was last asked about it. thumb: (H, W, 3) uint8."""

    request: ExplanationRequest
    thumb: NDArray[np.uint8] = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """Names the picture to the page."""
        return self.request.picture.sha256[:16]


@dataclass
class Session:
    """One visitor's choices and their newest run.

    settings: methods with parameters that the visitor has set. report: the newest that has a prediction. painted: what the newest run
    painted last. opened: whether the page was opened or a picture chosen in this session. answered: whether the page shows an answer.
    run: the newest. painting: the run that still paints, or 0. active_runs: how many have not ended. repeat: whether the newest run has to
    send everything once more when it is the only one. notice: a sentence about an event that was refused while the run goes on.
    sent: part -> what the newest run has sent of it. newest_event: the number of the newest event of the page's own parts.
    region: where the visitor expects the evidence. metric_stopped: whether this visitor has stopped the newest metric.
    wake: makes the run that paints look for something new. address: where the visitor connects from. refused: why the server keeps no
    session for this visitor; empty for one that it keeps. visits: the visitor's own pictures of this visit, the newest first.
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
    region: EvidenceRegion | None = None
    classifier: str = ""
    inspection: InspectionJob | None = None
    stop_asked: bool = False
    metric_stopped: bool = False
    wake: Callable[[], None] = lambda: None
    address: str = ""
    refused: str = ""
    visits: tuple[VisitedPicture, ...] = ()

    def visit(self, report: ExplanationState) -> None:
        """Remembers an own picture that has been answered, with its newest question; the oldest give way to the limits."""
        request = report.request
        if request.picture.example or not request.picture.data or report.photo is None:
            return
        before = next((one for one in self.visits if one.request.picture == request.picture), None)
        if before:
            self.visits = tuple(replace(one, request=request) if one is before else one for one in self.visits)
            return
        thumb = cv2.resize(report.photo, (limits.THUMB_SIDE, limits.THUMB_SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
        kept: list[VisitedPicture] = []
        size = 0
        for one in (VisitedPicture(request, thumb), *self.visits):
            size += len(one.request.picture.data)
            if kept and (size > limits.VISIT_BYTES or len(kept) >= limits.MAX_VISITS):
                break
            kept.append(one)
        self.visits = tuple(kept)

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
    def pictures(self) -> set[UploadedPicture]:
        """The pictures that this visitor can still ask about or see."""
        questions = [self.request, *(report.request for report in (self.report, self.painted) if report)]
        questions += [visit.request for visit in self.visits]
        return {request.picture for request in questions if request}

    def stop(self) -> None:
        """The newest run ends with its partial results."""
        self.stop_asked = True
        self.wake()


class SessionStore:
    """Session hash -> session. One is dropped when its visitor leaves or rests for an hour.

    Where the store is full, one that nobody has used for some time makes room; one that is in use never does, and the new visitor is
    refused. Where the pictures of all are too large, the visitor with the most gives way.
    """

    def __init__(
        self,
        max_sessions: int = limits.MAX_SESSIONS,
        idle_seconds: float = limits.SESSION_IDLE_SECONDS,
        max_picture_bytes: int = limits.SESSION_PICTURE_BYTES,
        per_address: int = limits.SESSIONS_PER_ADDRESS,
        grace_seconds: float = limits.SESSION_GRACE_SECONDS,
    ) -> None:
        """grace_seconds: since its last use, for which a session never makes room for another."""
        self._sessions: ExpiringStore[str, Session] = ExpiringStore(None, idle_seconds, on_evict=_end)
        self._left: ExpiringStore[str, float] = ExpiringStore(LEFT_KEPT)
        self._max_sessions, self._max_picture_bytes = max_sessions, max_picture_bytes
        self._per_address, self._grace_seconds = per_address, grace_seconds
        self._lock = RLock()

    def of(self, session_hash: str | None, address: str = "", received: float | None = None) -> Session:
        """That visitor's session; a new one if there is none. Where there is no room, one with `refused` that is not kept; so too for
        an event from before the visitor left. received: when the event was, by time.monotonic; None for now."""
        key = str(session_hash)
        with self._lock:
            left = self._left.get(key)
            if left is not None and received is not None and received < left:
                return Session(address=address, refused=LEFT)
            if session := self._sessions.get(key):
                return session
            self.evict()
            if refused := self._refusal(address):
                return Session(address=address, refused=refused)
            return self._sessions.get_or_create(key, lambda: Session(address=address))

    def existing(self, session_hash: str | None) -> Session | None:
        """That visitor's session, for an event that has nothing to say without one."""
        return self._sessions.get(str(session_hash))

    def _refusal(self, address: str) -> str:
        """Why there is no room for a new session from that address; empty where there is, or one that rests has made it."""
        mine = [key for key, session in self._sessions.items() if address and session.address == address]
        if len(mine) >= self._per_address and not self._make_room(mine):
            return f"{len(mine)} visitors from your address are here already; close a page of yours, or try again in a quarter of an hour."
        if len(self._sessions) >= self._max_sessions and not self._make_room(self._sessions.keys()):
            return f"The page is full: {len(self._sessions)} visitors are here already; try again in a few minutes."
        return ""

    def _make_room(self, keys: Sequence[str]) -> bool:
        """Drops the one of these sessions that has rested longest, if it has rested long enough and nothing of it is painted."""
        for key in keys:  # from the oldest use on
            if self._sessions.rested(key) < self._grace_seconds:
                return False
            session = self._sessions.pop(key)
            if session and session.painting:
                self._sessions.put(key, session)
            elif session:
                session.begin()
                return True
        return False

    def leave(self, session_hash: str | None) -> None:
        """The visitor has gone: their run stops, their pictures are dropped."""
        with self._lock:
            self._left.put(str(session_hash), time.monotonic())
            self.drop(session_hash)

    def drop(self, session_hash: str | None) -> None:
        """Forgets the session; the visitor may begin another."""
        session = self._sessions.pop(str(session_hash))
        if session:
            session.begin()

    def present(self, session_hash: str) -> bool:
        """Whether that visitor is still here."""
        return session_hash in self._sessions

    def rested(self, session_hash: str) -> float:
        """Seconds since that visitor's last event."""
        return self._sessions.rested(session_hash)

    def references(self, picture: UploadedPicture) -> bool:
        """Whether a visitor can still ask about that picture or see it."""
        return any(picture in session.pictures for session in self._sessions.values())

    def evict(self) -> None:
        """Drops the sessions that nobody has used for too long, and those of the visitor with the most while pictures are too large."""
        with self._lock:
            self._sessions.evict()
            held = {key: (session.address or key, _size(session)) for key, session in self._sessions.items()}
            while len(held) > 1 and sum(size for _, size in held.values()) > self._max_picture_bytes:
                shares: Counter[str] = Counter()
                for owner, size in held.values():
                    shares[owner] += size
                most = shares.most_common(1)[0][0]
                oldest = next(key for key, (owner, size) in held.items() if owner == most and size)
                del held[oldest]
                self.drop(oldest)

    def __len__(self) -> int:
        return len(self._sessions)


def _size(session: Session) -> int:
    """Bytes of the visitor's own pictures."""
    return sum(len(picture.data) for picture in session.pictures if not picture.example)


def _end(session: Session) -> None:
    session.begin()
