"""Classifiers of a few numpy lines whose every answer can be worked out by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ToyScore:
    """kind: "logit", "centred", "probability" or "contrast" (target less `rather_than`)."""

    target: int = 0
    kind: str = "logit"
    rather_than: int = 1

    def weights(self, classes: int) -> NDArray[np.float64]:
        weights = np.eye(classes)[self.target]
        if self.kind == "centred":
            return weights - 1 / classes
        return weights - np.eye(classes)[self.rather_than] if self.kind == "contrast" else weights


@dataclass(frozen=True)
class ToyLayer:
    name: str
    grid: tuple[int, int]
    channels: int
    caveat: str = ""


@dataclass(frozen=True)
class ToyAnswer:
    layer: str
    maps: Floats
    gradients: Floats


@dataclass
class Asked:
    """What went through a toy: pictures a call. limit: more at once raises MemoryError."""

    batches: list[int] = field(default_factory=list)
    limit: int = 10**9

    def note(self, pictures: int) -> None:
        if pictures > self.limit:
            raise MemoryError("too many at once")
        self.batches.append(pictures)


class Toy:
    """A classifier by formula: `logits_of` (n, H, W, 3) -> (n, classes), `gradient_of` one picture -> (classes, H, W, 3)."""

    def __init__(
        self, size: tuple[int, int], logits_of: Callable[..., NDArray], gradient_of: Callable[..., NDArray], classes: int = 2
    ) -> None:
        self.size = size
        self.labels: Sequence[str] = tuple(f"class {c}" for c in range(classes))
        self.layers: tuple[ToyLayer, ...] = ()
        self.default_layers: tuple[ToyLayer, ...] = ()
        self.asked = Asked()
        self._logits_of, self._gradient_of = logits_of, gradient_of

    def outputs(self, images: Floats) -> Floats:
        self.asked.note(len(images))
        return self._logits_of(images.astype(np.float64)).astype(np.float32)

    def masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        assert masks.min() >= 0
        assert masks.max() <= 1
        height, width = self.size
        shown = np.stack([cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) for mask in masks])[..., None]
        return self.outputs(shown * image + (1 - shown) * fill)

    def gradients(self, images: Floats, score: ToyScore) -> Floats:
        self.asked.note(len(images))
        rows = [np.tensordot(self._seed(image, score), self._gradient_of(image.astype(np.float64)), 1) for image in images]
        return np.stack(rows).astype(np.float32)

    def features(self, image: Floats, layers: Sequence[ToyLayer], score: ToyScore) -> tuple[ToyAnswer, ...]:
        raise NotImplementedError("a toy by formula has no layers")

    def values(self, logits: Floats, score: ToyScore) -> Floats:
        numbers = self.probabilities(logits) if score.kind == "probability" else logits
        return numbers @ score.weights(len(self.labels))

    def probabilities(self, logits: Floats) -> Floats:
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def randomised(self, depth: Literal["head", "last block", "everything"], seed: int) -> "Toy":
        raise NotImplementedError("a toy has no weights to draw")

    def _seed(self, image: Floats, score: ToyScore) -> NDArray[np.float64]:
        """(classes,): d score / d logits at the picture."""
        weights = score.weights(len(self.labels))
        if score.kind != "probability":
            return weights
        p = self.probabilities(self._logits_of(image[None].astype(np.float64)))[0]
        return p[score.target] * (weights - p)


class Detectors(Toy):
    """Cells of `cell` pixels averaged -> relu(colour @ detectors + offset): maps A (h, w, k) -> logits.

    `dense` of (k, classes) stands behind a global average; of (h, w, k, classes) behind a Flatten.
    """

    def __init__(self, grid: tuple[int, int], cell: int, detectors: NDArray, offset: NDArray, dense: NDArray, bias: NDArray) -> None:
        super().__init__((grid[0] * cell, grid[1] * cell), self._forward, self._backward, classes=len(bias))
        self.grid, self.cell, self.bias = grid, cell, bias
        self.detectors, self.offset, self.dense = detectors, offset, dense
        self.layers = (ToyLayer("maps", grid, len(offset)),)
        self.default_layers = self.layers

    @property
    def weights(self) -> NDArray[np.float64]:
        """(h, w, k, classes): d logits / d A."""
        cells = self.grid[0] * self.grid[1]
        return np.broadcast_to(self.dense / cells, (*self.grid, *self.dense.shape)) if self.dense.ndim == 2 else self.dense

    def maps(self, images: Floats) -> NDArray[np.float64]:
        """(n, H, W, 3) -> A (n, h, w, k)."""
        n, (h, w), c = len(images), self.grid, self.cell
        means = images.astype(np.float64).reshape(n, h, c, w, c, 3).mean((2, 4))
        return np.maximum(means @ self.detectors + self.offset, 0)

    def features(self, image: Floats, layers: Sequence[ToyLayer], score: ToyScore) -> tuple[ToyAnswer, ...]:
        self.asked.note(1)
        maps = self.maps(image[None])[0]
        answer = ToyAnswer("maps", maps.astype(np.float32), (self.weights @ self._seed(image, score)).astype(np.float32))
        return tuple(answer for _ in layers)

    def _forward(self, images: NDArray) -> NDArray:
        return np.einsum("nhwk,hwkc->nc", self.maps(images), self.weights) + self.bias

    def _backward(self, image: NDArray) -> NDArray:
        active = (self.maps(image[None])[0] > 0)[..., None] * self.weights
        cells = np.einsum("hwkc,rk->chwr", active, self.detectors) / self.cell**2
        return cells.repeat(self.cell, 1).repeat(self.cell, 2)


def detectors(classes: int = 3, grid: tuple[int, int] = (4, 5), cell: int = 8, channels: int = 6, flatten: bool = False) -> Detectors:
    """A random but fixed model of colour detectors."""
    rng = np.random.default_rng(0)
    shape = (*grid, channels, classes) if flatten else (channels, classes)
    weights = rng.normal(0, 1, (3, channels)), rng.normal(0, 0.2, channels), rng.normal(0, 2, shape), rng.normal(0, 1, classes)
    return Detectors(grid, cell, *weights)


def picture(size: tuple[int, int], seed: int = 1) -> Floats:
    """(H, W, 3) of smooth random colours in 0..1."""
    coarse = np.random.default_rng(seed).random((4, 4, 3)).astype(np.float32)
    return np.clip(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
