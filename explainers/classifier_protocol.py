"""What explaining needs of a classifier: three questions, one way to hide parts of a picture, and what a score is."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Score(Protocol):
    """The one number that every method of a case explains: a value that the classifier understands. Hashable.

    kind: "centred", "logit", "probability" or "contrast".
    """

    @property
    def target(self) -> int: ...
    @property
    def kind(self) -> str: ...


class Layer(Protocol):
    """A spatial layer: the tensor (n, h, w, k) that the methods of the CAM family read.

    caveat: what a reader of its maps should know; empty where its cells simply lie on the picture.
    """

    @property
    def name(self) -> str: ...
    @property
    def grid(self) -> tuple[int, int]: ...
    @property
    def channels(self) -> int: ...
    @property
    def caveat(self) -> str: ...


class LayerFeatures(Protocol):
    """One layer's answer to one picture. maps, gradients: (h, w, k); gradients are of the score with respect to maps."""

    @property
    def layer(self) -> str: ...
    @property
    def maps(self) -> Floats: ...
    @property
    def gradients(self) -> Floats: ...


class Classifier(Protocol):
    """A classifier that takes display space: RGB 0..1, float32. Every answer keeps all classes.

    Safe to call from several threads at once. `forward_only` classifiers raise UserError from gradients and features.
    """

    @property
    def labels(self) -> Sequence[str]: ...

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""

    @property
    def layers(self) -> Sequence[Layer]:
        """Every spatial layer, from the picture to the logits."""

    @property
    def default_layers(self) -> Sequence[Layer]:
        """The last spatial layer of each branch, or the card's."""

    def outputs(self, images: Floats) -> Floats:
        """(n, H, W, 3) -> logits (n, classes)."""

    def masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        """(H, W, 3), (n, h, w) in 0..1, (H, W, 3) -> logits (n, classes) of mask * image + (1 - mask) * fill.

        Masks smaller than the picture are enlarged half-pixel bilinearly inside the compiled function.
        """

    def gradients(self, images: Floats, score: Score) -> Floats:
        """(n, H, W, 3) -> d score / d image (n, H, W, 3)."""

    def features(self, image: Floats, layers: Sequence[Layer], score: Score) -> tuple[LayerFeatures, ...]:
        """(H, W, 3) -> for each layer its maps and the score's gradients, from one pass forward and back."""

    def values(self, logits: Floats, score: Score) -> Floats:
        """(n, classes) -> the score of each picture (n,)."""

    def probabilities(self, logits: Floats) -> Floats:
        """(n, classes) -> (n, classes), as the model gives them (not calibrated)."""

    def randomised(self, depth: Literal["head", "last block", "everything"], seed: int) -> "Classifier":
        """The same classifier with re-initialised weights."""
