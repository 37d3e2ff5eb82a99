"""Determines what a model itself does to pixels before its first convolution, by feeding it plain colours."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.graph.layers import operations_between
from models.graph.model_trace import TracedModelGraph
from models.inspection.model_structure import InputTransform

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative", "PartitionedCall", "StatefulPartitionedCall")
_TOLERANCE = 1e-3


def measure_input_transforms(trace: TracedModelGraph) -> tuple[InputTransform, ...]:
    """One for each distinct path to a first convolution; none for paths that mix colours or are not affine."""
    inputs = list({tensor.name: tensor for tensor in trace.prepared}.values())
    ends = [tensor for tensor in _convolution_inputs(trace) if tensor.shape.rank == 4 and tensor.shape[-1] in (1, 3)]
    if not ends:
        return ()
    ask = trace.function(inputs, ends)

    def respond(*colour: float) -> list[NDArray[np.float64]]:
        pictures = [np.broadcast_to(np.asarray(colour[: x.shape[-1]], np.float32), (1, *x.shape[1:])).copy() for x in inputs]
        return [_centre_cell(answer) for answer in ask(*pictures)]

    black, white, bright = respond(0, 0, 0), respond(1, 1, 1), respond(255, 255, 255)
    primaries = [respond(*row) for row in np.eye(3)]
    transforms = []
    for number in range(len(ends)):
        responses = [primary[number] - black[number] for primary in primaries[: ends[number].shape[-1]]]
        transform = _transform(black[number], white[number], bright[number], np.stack(responses))
        transforms += [] if transform is None or transform in transforms else [transform]
    return tuple(transforms)


def _convolution_inputs(trace: TracedModelGraph) -> Iterator[tf.Tensor]:
    """The input of each convolution that no other convolution precedes."""
    behind: set[tf.Operation] = set()
    for op in operations_between(trace.prepared, trace.head.logits):
        after = any(tensor.op in behind for tensor in op.inputs)
        if after or op.type in _CONVOLUTIONS:
            behind.add(op)
        if not after and op.type in _CONVOLUTIONS:
            yield next((tensor for tensor in op.inputs if tensor.shape.rank == 4 and tensor.shape[0] is None), op.inputs[0])


def _centre_cell(answer: NDArray[np.float32]) -> NDArray[np.float64]:
    """(1, h, w, k) -> (k,): away from the edges, which may be padding."""
    return np.asarray(answer[0, answer.shape[1] // 2, answer.shape[2] // 2], np.float64)


def _transform(
    black: NDArray[np.float64], white: NDArray[np.float64], bright: NDArray[np.float64], responses: NDArray[np.float64]
) -> InputTransform | None:
    """responses: (colours in, colours out), by how much each output grows with each input colour."""
    growth = white - black
    if not np.isfinite(bright).all() or not np.allclose(
        bright - black, 255 * growth, rtol=_TOLERANCE, atol=255 * _TOLERANCE * np.abs(growth).max()
    ):
        return None
    if not growth.any():
        return None
    reversed_channels = len(growth) > 1 and bool(np.abs(responses[0, -1]) > np.abs(responses[0, 0]))
    in_order = responses[:, ::-1] if reversed_channels else responses
    if not np.allclose(in_order, np.diag(np.diag(in_order)), atol=_TOLERANCE * np.abs(growth).max()):
        return None
    rounded = [
        tuple(float(f"{value:.6g}") for value in values) for values in (np.diag(in_order), black[::-1] if reversed_channels else black)
    ]
    return InputTransform(rounded[0], rounded[1], reversed_channels)
