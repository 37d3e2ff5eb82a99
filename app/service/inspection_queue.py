"""Inspects models for visitors: one at a time, while no explanation is pending."""

from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_error_message
from app.service.limits import EXPLANATIONS_SHARE
from app.service.stores.picture_uploads import UploadedPicture
from app.service.work_queue import SharedWorkQueue
from errors import UserError
from models.inspection.inspection_report import InspectionReport
from models.inspection.labelled_image import LabelledImage
from models.sandbox.picture_decoder import read_picture_confined

State = Literal["waiting", "running", "done", "failed"]
MAX_PICTURES = 24
"""Each of them is evaluated under every usual preprocessing, and some of them changed."""
MAX_WAITING, MAX_KEPT = 8, 8
MAX_WAITING_PER_ADDRESS = int(MAX_WAITING * EXPLANATIONS_SHARE)


class CancelledError(Exception):
    """Nobody waits for it any longer."""


@dataclass(frozen=True)
class InspectionRequest:
    """classifier: its name in the registry. pictures: each with the class that it shows, in the classifier's words, or ""."""

    classifier: str
    pictures: tuple[tuple[UploadedPicture, str], ...] = ()

    @property
    def bare(self) -> "InspectionRequest":
        """Without the pictures' bytes: enough to identify it."""
        return replace(self, pictures=tuple((picture.bare, label) for picture, label in self.pictures))


class InspectionJob:
    """An inspection under way, or over.

    left_out: a sentence per picture that cannot be read. progress: pictures evaluated, and how many there are in all, about.
    owner: the address that it was first asked from.
    """

    def __init__(self, request: InspectionRequest, owner: str = "") -> None:
        self.request, self.owner = request, owner
        self.state: State = "waiting"
        self.report: InspectionReport | None = None
        self.left_out: tuple[str, ...] = ()
        self.error = ""
        self.subscribers = 0
        self.progress = 0, 0

    @property
    def final(self) -> bool:
        return self.state in ("done", "failed")

    def unsubscribe(self) -> None:
        """One visitor less waits; without any it is not started, or ends with the next few pictures."""
        self.subscribers -= 1


class InspectionQueue(SharedWorkQueue[InspectionRequest, InspectionJob]):
    """Request -> inspection."""

    def __init__(self, registry: ClassifierRegistry, idle: Event) -> None:
        """idle: set while no explanation is pending."""
        super().__init__(MAX_KEPT, inspect=1, inspect_uploaded=1)
        self._registry, self._idle = registry, idle

    def submit(self, request: InspectionRequest, owner: str = "") -> InspectionJob:
        """The inspection; started, joined or done. The caller unsubscribes from it in the end. UserError where too many wait.

        owner: the address of the visitor who asks, which may not hold all places.
        """
        with self._lock:
            inspection, new = self._share(request.bare, lambda: self._new(request, owner))
            inspection.subscribers += 1
        if new:
            self._start("inspect_uploaded" if self._registry.is_uploaded(request.classifier) else "inspect", self._inspect, inspection)
        return inspection

    def _new(self, request: InspectionRequest, owner: str) -> InspectionJob:
        waiting = [each for each in self._jobs.values() if not each.final]
        if len(waiting) >= MAX_WAITING:
            raise UserError(f"{MAX_WAITING} models wait to be examined already; try again in a minute.")
        mine = sum(bool(owner) and each.owner == owner for each in waiting)
        if mine >= MAX_WAITING_PER_ADDRESS:
            raise UserError(f"{mine} models wait to be examined for visitors from your address already; try again in a minute.")
        return InspectionJob(request, owner)

    def _owner(self, job: InspectionJob) -> str:
        return job.owner

    def _is_reusable(self, job: InspectionJob) -> bool:
        return job.state != "failed"

    def _is_over(self, job: InspectionJob) -> bool:
        return job.final

    def _is_referenced(self, request: InspectionRequest) -> bool:
        return request.classifier in self._registry.entries

    def _fail(self, job: InspectionJob, error: Exception) -> None:
        sentence = public_error_message(error, "The examination failed ({}); the server's log says why.")
        self._end(job, sentence)

    def _end(self, job: InspectionJob, error: str = "") -> None:
        job.request = job.request.bare
        job.error, job.state = error, "failed" if error else "done"

    def _inspect(self, job: InspectionJob) -> None:
        try:
            self._wait(job)
            from models.inspection.inspector import inspect_model  # TensorFlow takes seconds, and the page is up before it

            job.state = "running"
            name, trust, limits = self._registry.source(job.request.classifier)
            pictures, job.left_out = _decoded(job.request)
            job.report = inspect_model(
                name, pictures, trust, progress=lambda done, total: self._on_progress(job, done, total), limits=limits
            )
            self._end(job)
        except CancelledError:
            with self._lock:  # a visitor who joined meanwhile has not cancelled it
                again = job.subscribers > 0 and not self._closed.is_set()
                if not again:
                    self._end(job, "The examination was given up before it ended; press Examine again.")
            if again:
                self._inspect(job)

    def _wait(self, job: InspectionJob) -> None:
        """Waits until no explanation is pending. Raises CancelledError."""
        while not self._idle.wait(0.1):
            self._require_subscriber(job)
        self._require_subscriber(job)

    def _on_progress(self, job: InspectionJob, done: int, total: int) -> None:
        job.progress = done, total
        self._require_subscriber(job)

    def _require_subscriber(self, job: InspectionJob) -> None:
        """Raises CancelledError where it has no subscriber."""
        if self._closed.is_set() or job.subscribers <= 0:
            raise CancelledError


def _decoded(request: InspectionRequest) -> tuple[list[LabelledImage], tuple[str, ...]]:
    """The decoded pictures, and a sentence per picture that cannot be read."""
    found, left_out = [], []
    for picture, label in request.pictures:
        try:
            found.append(LabelledImage.from_picture(read_picture_confined(picture.data, picture.page).pixels, label or None))
        except UserError as error:
            left_out.append(f"{picture.name} is left out. {error}")
    return found, tuple(left_out)
