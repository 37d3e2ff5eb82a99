"""Gradients against central differences in float32, in directions that mostly follow the gradient, so that rounding does not drown it.

Of several steps the one that agrees best counts: a long one bends, a short one is lost in rounding, and a wrong gradient agrees at none.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.classifiers.keras_classifier import KerasClassifier, LayerActivations
from models.classifiers.score import Score
from models.graph.layers import SpatialLayer

DIRECTIONS = 3
STEPS = tuple(2.0**-power for power in range(5, 23))
Floats = NDArray[np.float32]


def image_gradient_error(served: KerasClassifier, image: Floats, score: Score) -> float:
    """The largest error of d score / d image, as a share of the slope. image: (H, W, 3)."""
    gradient = served.gradients(image[None], score)[0]
    return _worst(gradient, image, np.ones_like(image), lambda images: served.values(served.outputs(images), score))


def layer_gradient_error(served: KerasClassifier, image: Floats, score: Score) -> float:
    """The largest error of d score / d layer over the layers that the CAM family reads, their cells being fed.

    Cells that are 0 stay so: among equal ones a pooling chooses, and there is a kink.
    """
    answers = served.features(image, served.default_layers, score)
    return max(_single_layer_error(served, image, score, *pair) for pair in zip(served.default_layers, answers, strict=True))


def _single_layer_error(served: KerasClassifier, image: Floats, score: Score, layer: SpatialLayer, answer: LayerActivations) -> float:
    trace, gradient = served.trace, answer.gradients
    (raw,) = trace.function([trace.images], [layer.tensor])(image[None])
    ask = trace.function([trace.images, layer.tensor], [served._logits])
    height, width = layer.grid

    def values(grids: Floats) -> Floats:
        fed = np.repeat(raw, len(grids), axis=0)
        if layer.first is None:
            fed[:] = grids
        else:
            fed[:, layer.first : layer.first + height * width] = grids.reshape(len(grids), height * width, -1)
        return served.values(ask(np.repeat(image[None], len(fed), axis=0), fed)[0], score)

    maps = layer.on_grid(raw[0]).astype(np.float32)
    return _worst(gradient, maps, np.abs(maps).max() * (maps != 0), values)


def _worst(gradient: Floats, at: Floats, scale: Floats, values: Callable[[Floats], Floats]) -> float:
    rng, errors = np.random.default_rng(1), []
    for _ in range(DIRECTIONS):
        signs = np.where(gradient == 0, rng.choice([1, -1], at.shape), np.sign(gradient))
        direction = (scale * signs * rng.choice([1, 1, 1, -1], at.shape)).astype(np.float32)
        slope = float((gradient.astype(np.float64) * direction).sum())
        moved = np.stack([at + np.float32(sign * step) * direction for step in STEPS for sign in (1, -1)])
        found = values(moved).astype(np.float64).reshape(-1, 2)
        slopes = (found[:, 0] - found[:, 1]) / (2 * np.asarray(STEPS))
        errors.append(float(np.abs(slopes - slope).min()) / max(abs(slope), 1e-9))
    return max(errors)
