"""The base of all classifiers: fits pictures, names layers, turns logits into probabilities and scores."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import Card
from models.cards.metadata import Value, describe_metadata, encode_metadata
from models.classifiers.score import Score
from models.graph.engine.check import check_engine_outputs, is_engine_faster
from models.graph.engine.choice import EngineRefused, InferenceEngine, InferenceEngineState
from models.graph.grid_layer import GridLayer
from models.images.picture_placement import fit_to_size

Floats = NDArray[np.float32]
Depth = Literal["head", "last block", "everything"]


@dataclass(frozen=True)
class LayerActivations:
    """One layer's maps for one picture, and the gradients of the score with respect to them: (h, w, k) each."""

    layer: str
    maps: Floats
    gradients: Floats


L = TypeVar("L", bound=GridLayer)


class BaseClassifier(Generic[L]):
    """What all classifiers share: arithmetic on logits and card. Pictures are (n, H, W, 3) float32, RGB 0..1.

    Empty batches never reach the network: not every network can evaluate them.

    forward_only: whether it has no gradients and layers. members: an ensemble's. protection: what confines the model's process, in
    words; None where it runs in this one. protected: whether both Landlock and seccomp confine it. traces: how often its most traced
    function has been traced; 1 whatever the number of pictures.
    """

    forward_only = False
    logits_from_probabilities = False
    members: tuple[Any, ...] = ()
    heads: tuple[str, ...] = ()
    picture_inputs: tuple[str, ...] = ()
    protection: str | None = None
    protected = False

    def __init__(self, card: Card, layers: Sequence[L], metadata: Mapping[str, Value] | None = None) -> None:
        """metadata: the values of the card's metadata; absent values are missing."""
        self.card = card
        self._metadata = dict(metadata or {})
        self.labels = tuple(label.name for label in card.labels)
        self.size = card.size
        self.layers: tuple[L, ...] = tuple(layers)
        self._engine_remark = ""

    @property
    def traces(self) -> int:
        return 1

    @property
    def metadata(self) -> dict[str, Value]:
        """The metadata that the model takes with the picture; absent values are missing."""
        return self._metadata

    @property
    def metadata_text(self) -> str:
        """The same as text; empty where the model takes no metadata."""
        return describe_metadata(self.card.metadata, self.metadata)

    def with_metadata(self, values: Mapping[str, Value]) -> Self:
        """The same classifier with these metadata, the rest missing; compiled functions are shared. UserError."""
        encode_metadata(self.card.metadata, values)
        return self._with_metadata(values)

    @property
    def engine(self) -> InferenceEngineState:
        """What evaluates its forward passes; the same for as long as this object exists."""
        return replace(self._engine_state, remark=self._engine_remark)

    def with_engine(self, choice: InferenceEngine) -> Self:
        """The same classifier, its forward passes evaluated by that engine, after its outputs were compared with this one's.

        Where the engine cannot evaluate the model, or its outputs differ, it stays as it is, and `engine.remark` says why. AUTO is OpenVINO
        where that is faster here, but not on a GPU.
        """
        try:
            return self._with_engine(choice)
        except EngineRefused as refused:
            return self.with_engine_remark(str(refused))

    def with_engine_remark(self, remark: str) -> Self:
        """The same classifier, whose engine has that remark."""
        made = copy.copy(self)
        made._engine_remark = remark
        return made

    def _with_engine(self, choice: InferenceEngine) -> Self:
        if choice is self._engine_state.engine:
            return self
        if choice is InferenceEngine.AUTO and self._on_gpu:
            raise EngineRefused("This machine has a GPU, for which TensorFlow is kept.")
        try:
            made = self._compiled_by(InferenceEngine.OPENVINO if choice is InferenceEngine.AUTO else choice)
            check_engine_outputs(made.engine.engine.label, self.outputs, made.outputs, self.size)
        except MemoryError as error:
            raise EngineRefused("The engine needs more memory than there is.") from error
        if choice is InferenceEngine.AUTO and not is_engine_faster(self.outputs, made.outputs, self.size):
            raise EngineRefused(f"{made.engine.engine.label} stays off: it evaluates this model no faster on this machine.")
        return made

    def _compiled_by(self, engine: InferenceEngine) -> Self:
        """As `with_engine`, before anything is compared. Raises EngineRefused, MemoryError."""
        raise NotImplementedError

    @property
    def _on_gpu(self) -> bool:
        return False

    @property
    def _engine_state(self) -> InferenceEngineState:
        raise NotImplementedError

    def with_head(self, name: str) -> Self:
        """The same model with another of its outputs explained. UserError where it has none of that name."""
        if name not in self.heads:
            known = ", ".join(self.heads)
            raise UserError(
                f"{self.card.name} has no head '{name[:60]}' to choose; " + (f"it has {known}." if known else "it gives one answer.")
            )
        return self._with_head(name)

    def with_second_picture(self, second: Floats, explained: int = 0) -> Self:
        """The same model with another picture at its other inputs. UserError where it takes one picture.

        second: (H, W, 3). explained: which picture input takes the explained picture.
        """
        if len(self.picture_inputs) < 2:
            raise UserError(f"{self.card.name} takes one picture; leave out the second.")
        if not 0 <= explained < len(self.picture_inputs):
            raise UserError(f"{self.card.name} has picture inputs 0 to {len(self.picture_inputs) - 1}; {explained} is none of them.")
        return self._with_second_picture(self._check_images(second[None])[0], explained)

    def remote_structure(self, images: Floats) -> Any:
        """(n, H, W, 3) -> the structure that the model's process reads, as JSON not yet validated; None without a process."""
        return None

    def close(self) -> None:
        """Ends the model's process, where it has one."""

    def outputs(self, images: Floats) -> Floats:
        """(n, H, W, 3) -> logits (n, classes)."""
        images = self._check_images(images)
        return self._outputs(images) if len(images) else self._none

    def masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        """(H, W, 3), (n, h, w) in 0..1, (H, W, 3) -> logits (n, classes) of masks * image + (1 - masks) * fill.

        Smaller masks are enlarged half-pixel bilinearly.
        """
        image, fill = self._check_images(image[None])[0], self._check_images(fill[None])[0]
        masks = np.asarray(masks, np.float32)
        return self._masked(image, masks, fill) if len(masks) else self._none

    def gradients(self, images: Floats, score: Score) -> Floats:
        """(n, H, W, 3) -> d score / d image, (n, H, W, 3)."""
        images = self._check_images(images)
        score.check(self.labels)
        return self._gradients(images, score) if len(images) else np.zeros_like(images)

    def pullback(self, images: Floats, weights: Floats) -> Floats:
        """(n, H, W, 3), (n or 1, classes) -> d (sum of weights * logits) / d image, (n, H, W, 3); each picture by its own weights."""
        images = self._check_images(images)
        return self._pullback(images, weights) if len(images) else np.zeros_like(images)

    @property
    def default_layers(self) -> tuple[L, ...]:
        """The card's layers, or the last of each branch. UserError where the card names one that is not there."""
        if not self.card.layers:
            return tuple(layer for layer in self.layers if layer.last)
        return tuple(self.layer(name) for name in self.card.layers)

    def layer(self, name: str) -> L:
        """The spatial layer of that name, or whose name ends in it, or the last one of the network inside that has it.

        UserError lists what there is.
        """
        found = [layer for layer in self.layers if layer.name == name] or [x for x in self.layers if x.name.endswith("/" + name)]
        found = found or [layer for layer in self.layers if f"/{name}/" in f"/{layer.name}"][-1:]
        if len(found) != 1:
            known = ", ".join(layer.name for layer in self.layers[-8:]) or "none"
            raise UserError(f"'{name}' names {len(found) or 'no'} spatial layers of {self.card.name}; its last ones are: {known}.")
        return found[0]

    def fit(self, picture: Floats) -> Floats:
        """(any height, any width, 3) RGB 0..1 -> (H, W, 3) as the card says."""
        return fit_to_size(picture, self.size, self.card.fit)

    def predict(self, image: Floats) -> Floats:
        """(H, W, 3) -> (classes,) probabilities, calibrated by the card's temperature."""
        probabilities: Floats = self.probabilities(self.outputs(image[None]) / np.float32(self.card.temperature))[0]
        return probabilities

    def values(self, logits: Floats, score: Score) -> Floats:
        """(n, classes) -> the score of each, (n,)."""
        numbers = self.probabilities(logits) if score.kind == "probability" else logits
        return numbers @ self._weights(score).astype(numbers.dtype)

    def probabilities(self, logits: Floats) -> Floats:
        """(n, classes) -> (n, classes): softmax, or independent sigmoids."""
        if self.card.head == "number":
            return logits
        if self.card.head in ("sigmoid", "multi-label"):
            return np.exp(-np.logaddexp(0, -logits))
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
        return shares

    def _with_metadata(self, values: Mapping[str, Value]) -> Self:
        raise NotImplementedError

    def _with_head(self, name: str) -> Self:
        raise NotImplementedError

    def _with_second_picture(self, second: Floats, explained: int) -> Self:
        raise NotImplementedError

    def _outputs(self, images: Floats) -> Floats:
        """As `outputs`, for at least one checked picture; so are the three below."""
        raise NotImplementedError

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        raise NotImplementedError

    def _gradients(self, images: Floats, score: Score) -> Floats:
        raise NotImplementedError

    def _pullback(self, images: Floats, weights: Floats) -> Floats:
        raise NotImplementedError

    @property
    def _none(self) -> Floats:
        return np.zeros((0, len(self.labels)), np.float32)

    def _check_images(self, images: Floats) -> Floats:
        images = np.asarray(images, np.float32)
        if images.ndim != 4 or images.shape[1:] != (*self.size, 3):
            raise UserError(f"{self.card.name} takes pictures of {(*self.size, 3)}; these are {images.shape[1:]}. Use its `fit`.")
        return images

    def _with_a_layer(self, layers: Sequence[L]) -> Sequence[L]:
        if not layers:
            raise UserError(
                f"{self.card.name} has no spatial layer, a grid of features on the way to its answer; use a method that needs none."
            )
        return layers

    def _weights(self, score: Score) -> Floats:
        score.check(self.labels)
        return score.weights(len(self.labels), self.card.head)
