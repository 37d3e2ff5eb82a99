"""Random weights with meaningful answers: normalisation fits its inputs, and the head separates images.

As initialised, deep networks answer almost the same to every image, so that maps would show nothing. So every batch norm is set to the
mean and variance of its inputs on sixteen synthetic images, and the head's weights and bias are scaled until its logits have mean 0
and deviation 2 over those images: neither constant nor saturated.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.zoo_parts.models.random_images import random_images
from models.cards.card import Card, ClassLabel, Scaling
from models.graph.model_inputs import read_model_inputs

DEVIATION = 2.0


def scale_random_weights(model: Any, scaling: Scaling = "0..1", side: int = 32) -> Any:
    """The same model (Keras 2 or 3), changed in place. scaling: what it is fed. side: pixels of one that takes pictures of any size."""
    given = _layer_inputs(model, scaling, side)
    for each in _networks(model):
        _normalise(each, given if each is model else tf.nest.flatten(given)[0])
    for _ in range(2):  # the second pass corrects what float32 could not resolve in nearly constant probabilities
        _scale_head(model, _logits(np.asarray(model(given, training=False), np.float64)))
    return model


def _layer_inputs(model: Any, scaling: Scaling, side: int) -> Any:
    inputs = read_model_inputs(model, model.name)
    size = (inputs.largest.size[0] or side, inputs.largest.size[1] or side)
    card = Card("drawn", (ClassLabel("0"), ClassLabel("1")), size, scaling=scaling)
    numbers = sum(each.length for each in inputs.vectors)
    return inputs.pack(inputs.prepare(tf.constant(random_images(size)), card), tf.zeros(numbers) if numbers else None)


def _networks(model: Any) -> list[Any]:
    """The model, after every network inside it, innermost first."""
    return [deeper for layer in model.layers if getattr(layer, "layers", None) for deeper in _networks(layer)] + [model]


def _normalise(network: Any, given: Any) -> None:
    """Of a network inside a model only where it is fed the picture itself: elsewhere what it sees is not known."""
    norms = [layer for layer in network._flatten_layers() if type(layer).__name__ == "BatchNormalization"]
    shape = getattr(network, "input_shape", None)
    if not norms or (isinstance(shape, tuple) and len(shape) != len(given.shape)) or not _takes(shape, given):
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    network(given, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _takes(shape: Any, given: Any) -> bool:
    if not isinstance(shape, tuple):
        return True
    return all(own in (None, others) for own, others in zip(shape[1:], given.shape[1:], strict=True))


def _logits(raw: np.ndarray) -> np.ndarray:
    """(n, units) -> what the last layer gave before its activation, up to a number that all classes have in common."""
    if raw.min() >= 0 and np.allclose(raw.sum(axis=1), 1, atol=1e-2) and raw.shape[1] > 1:
        logits = np.log(np.maximum(raw, 1e-30))
        return np.asarray(logits - logits.mean(axis=1, keepdims=True))
    if raw.min() >= 0 and raw.max() <= 1:
        p = np.clip(raw, 1e-15, 1 - 1e-15)
        return np.asarray(np.log(p) - np.log1p(-p))
    return raw


def _scale_head(model: Any, logits: np.ndarray) -> None:
    head = [layer for layer in model._flatten_layers() if hasattr(layer, "kernel") and hasattr(layer, "bias")][-1]
    mean = logits.mean(axis=0)
    spread = float(np.sqrt(((logits - mean) ** 2).mean()))
    if not np.isfinite(spread) or spread == 0:
        raise ValueError(f"The head of {model.name} does not tell pictures apart: deviation {spread}.")
    factor = DEVIATION / spread
    head.kernel.assign(np.asarray(head.kernel) * np.float32(factor))
    if head.bias is not None:
        head.bias.assign((np.asarray(head.bias) - mean) * factor)
