"""Looks into a model's traced graph, in the process that the model runs in."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.classifiers.base import BaseClassifier
from models.classifiers.forward_only import ForwardOnly
from models.classifiers.keras_classifier import Classifier
from models.graph.layers import operations_between
from models.graph.probes import broken
from models.graph.trace import Trace
from models.inspection.input_transform import input_transforms
from models.inspection.receptive_fields import fields
from models.inspection.structure import ModelStructure, TensorSpec

Floats = NDArray[np.float32]

_AT_ONCE = 4
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def read_structure(served: BaseClassifier[Any], images: Floats) -> ModelStructure:
    """images: (n, H, W, 3) as the classifier takes them, to see which layers are dead; there may be none."""
    if isinstance(served, Classifier):
        return _of_graph(served.trace, images)
    if isinstance(served, ForwardOnly):
        network = served.network
        ports = tuple(TensorSpec(port.name, tuple(port.shape), port.dtype) for port in network.inputs)
        return ModelStructure(ports, TensorSpec("output", (None, network.units), "float32"), kind=network.kind)
    raise TypeError(type(served))


def _of_graph(trace: Trace, images: Floats) -> ModelStructure:
    known = fields(trace.prepared, trace.head.logits)
    sizes = {name: None if field is None else field.size for name, field in ((x.name, known.get(x.tensor.op)) for x in trace.layers)}
    between = operations_between(trace.prepared, trace.head.logits)
    return ModelStructure(
        tuple(TensorSpec(name, shape, "float32") for name, shape in trace.inputs),
        TensorSpec(_plain(trace.output.op.name), tuple(trace.output.shape), trace.output.dtype.name),
        trace.head.activation,
        input_transforms(trace),
        tuple((name, None if size is None else (_pixels(size[0]), _pixels(size[1]))) for name, size in sizes.items()),
        any(_flattens(op) for op in between),
        tuple(
            _plain(op.name) for op in between if op.type in _CONVOLUTIONS and known.get(op) and tuple(op.outputs[0].shape[1:3]) == (1, 1)
        ),
        tuple(_dead(trace, images)),
        tuple(broken(trace)),
    )


def _pixels(side: float) -> int:
    return math.ceil(side - 1e-6)


def _plain(operation: str) -> str:
    """`functional_1/dense_1/Softmax` -> `dense_1`, the layer that an operation is of."""
    return operation.split("/")[-2:][0]


def _flattens(op: tf.Operation) -> bool:
    """Whether a grid of more than one cell becomes one row, in which each cell has its own weights."""
    if op.type != "Reshape" or op.inputs[0].shape.rank != 4 or op.outputs[0].shape.rank != 2:
        return False
    height, width, channels = op.inputs[0].shape[1:]
    return None not in (height, width, channels) and height * width > 1 and op.outputs[0].shape[1] == height * width * channels


def _dead(trace: Trace, images: Floats) -> Iterator[tuple[str, float]]:
    """Each layer and the share of its channels that say the same whatever they are shown."""
    if not len(images) or not trace.layers:
        return
    fetches = [tensor for layer in trace.layers for tensor in _extremes(trace, layer.name, layer.tensor)]
    ask = trace.question([trace.images], fetches)
    answers = [ask(images[start : start + _AT_ONCE]) for start in range(0, len(images), _AT_ONCE)]
    lowest = [np.min(each, axis=0) for each in zip(*(answer[::2] for answer in answers), strict=True)]
    highest = [np.max(each, axis=0) for each in zip(*(answer[1::2] for answer in answers), strict=True)]
    for layer, low, high in zip(trace.layers, lowest, highest, strict=True):
        yield layer.name, float((low == high).mean())


def _extremes(trace: Trace, name: str, tensor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(k,) each: the lowest and the highest number of every channel."""
    axes = list(range(tensor.shape.rank - 1))
    return (
        trace.derived(f"{name} lowest", lambda: tf.cast(tf.reduce_min(tensor, axes), tf.float32)),
        trace.derived(f"{name} highest", lambda: tf.cast(tf.reduce_max(tensor, axes), tf.float32)),
    )
