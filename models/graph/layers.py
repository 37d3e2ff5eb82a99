"""Reads a traced graph: finds the logits, the spatial layers, and the operations between them and the picture.

Nothing is rebuilt or patched. The graph traced from a model's call holds every intermediate tensor,
however the model was built, and any of them can be fetched, fed or differentiated.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from models.graph.grid_layer import GridLayer
from models.graph.layer_names import NameOf
from models.graph.vit_patches import TokenGrid, find_patch_layers

_PASS_THROUGH = {"Identity", "IdentityN", "Cast", "StopGradient", "EnsureShape", "Reshape", "Squeeze", "ExpandDims"}
_HEADS = {"Softmax": "softmax", "LogSoftmax": "softmax", "Sigmoid": "sigmoid"}
_POOLING = {"MaxPool", "MaxPoolV2", "AvgPool"}
_BEGINS_A_GRID = {"Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"}
_LOSES_THE_GRID = {"Reshape", "Transpose", "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "GatherV2", "StridedSlice"}


@dataclass(frozen=True)
class SpatialLayer(GridLayer):
    """A layer with its tensor in the traced graph: (n, h, w, k), or (n, tokens, k) of which those from `first` on are the grid's cells."""

    tensor: tf.Tensor
    first: int | None = None

    def on_grid(self, values: NDArray[Any]) -> NDArray[Any]:
        """One picture's values, of the tensor's shape, as (h, w, k)."""
        height, width = self.grid
        return values if self.first is None else values[self.first : self.first + height * width].reshape(height, width, -1)


@dataclass(frozen=True)
class ClassificationHead:
    """The tensor before the model's final activation, and what that activation is; `activation` is "" where there is none."""

    logits: tf.Tensor
    activation: str


def find_classification_head(output: tf.Tensor) -> ClassificationHead:
    """Follows the output back through operations that change no values; the input of a softmax or a sigmoid is the logit."""
    tensor = output
    while tensor.op.type in _PASS_THROUGH:
        tensor = tensor.op.inputs[tensor.value_index if tensor.op.type == "IdentityN" else 0]
    if tensor.op.type in _HEADS and _numbers(tensor) == _numbers(output):
        return ClassificationHead(tensor.op.inputs[0], _HEADS[tensor.op.type])
    return ClassificationHead(output, "")


def _numbers(tensor: tf.Tensor) -> int | None:
    """The number of values per picture; None where it is unknown."""
    count: int | None = tensor.shape[1:].num_elements()
    return count


def operations_before(ends: Iterable[tf.Tensor]) -> set[tf.Operation]:
    """Every operation that one of the tensors depends on, including its own."""
    before: set[tf.Operation] = set()
    waiting = [end.op for end in ends]
    while waiting:
        op = waiting.pop()
        if op not in before:
            before.add(op)
            waiting.extend(tensor.op for tensor in op.inputs)
    return before


def operations_between(starts: Collection[tf.Tensor], end: tf.Tensor) -> list[tf.Operation]:
    """The operations through which `end` depends on one of the `starts`, in tracing order."""
    behind = operations_before([end])
    found = {start.op for start in starts}
    between = []
    for op in end.graph.get_operations():
        if op in behind and op not in found and any(tensor.op in found for tensor in op.inputs):
            found.add(op)
            between.append(op)
    return between


def find_spatial_layers(images: Collection[tf.Tensor], logits: tf.Tensor, name_of: NameOf) -> tuple[SpatialLayer, ...]:
    """Every layer whose output for a picture is a grid of more than one cell, from the picture to the logits.

    name_of: which layer an operation belongs to; of the tensors that one call of a layer computes, only its last counts.
    """
    between = operations_between(images, logits)
    last: dict[Hashable, tuple[str, tf.Tensor]] = {}
    grids: set[tf.Operation] = set()
    for op in between:
        if _keeps_grid(op, grids):
            grids.add(op)
    patches = find_patch_layers(between, grids, logits)
    for op in between:
        if (op in patches or (op in grids and _has_cells(op.outputs[0]))) and (layer := name_of(op)):
            last.pop(layer.key, None)
            last[layer.key] = layer.name, op.outputs[0]
    layers: dict[str, tf.Tensor] = dict(last.values())
    return _in_branches(layers, between, patches)


def pictures_of_layers(layers: Sequence[SpatialLayer], pictures: Sequence[tf.Tensor], logits: tf.Tensor) -> tuple[SpatialLayer, ...]:
    """The layers, each with the picture inputs that it depends on."""
    behind = [set(operations_between([picture], logits)) for picture in pictures]
    return tuple(replace(layer, pictures=tuple(number for number, ops in enumerate(behind) if layer.tensor.op in ops)) for layer in layers)


def _keeps_grid(op: tf.Operation, grids: Collection[tf.Operation]) -> bool:
    """Whether the output is a feature map: started by a convolution, continued by cell-wise operations and pooling.

    Attention scores (n, heads, tokens, tokens) have four axes too, but are not spatial; rescaled pixels are spatial, but are not features.
    """
    if not op.outputs or not op.outputs[0].dtype.is_floating or op.outputs[0].shape.rank != 4:
        return False
    return op.type in _BEGINS_A_GRID or (op.type not in _LOSES_THE_GRID and any(tensor.op in grids for tensor in op.inputs))


def _has_cells(tensor: tf.Tensor) -> bool:
    height, width, channels = tensor.shape.as_list()[1:]
    return None not in (height, width, channels) and height * width > 1


def _in_branches(
    layers: dict[str, tf.Tensor], between: Iterable[tf.Operation], patches: Mapping[tf.Operation, TokenGrid]
) -> tuple[SpatialLayer, ...]:
    """A branch ends in a layer that no other follows. A trailing pooling layer does not count: its input is finer."""
    ends_below: dict[tf.Operation, frozenset[int]] = {}
    names = {tensor.op: name for name, tensor in layers.items()}
    ends: list[str] = []
    for op in reversed(list(between)):
        below = frozenset().union(*(ends_below.get(user, frozenset()) for tensor in op.outputs for user in tensor.consumers()))
        if op in names and not below and op.type not in _POOLING:
            below = frozenset({len(ends)})
            ends.append(names[op])
        ends_below[op] = below
    order = {end: len(ends) - 1 - place for place, end in enumerate(ends)}
    made = []
    for name, tensor in layers.items():
        leads_to = ends_below[tensor.op]
        branch = order[ends[max(leads_to)]] if leads_to else 0
        channels, found = tensor.shape[-1], patches.get(tensor.op)
        grid, first = (found.grid, found.first) if found else (tuple(tensor.shape[1:3]), None)
        made.append(SpatialLayer(name, grid, channels, branch, name in ends, tensor, first, patches=found is not None))
    return tuple(made)
