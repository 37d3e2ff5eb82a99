"""The classifiers that the page offers: each is loaded once, in a thread of its own, when it is first used."""

import contextlib
import logging
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Literal

from app.service import limits
from app.service.error_message import public_error_message
from app.service.evaluation_warmup import MeasuredSpeed, compile_remaining_functions, measure_classifier_speed
from errors import UserError
from models.cards.card import Card
from models.formats.format_registry import strip_format_suffix
from models.formats.imagenet import IMAGENET
from models.formats.imagenet_weights import NETWORK, PUBLISHED, ImagenetWeights
from models.formats.imagenet_weights import TITLE as NETWORK_TITLE
from models.formats.model_hub import HUB
from models.graph.engine.choice import InferenceEngine
from models.sandbox.sandbox_user import SandboxUser
from models.sandbox.worker_process import WorkerLimits
from models.store import bundled_models

if TYPE_CHECKING:
    from models.loading import Served

log = logging.getLogger(__name__)

Source = tuple[str | Path, bool, WorkerLimits | None]
"""Name or path, whether it is trusted, and the limits of its process; None for the usual ones."""

State = Literal["not loaded", "loading", "ready", "failed"]

UNPROTECTED = "This server cannot keep the model that you brought from its files and network, so it is not opened; tell its operator."
PACES, PACE_BOUNDS = 5, (0.2, 5.0)
EVERYDAY = f"{IMAGENET}{NETWORK}"
"""The classifier of everyday photographs that the page offers beside the bundled ones; its weights are fetched when it is first chosen."""
BUNDLED = {
    "phantoms": "Lesion phantoms",
    "phantoms_shortcut": "Lesion phantoms, misled by a ruler",
    "glass_box": "Glass box: its evidence is known exactly",
    "chest_xray": "Chest X-rays: normal or pneumonia",
}


class SandboxUnavailableError(UserError):
    """The system cannot confine an uploaded model."""

    def __init__(self) -> None:
        super().__init__(UNPROTECTED)


class ClassifierLoadingThread(Thread):
    """Loads one classifier; nothing can stop it."""


@dataclass
class RegisteredClassifier:
    """A classifier on offer. forward, backward: seconds per picture on this machine, without and with its gradient.

    forecasts: preset -> expected seconds of an explanation. paces: measured over expected seconds of the last explanations.
    source: what `models.loading.load` takes. uploaded: whether it is a visitor's own. awaited: whether a visitor waits for it.
    arrived, size: bytes of its weights while they are fetched; size is 0 at any other time.
    """

    name: str
    title: str
    source: str | Path = ""
    state: State = "not loaded"
    error: str = ""
    forward: float = 0.0
    backward: float = 0.0
    forecasts: dict[str, float] = field(default_factory=dict)
    paces: deque[float] = field(default_factory=lambda: deque(maxlen=PACES))
    future: "Future[Served]" = field(default_factory=Future)
    uploaded: bool = False
    awaited: bool = False
    arrived: int = 0
    size: int = 0

    @property
    def fetching(self) -> str:
        """What is being fetched, a sentence; empty where nothing is."""
        return f"Fetching {self.title}: {self.arrived / 1e6:.1f} of {self.size / 1e6:.1f} MB." if self.size else ""

    @property
    def speed(self) -> MeasuredSpeed | None:
        """Seconds per picture at the pace of the last explanations; None before it is measured."""
        return MeasuredSpeed(self.forward * self.pace, self.backward * self.pace) if self.forward else None

    @property
    def pace(self) -> float:
        """Measured over expected seconds: the median, so that one run on a busy machine does not make every forecast long."""
        low, high = PACE_BOUNDS
        return min(high, max(low, median(self.paces))) if self.paces else 1.0


class ClassifierRegistry:
    """Name -> classifier. `get` waits until it is loaded; concurrent calls load it once."""

    def __init__(
        self,
        names: Sequence[str],
        trust: bool = False,
        sandbox_user: SandboxUser | None = None,
        engine: InferenceEngine = InferenceEngine.TENSORFLOW,
    ) -> None:
        """names: as `models.loading.load_classifier` takes them; the first is shown first. trust: as there.

        engine: chosen for each once it is ready; what was begun with another is finished with that.

        A path is offered as model-1 and so on: visitors read the names, and the server's folders are not theirs to know.
        sandbox_user: whose the processes of uploaded models become, where this one is root's.
        """
        if not names:
            raise UserError("There is no classifier to show; name one with --model.")
        self.entries: dict[str, RegisteredClassifier] = {}
        for number, source in enumerate(dict.fromkeys(names), 1):
            name = source if is_public_model_name(source) else f"model-{number}"
            self.entries[name] = RegisteredClassifier(name, classifier_title(source), source)
        self._trust, self._engine = trust, engine
        self._uploaded_limits = WorkerLimits(
            opening=limits.UPLOADED_OPENING_SECONDS,
            answering=limits.UPLOADED_ANSWER_SECONDS,
            nicer=limits.UPLOADED_NICER,
            user=sandbox_user,
        )
        self._lock = Lock()

    @property
    def first(self) -> str:
        return next(iter(self.entries))

    def add(self, name: str, file: Path) -> None:
        """Offers the untrusted model in `file` under its own name."""
        with self._lock:
            self.entries.setdefault(name, RegisteredClassifier(name, classifier_title(str(file)), file, uploaded=True))

    def remove(self, name: str) -> None:
        """Offers it no longer; its process ends, at once or as soon as it is open."""
        with self._lock:
            entry = self.entries.pop(name, None)
        if entry and entry.state in ("loading", "ready"):
            entry.future.add_done_callback(_close)

    def entry(self, name: object) -> RegisteredClassifier:
        """UserError where the page offers no such classifier."""
        found = self.entries.get(name) if isinstance(name, str) else None
        if found is None:
            raise UserError(f"This page offers no classifier named {str(name)[:60]!r}; choose one from the list.")
        return found

    def is_uploaded(self, name: str) -> bool:
        """Whether it is, or was, a visitor's own."""
        entry = self.entries.get(name)
        return entry is None or entry.uploaded

    def source(self, name: str) -> Source:
        """What `models.loading.load_classifier` takes: an uploaded model is never trusted, and has limits of its own.

        Waits until an uploaded model is loaded. UserError where its process was not fully confined.
        """
        entry = self.entry(name)
        if entry.uploaded and isinstance(self.start(name).exception(), SandboxUnavailableError):
            raise SandboxUnavailableError
        return self._source(entry)

    def _source(self, entry: RegisteredClassifier) -> Source:
        return entry.source, self._trust and not entry.uploaded, self._uploaded_limits if entry.uploaded else None

    def start(self, name: str, awaited: bool = True) -> "Future[Served]":
        """Starts to load it in a thread of its own, unless that has started; returns its future.

        awaited: whether a visitor waits for it; if not, everything that maps need is compiled first.
        """
        entry = self.entry(name)
        with self._lock:
            entry.awaited = entry.awaited or awaited
            if entry.state in ("loading", "ready"):
                return entry.future
            entry.state, entry.error, entry.future = "loading", "", Future()
            entry.future.set_running_or_notify_cancel()  # many wait for it, so none may cancel it
        ClassifierLoadingThread(target=_load, args=(entry, *self._source(entry), self._engine), name=f"load {name}", daemon=True).start()
        return entry.future

    def get(self, name: str) -> "Served":
        """Waits until it is loaded. UserError where it could not be."""
        return self.start(name).result()

    def ready(self, name: str) -> "Served | None":
        """The classifier, or None while it is not loaded."""
        entry = self.entry(name)
        return entry.future.result() if entry.state == "ready" else None


def is_public_model_name(source: str) -> bool:
    """Whether it is the same name everywhere, and no path of this machine."""
    return source in bundled_models() or source.startswith((IMAGENET, HUB))


def classifier_title(name: str) -> str:
    """Its title in the list: a bundled one's, the name on the card, or the file's name where there is no card to read."""
    if name in BUNDLED:
        return BUNDLED[name]
    if name == EVERYDAY:
        return NETWORK_TITLE
    with contextlib.suppress(UserError, OSError):
        return Card.read(Path(name).with_suffix(".json")).name
    plain = strip_format_suffix(name.rstrip("/").rsplit("/", 1)[-1])
    return plain.replace("_", " ").replace("imagenet:", "ImageNet: ")


def are_weights_fetched(name: str) -> bool:
    """Whether the classifier opens without a download, as far as this program does the downloading."""
    return name != EVERYDAY or ImagenetWeights().cached is not None


def title_in_classifier_list(entry: RegisteredClassifier) -> str:
    """Its title in the list of classifiers, with what choosing it would fetch."""
    if entry.name != EVERYDAY or entry.state == "ready" or are_weights_fetched(entry.name):
        return entry.title
    return f"{entry.title} ({PUBLISHED.size // 1_000_000} MB, fetched once)"


def _fetch(entry: RegisteredClassifier) -> None:
    """Downloads its weights where that is needed, and counts what has arrived. UserError."""

    def count(arrived: int, size: int) -> None:
        entry.arrived, entry.size = arrived, size

    try:
        ImagenetWeights().fetch(count)
    finally:
        entry.arrived = entry.size = 0


def _close(loaded: "Future[Served]") -> None:
    if not loaded.exception():
        loaded.result().close()


def _load(entry: RegisteredClassifier, source: str | Path, trust: bool, most: WorkerLimits | None, engine: InferenceEngine) -> None:
    try:
        if entry.name == EVERYDAY:
            _fetch(entry)
        from models.loading import load_classifier  # TensorFlow takes seconds, and the page is up before it

        classifier = load_classifier(source, trust, most)
        if entry.uploaded:
            _check_protected(classifier)
            _check_size(classifier, Path(source).name)
        elif classifier.protection and not classifier.protected:
            log.warning("%s runs in a process of its own, and %s", entry.title, classifier.protection)
        entry.forward, entry.backward = measure_classifier_speed(classifier)
        if not entry.awaited:
            compile_remaining_functions(classifier)
    except Exception as error:
        words = public_error_message(error, "The classifier could not be loaded ({}); the server's log says why.")
        for place in (Path(source), Path(source).absolute()):  # visitors read it, and the server's folders are not theirs to know
            words = words.replace(f"{place.parent}{os.sep}", "")
        entry.error, entry.state = words, "failed"
        entry.future.set_exception(SandboxUnavailableError() if isinstance(error, SandboxUnavailableError) else UserError(words))
    else:
        entry.state = "ready"
        entry.future.set_result(classifier)
        _choose_engine(entry, classifier, engine)


def _choose_engine(entry: RegisteredClassifier, classifier: "Served", engine: InferenceEngine) -> None:
    """Puts the same classifier with that engine in its place; whoever holds the other goes on with it."""
    try:
        made = classifier.with_engine(engine)
        if made.engine.engine is not classifier.engine.engine:
            compile_remaining_functions(made)
            entry.forward, entry.backward = measure_classifier_speed(made)
            entry.forecasts = {}
    except UserError as error:  # its process has ended
        log.info("%s keeps its engine: %s", entry.title, error)
        return
    log.info("%s is evaluated by %s. %s", entry.title, made.engine, made.engine.remark)
    replaced: Future[Served] = Future()
    replaced.set_result(made)
    entry.future = replaced


def _check_protected(classifier: Any) -> None:
    """UserError, and its process ends, where Landlock and seccomp do not both confine it."""
    if not classifier.protected:
        classifier.close()
        raise SandboxUnavailableError


def _check_size(classifier: Any, name: str) -> None:
    """UserError, and its process ends, where its pictures are so large that one visitor's maps would cost the server too much memory."""
    height, width = classifier.size
    if height * width > limits.UPLOADED_PIXELS:
        classifier.close()
        raise UserError(
            f"{name} takes pictures of {height} x {width} pixels; {limits.UPLOADED_PIXELS / 1e6:.1f} million in all are the most here. "
            "Take a model of smaller pictures, or open it on your own machine by --model."
        )
