"""Finds out what a model itself does to a picture before its first convolution, by showing it plain colours."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.graph.layers import operations_between
from models.graph.trace import Trace
from models.inspection.structure import InputTransform

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "PartitionedCall", "StatefulPartitionedCall")
_CLOSE = 1e-3


def input_transforms(trace: Trace) -> tuple[InputTransform, ...]:
    """One for each different way to a first convolution; where colours are mixed or bent, or none is met, nothing is said of it."""
    fed = list({tensor.name: tensor for tensor in trace.prepared}.values())
    ends = [tensor for tensor in _first_fed(trace) if tensor.shape.rank == 4 and tensor.shape[-1] in (1, 3)]
    if not ends:
        return ()
    ask = trace.question(fed, ends)

    def shown(*colour: float) -> list[NDArray[np.float64]]:
        pictures = [np.broadcast_to(np.asarray(colour[: x.shape[-1]], np.float32), (1, *x.shape[1:])).copy() for x in fed]
        return [_middle(answer) for answer in ask(*pictures)]

    black, white, bright = shown(0, 0, 0), shown(1, 1, 1), shown(255, 255, 255)
    primaries = [shown(*row) for row in np.eye(3)]
    found = []
    for number in range(len(ends)):
        single = [primary[number] - black[number] for primary in primaries[: ends[number].shape[-1]]]
        inner = _inner(black[number], white[number], bright[number], np.stack(single))
        found += [] if inner is None or inner in found else [inner]
    return tuple(found)


def _first_fed(trace: Trace) -> Iterator[tf.Tensor]:
    """What enters each convolution before which none lies."""
    behind: set[tf.Operation] = set()
    for op in operations_between(trace.prepared, trace.head.logits):
        after = any(tensor.op in behind for tensor in op.inputs)
        if after or op.type in _CONVOLUTIONS:
            behind.add(op)
        if not after and op.type in _CONVOLUTIONS:
            yield next((tensor for tensor in op.inputs if tensor.shape.rank == 4 and tensor.shape[0] is None), op.inputs[0])


def _middle(answer: NDArray[np.float32]) -> NDArray[np.float64]:
    """(1, h, w, k) -> (k,): the edges may be padding."""
    return np.asarray(answer[0, answer.shape[1] // 2, answer.shape[2] // 2], np.float64)


def _inner(
    black: NDArray[np.float64], white: NDArray[np.float64], bright: NDArray[np.float64], single: NDArray[np.float64]
) -> InputTransform | None:
    """single: (colours in, colours out), how much each answer grows with each colour."""
    grown = white - black
    if not np.isfinite(bright).all() or not np.allclose(bright - black, 255 * grown, rtol=_CLOSE, atol=255 * _CLOSE * np.abs(grown).max()):
        return None
    if not grown.any():
        return None
    backwards = len(grown) > 1 and bool(np.abs(single[0, -1]) > np.abs(single[0, 0]))
    straight = single[:, ::-1] if backwards else single
    if not np.allclose(straight, np.diag(np.diag(straight)), atol=_CLOSE * np.abs(grown).max()):
        return None
    rounded = [tuple(float(f"{value:.6g}") for value in values) for values in (np.diag(straight), black[::-1] if backwards else black)]
    return InputTransform(rounded[0], rounded[1], backwards)
