"""A classifier whose model is a stranger's: it runs in a process of its own, and is asked over the border."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.metadata import Value, describe, encode
from models.classifiers.base import BaseClassifier, Depth, Floats, LayerAnswer
from models.classifiers.score import Score
from models.classifiers.worker_description import WorkerDescription, parse_description
from models.graph.grid_layer import GridLayer
from models.sandbox.ipc import Array, Expected, ProtocolError
from models.sandbox.process import Limits, WorkerExited, WorkerProcess

RESTARTS = 1


class WorkerSupervisor:
    """Keeps the process of one model: one question at a time, and begun once more after it has ended. Starts at once."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.traces = 1
        self._child = WorkerProcess(path, limits)
        self._told: WorkerDescription | None = None
        self._left, self._over = RESTARTS, ""
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Of the process, whether it is alive or not."""
        return self._child.pid

    def opened(self) -> WorkerDescription:
        """What the model is; waits until it is open. UserError where it is not."""
        with self._lock:
            if self._told is None:
                self._told = self._described()
            return self._told

    def ask(self, head: dict[str, Any], arrays: Sequence[Array], wanted: Sequence[Expected]) -> list[Array]:
        """Raises MemoryError, UserError; a process that ended is begun again at the next question, once."""
        return self._asked(head, arrays, wanted)[1]

    def tell(self, head: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Any]:
        """As `ask`, but what it says in words, of which nothing is believed yet."""
        return self._asked(head, arrays, [])[0]

    def _asked(self, head: dict[str, Any], arrays: Sequence[Array], wanted: Sequence[Expected]) -> tuple[dict[str, Any], list[Array]]:
        with self._lock:
            self._revive()
            try:
                answer, found = self._child.ask(head, arrays, wanted)
            except WorkerExited as error:
                self._over = str(error)
                raise
            traces = answer.get("traces")
            self.traces = traces if isinstance(traces, int) else 1
            return answer, found

    def close(self) -> None:
        """Ends the process for good."""
        self._child.kill()  # who asks just now holds the lock, and lets go at once
        with self._lock:
            self._left, self._over = 0, f"{self.path.name} was closed; load it again."
            self._child.close()

    def _revive(self) -> None:
        if not self._over:
            return
        if not self._left:
            raise UserError(f"{self._over} It is not started again.")
        self._left -= 1
        self._child = WorkerProcess(self.path, self.limits)
        if self._described() != self._told:
            self._child.close()
            self._left = 0
            raise UserError(f"{self.path.name} is another model than before; load it again.")
        self._over = ""

    def _described(self) -> WorkerDescription:
        try:
            return parse_description(self._child.opened())
        except ProtocolError as error:
            self._child.close()
            raise UserError(f"{self.path.name} describes itself in a way that is none ({error}); use another model.") from error
        except UserError:
            self._child.close()
            raise


class SandboxedClassifier(BaseClassifier[GridLayer]):
    """Answers as `models.classifiers.keras_classifier.Classifier` does, by asking the model's process; safe to ask from several threads.

    protection: what holds that process back, in words. protected: whether that is all there is, Landlock and seccomp.
    """

    def __init__(self, keeper: WorkerSupervisor, drawn: tuple[Depth, int] | None = None, beside: Mapping[str, Value] | None = None) -> None:
        """drawn: depth and seed of weights drawn anew. beside: the metadata's values."""
        is_so = keeper.opened()
        super().__init__(is_so.card, is_so.layers)
        self.forward_only = is_so.forward_only
        self.logits_from_probabilities = is_so.from_probabilities
        self.protection, self.protected = str(is_so.protection), is_so.protection.whole
        self.beside = dict(beside or {})
        self._keeper, self._drawn = keeper, drawn

    @property
    def traces(self) -> int:
        """The most often that any one question had been traced when the process answered last."""
        return self._keeper.traces

    @property
    def said(self) -> str:
        """What the model is given beside the picture, in words; empty where it takes nothing else."""
        return describe(self.card.metadata, self.beside)

    def given(self, values: Mapping[str, Value]) -> "SandboxedClassifier":
        """The same classifier told these metadata, the rest missing. UserError."""
        encode(self.card.metadata, values)
        return SandboxedClassifier(self._keeper, self._drawn, values)

    def _outputs(self, images: Floats) -> Floats:
        return self._ask("outputs", [images], [(len(images), len(self.labels))])[0]

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        return self._ask("masked", [image, masks, fill], [(len(masks), len(self.labels))])[0]

    def _gradients(self, images: Floats, score: Score) -> Floats:
        return self._ask("gradients", [images], [images.shape], score=self._known(score))[0]

    def _pullback(self, images: Floats, weights: Floats) -> Floats:
        return self._ask("pullback", [images, weights], [images.shape])[0]

    def features(self, image: Floats, layers: Sequence[GridLayer], score: Score) -> tuple[LayerAnswer, ...]:
        """(H, W, 3) -> each layer's maps and the score's gradients, in one pass. UserError without a layer."""
        return self._read("features", [self._checked(image[None])[0]], layers, self._known(score))

    def feature_pullback(self, image: Floats, layers: Sequence[GridLayer], weights: Floats) -> tuple[LayerAnswer, ...]:
        """(H, W, 3), (classes,) -> each layer's maps and the gradients of the sum of weights * logits."""
        return self._read("feature_pullback", [self._checked(image[None])[0], weights], layers, None)

    def randomised(self, depth: Depth, seed: int) -> "SandboxedClassifier":
        """The same classifier with its head, its last block and head, or everything drawn anew. UserError where it has no variables."""
        made = SandboxedClassifier(self._keeper, (depth, int(seed)), self.beside)
        made._ask("nothing", [], [])
        return made

    def anatomy(self, images: Floats) -> Any:
        """(n, H, W, 3) -> what `models.inspection.structure_reader` reads in the model's process: JSON whose form is not checked yet."""
        images = self._checked(images)
        head = {"ask": "anatomy", "layers": [], "score": None, "drawn": self._drawn, "beside": self.beside}
        return self._keeper.tell(head | {"shapes": [list(images.shape)]}, [images]).get("anatomy")

    @property
    def pid(self) -> int:
        """Of the model's process."""
        return self._keeper.pid

    def close(self) -> None:
        """Ends the model's process."""
        self._keeper.close()

    def _known(self, score: Score) -> list[Any]:
        score.check(self.labels)
        return [score.target, score.kind, score.rather_than]

    def _read(self, asked: str, arrays: list[Array], layers: Sequence[GridLayer], score: list[Any] | None) -> tuple[LayerAnswer, ...]:
        # A model that only answers says itself why it has no layers.
        layers = [self.layer(layer.name) for layer in (layers if self.forward_only else self._with_a_layer(layers))]
        wanted = [(*layer.grid, layer.channels) for layer in layers for _ in range(2)]
        found = self._ask(asked, arrays, wanted, [layer.name for layer in layers], score)
        return tuple(LayerAnswer(layer.name, found[2 * i], found[2 * i + 1]) for i, layer in enumerate(layers))

    def _ask(
        self, asked: str, arrays: list[Array], wanted: Sequence[Expected], layers: Sequence[str] = (), score: list[Any] | None = None
    ) -> list[Array]:
        head = {"ask": asked, "layers": list(layers), "score": score, "drawn": self._drawn, "beside": self.beside}
        return self._keeper.ask(head | {"shapes": [list(each.shape) for each in arrays]}, arrays, wanted)


def start_sandboxed(path: Path, limits: Limits | None = None) -> Callable[[], SandboxedClassifier]:
    """Begins the process of the model at `path`; what is given waits until it is open. UserError says then why it is not."""
    keeper = WorkerSupervisor(path, limits or Limits())
    return lambda: SandboxedClassifier(keeper)
