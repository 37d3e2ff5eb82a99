"""Reads a model's structure from its traced graph, in the process that runs the model."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from image_batches import batch_of
from models.classifiers.base_classifier import BaseClassifier
from models.classifiers.forward_only import ForwardOnlyClassifier
from models.classifiers.keras_classifier import KerasClassifier
from models.graph.layers import operations_between
from models.graph.model_trace import TracedModelGraph
from models.graph.probe_images import non_finite_weights
from models.inspection.input_transform import measure_input_transforms
from models.inspection.model_structure import ModelStructure, ModelTensorShape
from models.inspection.receptive_fields import operation_receptive_fields

Floats = NDArray[np.float32]

_BATCH = 4
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def read_model_structure(served: BaseClassifier[Any], images: Floats) -> ModelStructure:
    """images: (n, H, W, 3) as the classifier takes them, by which dead channels are found; n may be 0."""
    if isinstance(served, KerasClassifier):
        return _graph_structure(served.trace, images)
    if isinstance(served, ForwardOnlyClassifier):
        network = served.network
        ports = tuple(ModelTensorShape(port.name, tuple(port.shape), port.dtype) for port in network.inputs)
        return ModelStructure(ports, ModelTensorShape("output", (None, network.units), "float32"), runtime_kind=network.kind)
    raise TypeError(type(served))


def _graph_structure(trace: TracedModelGraph, images: Floats) -> ModelStructure:
    known = operation_receptive_fields(trace.prepared, trace.head.logits)
    sizes = {name: None if field is None else field.size for name, field in ((x.name, known.get(x.tensor.op)) for x in trace.layers)}
    between = operations_between(trace.prepared, trace.head.logits)
    return ModelStructure(
        tuple(ModelTensorShape(name, shape, "float32") for name, shape in trace.inputs),
        ModelTensorShape(_output_name(trace), tuple(trace.output.shape), trace.output.dtype.name),
        trace.head.activation,
        measure_input_transforms(trace),
        tuple((name, None if size is None else (_pixels(size[0]), _pixels(size[1]))) for name, size in sizes.items()),
        any(_flattens(op) for op in between),
        tuple(
            trace.layer_name(op)
            for op in between
            if op.type in _CONVOLUTIONS and known.get(op) and tuple(op.outputs[0].shape[1:3]) == (1, 1)
        ),
        tuple(_dead_channels(trace, images)),
        tuple(non_finite_weights(trace)),
    )


def _output_name(trace: TracedModelGraph) -> str:
    """The last layer's name: what follows it, such as an Identity around the whole model, belongs to none."""
    return trace.layer_name(trace.head.logits.op)


def _pixels(side: float) -> int:
    return math.ceil(side - 1e-6)


def _flattens(op: tf.Operation) -> bool:
    """Whether a grid of more than one cell becomes one row, so that each cell gets its own weights."""
    if op.type != "Reshape" or op.inputs[0].shape.rank != 4 or op.outputs[0].shape.rank != 2:
        return False
    height, width, channels = op.inputs[0].shape[1:]
    return None not in (height, width, channels) and height * width > 1 and op.outputs[0].shape[1] == height * width * channels


def _dead_channels(trace: TracedModelGraph, images: Floats) -> Iterator[tuple[str, float]]:
    """Each layer and the share of its channels that are constant whatever the image."""
    if not len(images) or not trace.layers:
        return
    fetches = [tensor for layer in trace.layers for tensor in _extremes(trace, layer.name, layer.tensor)]
    extremes = trace.function([trace.images], fetches)
    size = batch_of((images.shape[1], images.shape[2]), _BATCH, trace.layers)
    batches = [extremes(images[start : start + size]) for start in range(0, len(images), size)]
    lowest = [np.min(each, axis=0) for each in zip(*(batch[::2] for batch in batches), strict=True)]
    highest = [np.max(each, axis=0) for each in zip(*(batch[1::2] for batch in batches), strict=True)]
    for layer, low, high in zip(trace.layers, lowest, highest, strict=True):
        yield layer.name, float((low == high).mean())


def _extremes(trace: TracedModelGraph, name: str, tensor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(k,) each: the minimum and maximum of every channel."""
    axes = list(range(tensor.shape.rank - 1))
    return (
        trace.derive(f"{name} lowest", lambda: tf.cast(tf.reduce_min(tensor, axes), tf.float32)),
        trace.derive(f"{name} highest", lambda: tf.cast(tf.reduce_max(tensor, axes), tf.float32)),
    )
