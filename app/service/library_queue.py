"""Builds libraries of other pictures' maps behind the page, from the host's own folder, while no explanation is pending."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any, Literal

from app.explanation import as_explainable_classifier
from app.map_library import LibraryBuilder, list_picture_files
from app.model_files import map_library_path, read_map_library_of_model
from app.service.classifier_registry import ClassifierRegistry
from app.service.error_message import public_error_message
from app.service.low_priority_classifier import YieldingClassifier
from app.service.metric_queue import MetricQueue
from app.service.work_queue import WorkQueue
from errors import UserError
from explainers.explanation_case import EvaluationStopped
from explainers.metrics.agreement.significance import MIN_PICTURES

PRESET = "Balanced"
State = Literal["waiting", "running", "done", "failed", "stopped"]
log = logging.getLogger(__name__)


@dataclass
class LibraryJob:
    """A library under construction. done, total: pictures. seconds: spent on the `fresh` ones, which had to be explained."""

    classifier: str
    total: int
    state: State = "waiting"
    done: int = 0
    fresh: int = 0
    seconds: float = 0.0
    left_out: int = 0
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """seconds_left: None until a picture has been explained."""
        left = (self.total - self.done) * self.seconds / self.fresh if self.fresh else None
        return {
            "classifier": self.classifier,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "seconds_left": left,
            "left_out": self.left_out,
            "error": self.error,
        }


class LibraryQueue(WorkQueue[LibraryJob]):
    """One library at a time; each goes on where it was stopped, and serves the metrics as soon as it is whole."""

    def __init__(self, registry: ClassifierRegistry, metrics: MetricQueue, idle: Event, folder: Path | None) -> None:
        """idle: set while no explanation is pending. folder: the host's pictures; None where there are none."""
        super().__init__(library=1)
        self._registry, self._metrics, self._idle, self._folder = registry, metrics, idle, folder
        self._jobs: dict[str, LibraryJob] = {}
        self._lock = Lock()

    @property
    def has_pictures(self) -> bool:
        """Whether the host gave a folder."""
        return self._folder is not None

    def of(self, classifier: str) -> LibraryJob | None:
        """The newest job of that classifier."""
        return self._jobs.get(classifier)

    def is_missing(self, classifier: str) -> bool:
        """Whether the classifier has no library, or one that is out of date."""
        try:
            library = read_map_library_of_model(str(self._registry.source(classifier)[0]))
        except UserError:
            return True
        return library is None or bool(library.outdated)

    def submit(self, classifier: str) -> LibraryJob:
        """Starts the library of a classifier of the host's, or joins what is under way. UserError where it cannot be built."""
        if self._registry.is_uploaded(classifier):
            raise UserError("A library is kept next to its model; of an uploaded model there is no place for one.")
        files = list_picture_files(self._folder) if self._folder else []
        if len(files) <= MIN_PICTURES:
            raise UserError(
                f"A library needs more than {MIN_PICTURES} pictures, better 100 or 200; --examples holds {len(files)}. "
                "Start the page with --examples DIR, or build it with python -m app library."
            )
        with self._lock:
            job = self._jobs.get(classifier)
            if job is not None and job.state in ("waiting", "running"):
                return job
            job = self._jobs[classifier] = LibraryJob(classifier, len(files))
        self._start("library", lambda job: self._build(job, files), job)
        return job

    def _fail(self, job: LibraryJob, error: Exception) -> None:
        job.state, job.error = "failed", public_error_message(error, "The library could not be built ({}); the server's log says why.")

    def _build(self, job: LibraryJob, files: list[Path]) -> None:
        try:
            self._wait()
            job.state = "running"
            classifier = self._registry.get(job.classifier)
            explained = YieldingClassifier(as_explainable_classifier(classifier), self._wait)
            source = str(self._registry.source(job.classifier)[0])
            builder = LibraryBuilder.resumed(classifier, source, PRESET, map_library_path(source), explained)
            for file in files:
                self._add(builder, file, job)
            builder.finish()
        except EvaluationStopped:
            job.state = "stopped"
            return
        self._metrics.forget_context(job.classifier)
        job.state = "done"
        log.info("The library of %s holds the maps of %d pictures.", job.classifier, len(builder.rows))

    def _add(self, builder: LibraryBuilder, file: Path, job: LibraryJob) -> None:
        started = time.monotonic()
        try:
            fresh = builder.add(file)
        except (UserError, OSError) as error:
            log.warning("%s is left out of the library: %s", file.name, error)
            fresh, job.left_out = False, job.left_out + 1
        job.done += 1
        if fresh:
            job.fresh, job.seconds = job.fresh + 1, job.seconds + time.monotonic() - started

    def _wait(self) -> None:
        """Until no explanation is pending. Raises Stopped once the server closes."""
        while not self._idle.wait(0.1):
            if self._closed.is_set():
                raise EvaluationStopped
        if self._closed.is_set():
            raise EvaluationStopped
