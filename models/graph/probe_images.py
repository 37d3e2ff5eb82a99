"""Traces a model and evaluates it on synthetic pictures, to find out what it outputs and how it scales its input."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from errors import UserError
from image_batches import batch_of
from models.cards.card import Card
from models.cards.metadata import encode_metadata
from models.graph.float_inputs import with_float_inputs
from models.graph.frozen_graph import FrozenGraph
from models.graph.layer_names import RecordedLayerNames
from models.graph.layers import operations_before, operations_between
from models.graph.model_inputs import read_model_inputs
from models.graph.model_trace import TracedModelGraph
from models.graph.output_choice import ModelOutputChoice, choose_output
from models.graph.output_shape import classes_in_output_shape
from models.sandbox.checks.safe_text import error_reason

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def trace_keras_model(model: Any, card: Card, name: str) -> TracedModelGraph:
    """The model traced on pictures preprocessed as the card says. UserError where its output is not one tensor."""
    inputs = read_model_inputs(model, name)
    inputs.check_metadata(card, name)
    called = with_float_inputs(model)
    names = called.layer_names if isinstance(called, FrozenGraph) else RecordedLayerNames(called)
    metadata = encode_metadata(card.metadata, {}) if card.metadata else None
    choices: list[ModelOutputChoice] = []

    def chosen(answer: object) -> tf.Tensor:
        outputs = tf.nest.flatten(answer)
        shapes = [each.shape.as_list() if each.shape.rank is not None else [] for each in outputs]
        choices.append(choose_output(_output_names(model, answer), shapes, card.output, name))
        return outputs[choices[-1].number]

    try:
        made = TracedModelGraph(
            lambda images, second, takes: inputs.prepare(images, card, second, takes),
            lambda prepared, vector: chosen(called(inputs.pack(prepared, vector), training=False)),
            card.size,
            names,
            metadata,
            len(inputs.pictures),
        )
    except (UserError, MemoryError):
        raise
    except Exception as error:  # a model's own code may raise anything
        why = f"{card.size[0]} x {card.size[1]} pixels ({type(error).__name__}: {error_reason(error, 160)})"
        raise UserError(
            f"{name} cannot be called on pictures of {why}; give it a card with the 'size' that it was trained with."
        ) from error
    made.choice, made.picture_inputs = choices[-1], tuple(each.name for each in inputs.pictures)
    made.inputs = tuple((each.name, each.shape) for each in inputs.order)
    return made


def _output_names(model: Any, answer: object) -> list[str]:
    """The names of a model's outputs, in the order in which they are flattened; numbers where it has none."""
    if isinstance(answer, dict):
        return [str(key) for key in sorted(answer)]
    count, known = len(tf.nest.flatten(answer)), getattr(model, "output_names", None) or ()
    return [str(each) for each in known] if len(known) == count else [str(number) for number in range(count)]


def count_model_outputs(trace: TracedModelGraph, name: str) -> int:
    """The number of outputs per picture. UserError where they are not a row."""
    return classes_in_output_shape(trace.output.shape.as_list() if trace.output.shape.rank is not None else (), name)


def outputs_for_probe_images(trace: TracedModelGraph, name: str) -> NDArray[np.float64]:
    """(3, units): the raw outputs for noise, a grey and a gradient picture, together unless they are large. UserError where the model
    cannot be evaluated."""
    try:
        function, images = trace.function([trace.images], [trace.output]), probe_images(tuple(trace.image.shape[:2]))
        size = batch_of((images.shape[1], images.shape[2]), len(images))
        raw = np.concatenate([function(images[start : start + size])[0] for start in range(0, len(images), size)])
    except MemoryError as error:
        raise UserError(f"{name} needs more memory for three pictures than there is; take a smaller model.") from error
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{name} cannot answer three pictures at once; save it with an open batch size, (None, ...).") from error
    return raw.reshape(len(raw), -1).astype(np.float64)


def probe_images(size: tuple[int, int]) -> NDArray[np.float32]:
    """(3, H, W, 3) in 0..1: noise, plain grey, and a horizontal gradient."""
    height, width = size
    slope = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(0).random((height, width, 3), np.float32)
    return np.stack([noise, np.full((height, width, 3), 0.5, np.float32), np.full((height, width, 3), slope)])


def rows_sum_to_one(raw: NDArray[np.float64]) -> bool:
    """Whether every row (n, classes) holds probabilities of mutually exclusive classes."""
    return bool(raw.min() >= -1e-3 and np.allclose(raw.sum(axis=1), 1, atol=2e-3))


def first_convolution_slope(trace: TracedModelGraph) -> float | None:
    """The slope of the first convolution's input with respect to the model's input; None where there is no convolution.

    1 where the model does not scale its input; about 1/255 to 1/50 where it scales 0..255 itself.
    """
    convolution = next((op for op in operations_between(trace.prepared, trace.head.logits) if op.type in _CONVOLUTIONS), None)
    if convolution is None:
        return None
    fed = list({tensor.name: tensor for tensor in trace.prepared}.values())
    call = trace.function(fed, [convolution.inputs[0]])
    dark, light = (call(*(np.full((1, *x.shape[1:]), value, np.float32) for x in fed))[0].astype(np.float64) for value in (0, 1))
    return float(np.median(np.abs(light - dark)))


def non_finite_weights(trace: TracedModelGraph) -> Iterator[tuple[str, float]]:
    """Name of each weight with values that are not finite, and their share."""
    for reading, variable in trace.variables():
        if variable.dtype.is_floating and (share := _not_finite(variable.numpy())):
            yield f"{trace.layer_name(reading.op)}/{variable.name.split(':')[0].rpartition('/')[2]}", share
    for op in operations_before([trace.head.logits]):
        if op.type == "Const" and op.outputs[0].dtype.is_floating and (op.outputs[0].shape.num_elements() or 0) > 1:
            value = tf.get_static_value(op.outputs[0])
            if value is not None and (share := _not_finite(value)):
                yield op.name, share


def _not_finite(values: NDArray[Any]) -> float:
    return float((~np.isfinite(values.astype(np.float64))).mean()) if values.size else 0.0
