"""Traces a model and asks it about a few pictures nobody took, to see what kind of numbers it gives and what it does to its input."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import Card
from models.cards.metadata import encode
from models.graph.inputs import inputs_of
from models.graph.keras_hints import innermost_layers
from models.graph.layers import operations_before, operations_between
from models.graph.trace import Trace
from models.sandbox.checks.display import reason

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def traced(model: Any, card: Card, name: str) -> Trace:
    """The model called once on what the card makes of pictures. UserError where it does not answer with numbers for classes."""
    inputs = inputs_of(model, name)
    inputs.check_metadata(card, name)
    leaves = innermost_layers(model)
    beside = encode(card.metadata, {}) if card.metadata else None
    try:
        made = Trace(
            lambda images: inputs.prepared(images, card),
            lambda prepared, vector: _single_output(model(inputs.packed(prepared, vector), training=False), name),
            card.size,
            leaves,
            beside,
        )
    except (UserError, MemoryError):
        raise
    except Exception as error:  # a model's own code raises whatever it likes
        why = f"{card.size[0]} x {card.size[1]} pixels ({type(error).__name__}: {reason(error, 160)})"
        raise UserError(
            f"{name} cannot be called on pictures of {why}; give it a card with the 'size' that it was trained with."
        ) from error
    made.inputs = tuple((each.name, each.shape) for each in inputs.order)
    return made


def _single_output(answer: object, name: str) -> tf.Tensor:
    outputs = tf.nest.flatten(answer)
    if len(outputs) != 1:
        raise UserError(f"{name} gives {len(outputs)} outputs; a classifier here gives one, a number for each class.")
    return outputs[0]


def units(trace: Trace, name: str) -> int:
    """How many numbers the model gives for a picture. UserError where they are no list."""
    shape = trace.output.shape
    if shape.rank != 2 or shape[1] is None:
        raise UserError(f"{name} gives output of shape {tuple(shape)}; a classifier gives one number a class, (None, classes).")
    return int(shape[1])


def answers(trace: Trace, name: str) -> NDArray[np.float64]:
    """(3, units): what the model gives for noise, a grey and a soft picture, whatever that means. UserError where it cannot answer."""
    try:
        (raw,) = trace.function([trace.images], [trace.output])(probes(tuple(trace.image.shape[:2])))
    except MemoryError as error:
        raise UserError(f"{name} needs more memory for three pictures than there is; take a smaller model.") from error
    except tf.errors.InvalidArgumentError as error:
        raise UserError(f"{name} cannot answer three pictures at once; save it with an open batch size, (None, ...).") from error
    return raw.reshape(len(raw), -1).astype(np.float64)


def probes(size: tuple[int, int]) -> NDArray[np.float32]:
    """(3, H, W, 3) in 0..1: noise, a grey and a soft picture."""
    height, width = size
    slope = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    noise = np.random.default_rng(0).random((height, width, 3), np.float32)
    return np.stack([noise, np.full((height, width, 3), 0.5, np.float32), np.full((height, width, 3), slope)])


def sums_to_one(raw: NDArray[np.float64]) -> bool:
    """Whether every row (n, classes) holds probabilities of classes that exclude each other."""
    return bool(raw.min() >= -1e-3 and np.allclose(raw.sum(axis=1), 1, atol=2e-3))


def inner_slope(trace: Trace) -> float | None:
    """By how much what enters the first convolution grows when the whole input grows by 1; None where no convolution is met.

    1 where the model takes its input as it is; about 1/255 to 1/50 where it scales 0..255 by itself.
    """
    convolution = next((op for op in operations_between(trace.prepared, trace.head.logits) if op.type in _CONVOLUTIONS), None)
    if convolution is None:
        return None
    fed = list({tensor.name: tensor for tensor in trace.prepared}.values())
    ask = trace.function(fed, [convolution.inputs[0]])
    dark, light = (ask(*(np.full((1, *x.shape[1:]), value, np.float32) for x in fed))[0].astype(np.float64) for value in (0, 1))
    return float(np.median(np.abs(light - dark)))


def broken(trace: Trace) -> Iterator[tuple[str, float]]:
    """Each of the model's weights that holds numbers which are not finite, and their share."""
    for reading, variable in trace.variables():
        if variable.dtype.is_floating and (share := _not_finite(variable.numpy())):
            yield reading.op.name.rpartition("/")[0] or variable.name, share
    for op in operations_before([trace.head.logits]):
        if op.type == "Const" and op.outputs[0].dtype.is_floating and (op.outputs[0].shape.num_elements() or 0) > 1:
            value = tf.get_static_value(op.outputs[0])
            if value is not None and (share := _not_finite(value)):
                yield op.name, share


def _not_finite(values: NDArray[Any]) -> float:
    return float((~np.isfinite(values.astype(np.float64))).mean()) if values.size else 0.0
