"""Re-initialises a model's weights, from the head backwards, to test whether an explanation depends on them.

Adebayo et al. 2018, arXiv:1810.03292. The trained variables are unchanged: the tensors that read them are fed instead.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from errors import UserError
from models.graph.layers import SpatialLayer, operations_before
from models.graph.model_trace import TracedModelGraph

_ONES = ("gamma", "moving_variance", "variance", "scale")
_ZEROS = ("bias", "beta", "moving_mean", "mean")


def reinitialise_weights(trace: TracedModelGraph, depth: str, seed: int) -> dict[str, NDArray[np.float32]]:
    """Name of a tensor that reads a variable -> its new value. depth: "head", "last block" (with the head) or "everything"."""
    readings = trace.variables()
    if not readings:
        raise UserError("This model's weights are constants in its graph, so they cannot be re-initialised; load it from its Keras file.")
    if not trace.layers and depth != "everything":
        raise UserError(f"The model has no spatial layer, so it is not known where its {depth} begins; re-initialise everything.")
    kept = _BEFORE[depth](trace)
    rng = np.random.default_rng(seed)
    return {tensor.name: _draw(variable, rng) for tensor, variable in readings if tensor.op not in kept}


def _draw(variable: tf.Variable, rng: np.random.Generator) -> NDArray[np.float32]:
    """Kernels by He et al. 2015 (normal, variance 2 / fan-in); scales 1, offsets 0, as Keras initialises them."""
    name, shape = variable.name.split(":")[0].split("/")[-1], tuple(variable.shape)
    kind = np.dtype(variable.dtype.as_numpy_dtype)
    if name.endswith(_ONES):
        return np.ones(shape, kind)
    if name.endswith(_ZEROS) or len(shape) < 2:
        return np.zeros(shape, kind)
    fan_in = np.prod(shape[:-2]) if "depthwise" in name else np.prod(shape[:-1])
    kernel: NDArray[np.float32] = (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(kind)
    return kernel


def _before_head(trace: TracedModelGraph) -> set[tf.Operation]:
    return operations_before([layer.tensor for layer in trace.layers if layer.last])


def _before_last_block(trace: TracedModelGraph) -> set[tf.Operation]:
    """In each branch the last block begins after the last layer with a finer grid, or half way where the grid never changes."""
    starts = []
    for end in (layer for layer in trace.layers if layer.last):
        before = [layer for layer in trace.layers if layer.branch == end.branch]
        finer = [layer for layer in before if _cells(layer) > _cells(end)]
        starts.append(finer[-1] if finer else before[(len(before) - 1) // 2])
    return operations_before([layer.tensor for layer in starts])


def _cells(layer: SpatialLayer) -> int:
    return layer.grid[0] * layer.grid[1]


_BEFORE: dict[str, Callable[[TracedModelGraph], set[tf.Operation]]] = {
    "head": _before_head,
    "last block": _before_last_block,
    "everything": lambda _: set(),
}
"""Depth -> the operations whose weights are kept."""
