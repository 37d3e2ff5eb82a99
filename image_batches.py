"""How many images are evaluated at once: as many as stay within so many bytes, whatever size a model declares."""

from collections.abc import Iterable
from typing import Protocol

IMAGE_BYTES = 24 << 20
"""Of the images of one batch: 32 of 256 x 256 pixels."""
ACTIVATION_BYTES = 512 << 20
"""Of one batch's activations of the largest known layer: 32 images of VGG16 at 224 x 224 pixels have 411 million."""
LAYER_BYTES = 64 << 20
"""Of the activations and gradients of one image that are read from a model's process: a layer of 256 x 256 cells and 128 channels."""


class Layer(Protocol):
    """What is known of a layer."""

    @property
    def grid(self) -> tuple[int, int]: ...
    @property
    def channels(self) -> int: ...


def batch_of(size: tuple[int, int], most: int, layers: Iterable[Layer] = ()) -> int:
    """How many images (H, W, 3) of float32 a batch may have: `most`, or as many as stay within the limits above, but one at least.

    layers: those of the model that are known; the largest counts.
    """
    largest = max((layer.grid[0] * layer.grid[1] * layer.channels for layer in layers), default=0)
    images, activations = IMAGE_BYTES // max(1, size[0] * size[1] * 12), ACTIVATION_BYTES // max(1, largest * 4)
    return max(1, min(most, images, activations))
