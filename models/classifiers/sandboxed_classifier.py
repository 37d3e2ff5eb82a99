"""The classifier of an untrusted model, which runs in a sandboxed process of its own."""

import copy
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import UserError
from image_batches import LAYER_BYTES
from models.cards.metadata import Value
from models.classifiers.base_classifier import BaseClassifier, Depth, Floats, LayerActivations
from models.classifiers.score import Score
from models.classifiers.worker_description import WorkerDescription, parse_engine_choice, parse_worker_description
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.grid_layer import GridLayer
from models.sandbox.ipc import Array, Expected, ProtocolError
from models.sandbox.worker_process import WorkerExited, WorkerLimits, WorkerProcess

RESTARTS = 4
"""In an hour."""
ENGINE_PAUSE = 0.2
"""Seconds between two looks at whether an engine is compiled."""
HOUR, FIRST_PAUSE = 3600.0, 5.0
"""Seconds: what is counted, and the pause before the second restart of an hour; each later pause is four times as long."""


class WorkerSupervisor:
    """Runs the process of one model, one request at a time, and restarts it after it has ended: at most 4 times an hour, with pauses."""

    def __init__(self, path: Path, limits: WorkerLimits, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts at once. clock: seconds."""
        self.path, self.limits = path, limits
        self.traces = 1
        self._process = WorkerProcess(path, limits)
        self._description: WorkerDescription | None = None
        self._clock, self._restarts, self._closed, self._over = clock, list[float](), False, ""
        self._interrupted = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """The process id, also after it has ended."""
        return self._process.pid

    def description(self) -> WorkerDescription:
        """The model's description; waits until it is open. UserError where it cannot be opened."""
        with self._lock:
            if self._description is None:
                self._description = self._read_description()
            return self._description

    def request(self, head: dict[str, Any], arrays: Sequence[Array], wanted: Sequence[Expected]) -> list[Array]:
        """Raises MemoryError, UserError; a process that ended is restarted at the next request."""
        return self._request(head, arrays, wanted)[1]

    def request_json(self, head: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Any]:
        """As `request`, but returns the JSON of the response, not yet validated."""
        return self._request(head, arrays, [])[0]

    def _request(self, head: dict[str, Any], arrays: Sequence[Array], wanted: Sequence[Expected]) -> tuple[dict[str, Any], list[Array]]:
        with self._lock:
            self._revive()
            try:
                answer, found = self._process.request(head, arrays, wanted)
            except WorkerExited as error:
                self._over = str(error)
                if self._interrupted:
                    raise UserError(f"{self.path.name} was still busy with what nobody waits for, and was stopped; ask again.") from error
                raise
            traces = answer.get("traces")
            self.traces = traces if isinstance(traces, int) else 1
            return answer, found

    def interrupt(self) -> None:
        """Ends the process if it is evaluating; the next request starts it again, and it is not counted as a restart."""
        if self._lock.locked():
            self._interrupted = True
            self._process.kill()

    def close(self) -> None:
        """Ends the process for good."""
        self._process.kill()  # a request in progress holds the lock, and now fails at once
        with self._lock:
            self._closed, self._over = True, f"{self.path.name} was closed; load it again."
            self._process.close()

    def _revive(self) -> None:
        if not self._over and not self._process.alive():
            self._over = self._process.death()
        if not self._over:
            return
        if self._closed:
            raise UserError(f"{self._over} It is not started again.")
        if self._interrupted:
            self._interrupted = False
        elif (wait := self._pause()) > 0:
            raise UserError(f"{self._over} It was restarted {len(self._restarts)} times within an hour; try again in {wait:.0f} s.")
        else:
            self._restarts.append(self._clock())
        self._process = WorkerProcess(self.path, self.limits)
        if self._read_description() != self._description:
            self._process.close()
            self._closed = True
            raise UserError(f"{self.path.name} is another model than before; load it again.")
        self._over = ""

    def _pause(self) -> float:
        """Seconds until it may be restarted."""
        now = self._clock()
        self._restarts = [each for each in self._restarts if now - each < HOUR]
        if not self._restarts:
            return 0.0
        if len(self._restarts) >= RESTARTS:
            return self._restarts[0] + HOUR - now
        return float(self._restarts[-1] + FIRST_PAUSE * 4.0 ** (len(self._restarts) - 1) - now)

    def _read_description(self) -> WorkerDescription:
        try:
            return parse_worker_description(self._process.open())
        except ProtocolError as error:
            self._process.close()
            raise UserError(f"{self.path.name} describes itself in a way that is none ({error}); use another model.") from error
        except UserError:
            self._process.close()
            raise


class SandboxedClassifier(BaseClassifier[GridLayer]):
    """Evaluates in the model's process what `Classifier` evaluates in this one; thread-safe."""

    def __init__(self, supervisor: WorkerSupervisor, description: WorkerDescription | None = None) -> None:
        """description: of the model with another head than the first."""
        description = description or supervisor.description()
        super().__init__(description.card, description.layers)
        self.forward_only = description.forward_only
        self.logits_from_probabilities = description.from_probabilities
        self.heads, self.picture_inputs = description.heads, description.picture_inputs
        self.protection, self.protected = str(description.protection), description.protection.whole
        self._supervisor, self._engine = supervisor, description.engine
        self._engine_remark = self._engine.remark
        self._reinitialised: tuple[Depth, int] | None = None
        self._chosen_head = ""
        self._pair: tuple[Array, int] | None = None

    @property
    def traces(self) -> int:
        """How often the most traced function had been traced at the last response."""
        return self._supervisor.traces

    def _with_metadata(self, values: Mapping[str, Value]) -> "SandboxedClassifier":
        made = copy.copy(self)
        made._metadata = dict(values)
        return made

    def with_engine(self, choice: InferenceEngine) -> "SandboxedClassifier":
        """As the base's; compiled and compared by the process, which answers other requests meanwhile."""
        if self._chosen_head or self._pair:
            return self.with_engine_remark("Another head, and pairs of pictures, are evaluated by what the process began with.")
        deadline = time.monotonic() + self._supervisor.limits.answering
        while time.monotonic() < deadline:
            answer = self._supervisor.request_json({**self._head("engine"), "choice": str(choice), "shapes": []}, [])
            if answer.get("engine") is not None:
                try:
                    made = copy.copy(self)
                    made._engine = parse_engine_choice(answer["engine"])
                    made._engine_remark = made._engine.remark
                    return made
                except ProtocolError as error:
                    return self.with_engine_remark(f"The model's process describes {error}.")
            threading.Event().wait(ENGINE_PAUSE)
        return self.with_engine_remark("The engine was not compiled in time.")

    @property
    def _engine_state(self) -> InferenceEngineState:
        return self._engine

    def _with_head(self, name: str) -> "SandboxedClassifier":
        request = self._head("describe") | {"head": name, "metadata": {}, "reinitialised": None, "explained": None, "engine": None}
        protection = self._supervisor.description().protection
        described = {"landlock": protection.landlock, "filtered": protection.filtered}
        answer = self._supervisor.request_json(request | {"shapes": []}, []) | described
        try:
            made = SandboxedClassifier(self._supervisor, parse_worker_description(answer))
        except ProtocolError as error:
            raise UserError(f"{self.card.name} describes its head '{name[:60]}' in a malformed way ({error}); use another.") from error
        made._chosen_head, made._metadata = name, self._metadata
        return made

    def _with_second_picture(self, second: Floats, explained: int) -> "SandboxedClassifier":
        made = copy.copy(self)
        made._engine = self._supervisor.description().engine
        made._pair = second, explained
        made.layers = tuple(layer for layer in self.layers if not layer.pictures or explained in layer.pictures)
        return made

    def _outputs(self, images: Floats) -> Floats:
        return self._evaluate("outputs", [images], [(len(images), len(self.labels))])[0]

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        return self._evaluate("masked", [image, masks, fill], [(len(masks), len(self.labels))])[0]

    def _gradients(self, images: Floats, score: Score) -> Floats:
        return self._evaluate("gradients", [images], [images.shape], score=self._score_fields(score))[0]

    def _pullback(self, images: Floats, weights: Floats) -> Floats:
        return self._evaluate("pullback", [images, weights], [images.shape])[0]

    def features(self, image: Floats, layers: Sequence[GridLayer], score: Score) -> tuple[LayerActivations, ...]:
        """(H, W, 3) -> each layer's maps and the score's gradients, in one pass. UserError without a layer."""
        return self._features("features", [self._check_images(image[None])[0]], layers, self._score_fields(score))

    def feature_pullback(self, image: Floats, layers: Sequence[GridLayer], weights: Floats) -> tuple[LayerActivations, ...]:
        """(H, W, 3), (classes,) -> each layer's maps and the gradients of the sum of weights * logits."""
        return self._features("feature_pullback", [self._check_images(image[None])[0], weights], layers, None)

    def randomised(self, depth: Depth, seed: int) -> "SandboxedClassifier":
        """The same classifier with its head, its last block and head, or everything re-initialised. UserError where it has no variables."""
        made = copy.copy(self)
        made._reinitialised = depth, int(seed)
        made._evaluate("nothing", [], [])
        return made

    def remote_structure(self, images: Floats) -> Any:
        images = self._check_images(images)
        head = self._head("structure") | {"explained": None}
        return self._supervisor.request_json(head | {"shapes": [list(images.shape)]}, [images]).get("structure")

    @property
    def pid(self) -> int:
        """The id of the model's process."""
        return self._supervisor.pid

    def interrupt(self) -> None:
        """Ends an evaluation that nobody waits for any more, with the model's process."""
        self._supervisor.interrupt()

    def close(self) -> None:
        """Ends the model's process."""
        self._supervisor.close()

    def _score_fields(self, score: Score) -> list[Any]:
        score.check(self.labels)
        return [score.target, score.kind, score.rather_than]

    def _features(
        self, name: str, arrays: list[Array], layers: Sequence[GridLayer], score: list[Any] | None
    ) -> tuple[LayerActivations, ...]:
        # A forward-only model itself reports why it has no layers.
        layers = [self.layer(layer.name) for layer in (layers if self.forward_only else self._with_a_layer(layers))]
        wanted = [(*layer.grid, layer.channels) for layer in layers for _ in range(2)]
        if (size := 4 * sum(map(math.prod, wanted))) > LAYER_BYTES:
            names = ", ".join(layer.name for layer in layers[:3])
            raise UserError(
                f"The activations and gradients of {names} have {size / 1e6:,.0f} MB per image; {LAYER_BYTES / 1e6:.0f} MB are "
                f"the most that are read from the process of {self.card.name}. Choose a later layer, or a method that reads none."
            )
        found = self._evaluate(name, arrays, wanted, [layer.name for layer in layers], score)
        return tuple(LayerActivations(layer.name, found[2 * i], found[2 * i + 1]) for i, layer in enumerate(layers))

    def _head(self, name: str) -> dict[str, Any]:
        engine = self._engine.engine if self._engine.engine is InferenceEngine.OPENVINO else None
        pair = None if self._pair is None else self._pair[1]
        changed = {"reinitialised": self._reinitialised, "metadata": self.metadata}
        variant = {**changed, "engine": engine, "head": self._chosen_head, "explained": pair}
        return {"request": name, "layers": [], "score": None, **variant}

    def _evaluate(
        self, name: str, arrays: list[Array], wanted: Sequence[Expected], layers: Sequence[str] = (), score: list[Any] | None = None
    ) -> list[Array]:
        head = {**self._head(name), "layers": list(layers), "score": score}
        arrays = [*arrays, *([] if self._pair is None else [self._pair[0]])]
        return self._supervisor.request(head | {"shapes": [list(each.shape) for each in arrays]}, arrays, wanted)


def start_sandboxed_classifier(path: Path, limits: WorkerLimits | None = None) -> Callable[[], SandboxedClassifier]:
    """Starts the process of the model at `path`; the function returned waits until it is open, or raises UserError."""
    supervisor = WorkerSupervisor(path, limits or WorkerLimits())
    return lambda: SandboxedClassifier(supervisor)
