"""Examines models for visitors: one at a time, when nobody waits for maps, and for equal wishes once."""

import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Literal

from app.service.classifier_registry import ClassifierRegistry
from app.service.picture_uploads import Picture
from errors import UserError
from models.images.decoder import decode
from models.inspection.labelled_image import LabelledImage
from models.inspection.report import Report

State = Literal["waiting", "running", "done", "failed"]
MOST = 24
"""Pictures that a model is examined by: it is shown each of them in every usual way, and some of them changed."""
WAITING, KEPT = 8, 8
log = logging.getLogger(__name__)


class CancelledError(Exception):
    """Nobody waits for it any longer."""


@dataclass(frozen=True)
class InspectionRequest:
    """classifier: a name on the shelf. pictures: each with the class that it shows as the classifier calls it, or ""."""

    classifier: str
    pictures: tuple[tuple[Picture, str], ...] = ()

    @property
    def bare(self) -> "InspectionRequest":
        """Without the pictures' bytes: enough to know it by."""
        return replace(self, pictures=tuple((picture.bare, label) for picture, label in self.pictures))


class Inspection:
    """One under way, or over. left_out: a sentence on each picture that is none. asked: about how many pictures, and of how many."""

    def __init__(self, subject: InspectionRequest) -> None:
        self.subject = subject
        self.state: State = "waiting"
        self.report: Report | None = None
        self.left_out: tuple[str, ...] = ()
        self.error = ""
        self.waiting = 0
        self.asked = 0, 0

    @property
    def final(self) -> bool:
        return self.state in ("done", "failed")

    def leave(self) -> None:
        """Somebody no longer waits; where nobody does, it is not begun, or ends with the next few pictures."""
        self.waiting -= 1


class InspectionQueue:
    """Subject -> examination. The newest are kept, so that a class that presses one button waits once."""

    def __init__(self, shelf: ClassifierRegistry, quiet: Event) -> None:
        """quiet: set while nobody waits for maps."""
        self._shelf, self._quiet = shelf, quiet
        self._known: OrderedDict[InspectionRequest, Inspection] = OrderedDict()
        self._lock, self._closed = Lock(), Event()
        self._pool = ThreadPoolExecutor(1, "examine")

    def ask(self, subject: InspectionRequest) -> Inspection:
        """The examination; begun, joined or done. Whoever asks says `leave` in the end. UserError where too many wait."""
        with self._lock:
            known = self._known.get(subject.bare)
            new = known is None or known.state == "failed"
            if known is None or new:
                if sum(not each.final for each in self._known.values()) >= WAITING:
                    raise UserError(f"{WAITING} models wait to be examined already; try again in a minute.")
                known = self._known[subject.bare] = Inspection(subject)
                self._make_room()
            known.waiting += 1
            if new:
                self._pool.submit(self._guarded, known)
            self._known.move_to_end(subject.bare)
        return known

    def forget(self) -> None:
        """Drops what is known of classifiers that are no longer on offer."""
        with self._lock:
            for subject in [subject for subject in self._known if subject.classifier not in self._shelf.entries]:
                del self._known[subject]

    def close(self) -> None:
        """Begins nothing more."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _guarded(self, each: Inspection) -> None:
        """A pool swallows what its threads raise; a visitor would wait for ever."""
        try:
            self._examine(each)
        except CancelledError:
            with self._lock:  # whoever joined meanwhile is not told that they gave up
                again = each.waiting > 0 and not self._closed.is_set()
                if not again:
                    each.error, each.state = "The examination was given up before it ended; press Examine again.", "failed"
            if again:
                self._guarded(each)
                return
        except Exception as error:
            if not isinstance(error, UserError):
                log.error("an examination failed", exc_info=error)
            words = f"The examination failed ({type(error).__name__}); the server's log says why."
            each.error, each.state = str(error) if isinstance(error, UserError) else words, "failed"
        each.subject = each.subject.bare

    def _examine(self, each: Inspection) -> None:
        while not self._quiet.wait(0.1):
            if self._closed.is_set() or each.waiting <= 0:
                break
        self._go_on(each)
        from models.inspection.inspector import inspect_model  # TensorFlow takes seconds, and the page is up before it

        each.state = "running"
        name, trust = self._shelf.source(each.subject.classifier)
        seen, each.left_out = _seen(each.subject)
        each.report = inspect_model(name, seen, trust, progress=lambda done, most: self._told(each, done, most))
        each.state = "done"

    def _told(self, each: Inspection, done: int, most: int) -> None:
        each.asked = done, most
        self._go_on(each)

    def _go_on(self, each: Inspection) -> None:
        """Raises GivenUpError where nobody waits for it."""
        if self._closed.is_set() or each.waiting <= 0:
            raise CancelledError

    def _make_room(self) -> None:
        for subject, each in list(self._known.items()):
            if len(self._known) <= KEPT:
                break
            if each.final:
                del self._known[subject]


def _seen(subject: InspectionRequest) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The pictures as numbers, and a sentence on each that is none."""
    found, left_out = [], []
    for picture, label in subject.pictures:
        try:
            found.append(LabelledImage.of(decode(picture.data), label or None))
        except UserError as error:
            left_out.append(f"{picture.name} is left out. {error}")
    return found, tuple(left_out)
