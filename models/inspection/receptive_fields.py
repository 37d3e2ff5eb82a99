"""The receptive field of each cell of a layer, from the window and stride of every operation of a traced graph.

With jump j, the distance on the image between neighbouring cells, a window of k cells, d apart, makes a field r into r + (k - 1) d j;
a stride of s makes j into s j.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from models.graph.layers import SpatialLayer, operations_between

Sides = tuple[float, float]

_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_POOLING = {"MaxPool", "AvgPool"}
_RESIZING = {"ResizeBilinear", "ResizeBicubic", "ResizeNearestNeighbor", "ResizeArea"}
_REDUCING = {"Mean", "Sum", "Max", "Min", "Prod"}
# fmt: off
_ELEMENTWISE = {
    "Abs", "Add", "AddN", "AddV2", "BiasAdd", "Cast", "CheckNumerics", "ClipByValue", "Cos", "DivNoNan", "Elu", "EnsureShape", "Erf",
    "Erfc", "Exp", "Expm1", "FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel", "Floor",
    "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Identity", "IdentityN", "LRN", "LeakyRelu", "Log", "Log1p",
    "LogSoftmax", "Maximum", "Minimum", "Mul", "MulNoNan", "Neg", "Pow", "PreventGradient", "RealDiv", "Reciprocal", "Relu", "Relu6",
    "Round", "Rsqrt", "Select", "SelectV2", "Selu", "Sigmoid", "Sign", "Sin", "Softmax", "Softplus", "Softsign", "Sqrt", "Square",
    "SquaredDifference", "StopGradient", "Sub", "Tanh",
}
# fmt: on
"""Operations on each cell by itself, or among its channels."""
_PADDING = {"Pad", "PadV2"}
_CONCATENATION = {"ConcatV2", "Split", "SplitV"}
_CELLWISE_WITH_CONSTANTS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"}


@dataclass(frozen=True)
class ReceptiveField:
    """What one cell sees, and the distance between neighbours, (height, width) in pixels. flat: cells in one row, as (n * h * w, k)."""

    size: Sides = (1.0, 1.0)
    jump: Sides = (1.0, 1.0)
    flat: bool = False

    def windowed(self, kernel: Iterable[int], stride: Iterable[int], dilation: Iterable[int] = (1, 1)) -> "ReceptiveField":
        """The field after an operation with this window."""
        parts = list(zip(self.size, self.jump, kernel, dilation, strict=True))
        size = tuple(r + (k - 1) * d * j for r, j, k, d in parts)
        jump = tuple(j * s for j, s in zip(self.jump, stride, strict=True))
        return ReceptiveField((size[0], size[1]), (jump[0], jump[1]))


def compute_receptive_fields(
    starts: Collection[tf.Tensor], logits: tf.Tensor, layers: Iterable[SpatialLayer]
) -> dict[str, tuple[int, int] | None]:
    """Name of each layer -> (height, width) in pixels of the tensors it starts from; None where a cell sees everything, or may."""
    known = operation_receptive_fields(starts, logits)
    found: dict[str, tuple[int, int] | None] = {}
    for layer in layers:
        field = known.get(layer.tensor.op)
        found[layer.name] = None if field is None else (math.ceil(field.size[0] - 1e-6), math.ceil(field.size[1] - 1e-6))
    return found


def operation_receptive_fields(starts: Collection[tf.Tensor], logits: tf.Tensor) -> dict[tf.Operation, ReceptiveField | None]:
    """Every operation between the picture and the logits -> its field; None where a cell sees the whole picture, or may."""
    known: dict[tf.Operation, ReceptiveField | None] = {start.op: ReceptiveField() for start in starts}
    for op in operations_between(starts, logits):
        if op.outputs and op.outputs[0].dtype.is_floating:
            known[op] = _field_after(op, known)
    return known


def _field_after(op: tf.Operation, known: Mapping[tf.Operation, ReceptiveField | None]) -> ReceptiveField | None:
    seeing = [tensor for tensor in op.inputs if tensor.op in known]
    before = [known[tensor.op] for tensor in seeing]
    if not before or any(each is None for each in before):
        return None
    joint = _union([each for each in before if each is not None])
    if op.type in _CONVOLUTIONS:
        return joint.windowed(op.inputs[1].shape[:2], _spatial(op, "strides"), _spatial(op, "dilations"))
    if op.type in _POOLING:
        return joint.windowed(_spatial(op, "ksize"), _spatial(op, "strides"))
    if op.type == "Conv2DBackpropInput":
        return _enlarged(joint, op.inputs[1].shape[:2], _spatial(op, "strides"))
    if op.type in _CALLS:
        return _function_call(op, joint)
    if op.type in _RESIZING:
        return _resized(op, joint)
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return _interleaved(op, joint)
    if op.type in ("SpaceToDepth", "DepthToSpace"):
        return _space_depth(op, joint)
    return _cellwise(op, joint, seeing)


def _union(fields: list[ReceptiveField]) -> ReceptiveField:
    """Sums and concatenations see what their parts see; the cells coincide."""
    size = tuple(max(each.size[side] for each in fields) for side in (0, 1))
    return replace(fields[0], size=(size[0], size[1]))


def _spatial(op: tf.Operation, name: str) -> tuple[int, int]:
    """An attribute with a number for each axis, as (height, width)."""
    values = op.get_attr(name)
    channels_first = op.get_attr("data_format") in (b"NCHW", "NCHW")
    return (values[2], values[3]) if channels_first else (values[1], values[2])


def _function_call(op: tf.Operation, field: ReceptiveField) -> ReceptiveField | None:
    """A grouped convolution is an XLA function of its own; nothing is known of other functions."""
    name = op.get_attr("f").name
    nodes = next((each.node_def for each in op.graph.as_graph_def().library.function if each.signature.name == name), ())
    convolutions = [node for node in nodes if node.op in _CONVOLUTIONS]
    handles = {id(variable.handle): variable.shape for variable in op.graph.variables}
    shapes = [
        handles[id(outside)]
        for outside, inside in op.graph.captures
        if any(inside is each for each in op.inputs) and id(outside) in handles
    ]
    if len(convolutions) != 1 or len(shapes) != 1 or {node.op for node in nodes} - {"ReadVariableOp", "Identity", "NoOp", *_CONVOLUTIONS}:
        return None
    attributes = convolutions[0].attr
    if attributes["data_format"].s == b"NCHW":
        return None
    strides, dilations = (tuple(attributes[name].list.i)[1:3] for name in ("strides", "dilations"))
    return field.windowed(shapes[0][:2], strides, dilations)


def _enlarged(field: ReceptiveField, kernel: Iterable[int], stride: tuple[int, int]) -> ReceptiveField:
    """A transposed convolution: each new cell sees as many old ones as the window spans at its stride."""
    spans = [math.ceil(k / s) for k, s in zip(kernel, stride, strict=True)]
    seen = field.windowed(spans, (1, 1))
    return replace(seen, jump=(field.jump[0] / stride[0], field.jump[1] / stride[1]))


def _resized(op: tf.Operation, field: ReceptiveField) -> ReceptiveField | None:
    before, after = op.inputs[0].shape[1:3].as_list(), op.outputs[0].shape[1:3].as_list()
    if None in before or None in after:
        return None
    spans = [1, 1] if op.type == "ResizeNearestNeighbor" else [4, 4] if op.type == "ResizeBicubic" else [2, 2]
    if op.type == "ResizeArea":
        spans = [math.ceil(b / a) + 1 for b, a in zip(before, after, strict=True)]
    spans = [1 if b == a or b == 1 else min(span, b) for span, b, a in zip(spans, before, after, strict=True)]
    seen = field.windowed(spans, (1, 1))
    return replace(seen, jump=(field.jump[0] * before[0] / after[0], field.jump[1] * before[1] / after[1]))


def _interleaved(op: tf.Operation, field: ReceptiveField) -> ReceptiveField | None:
    """How a dilated convolution is computed: cells some steps apart become images of their own, and are merged again afterwards."""
    block = tf.get_static_value(op.inputs[1])
    if block is None or len(block) != 2:
        return None
    times = [float(b) if op.type == "SpaceToBatchND" else 1 / float(b) for b in block]
    return replace(field, jump=(field.jump[0] * times[0], field.jump[1] * times[1]))


def _space_depth(op: tf.Operation, field: ReceptiveField) -> ReceptiveField:
    block = op.get_attr("block_size")
    if op.type == "SpaceToDepth":
        return field.windowed((block, block), (block, block))
    return replace(field, jump=(field.jump[0] / block, field.jump[1] / block))


def _cellwise(op: tf.Operation, field: ReceptiveField, seeing: list[tf.Tensor]) -> ReceptiveField | None:
    """Operations that touch each cell by itself keep the field; those that mix cells, or may, see everything."""
    before, after = seeing[0].shape, op.outputs[0].shape
    if op.type in _REDUCING and len(op.inputs) == 2:
        return field if _reduces_channels_only(op, field) else None
    if op.type == "Reshape":
        return _reshaped(before, _reshape_target(op), field)
    if op.type in _CELLWISE_WITH_CONSTANTS:
        return field if len(seeing) == 1 and seeing[0] is op.inputs[0] else None
    if op.type == "Transpose":
        order = tf.get_static_value(op.inputs[1])
        return field if order is not None and list(order) == list(range(len(order))) else None
    if op.type == "StridedSlice" and not field.flat:
        return _strided(op, field)
    if op.type in _CONCATENATION:
        return field if before.rank == after.rank == 4 and before[1:3] == after[1:3] else None
    if op.type in _ELEMENTWISE or (op.type in _PADDING and not field.flat):
        return field if field.flat or after.rank == 4 else None
    return None


def _strided(op: tf.Operation, field: ReceptiveField) -> ReceptiveField | None:
    """Every n-th cell, as `x[:, ::2, ::2]` takes them; None where the graph does not give n."""
    before, after = op.inputs[0].shape, op.outputs[0].shape
    if before.rank == after.rank == 4 and None not in before[1:3] and before[1:3] == after[1:3]:
        return field
    steps: Any = tf.get_static_value(op.inputs[3])
    if (
        steps is None
        or len(steps) < 3
        or before.rank != 4
        or after.rank != 4
        or op.get_attr("ellipsis_mask")
        or op.get_attr("new_axis_mask")
    ):
        return None
    return field.windowed((1, 1), (abs(int(steps[1])), abs(int(steps[2]))))


def _reduces_channels_only(op: tf.Operation, field: ReceptiveField) -> bool:
    """Whether only channels are reduced."""
    axes: Any = tf.get_static_value(op.inputs[1])
    rank = op.inputs[0].shape.rank
    if axes is None or rank is None:
        return False
    summed = {int(axis) % rank for axis in axes.ravel()}
    return not summed & (set(range(rank - 1)) if field.flat else {0, 1, 2})


def _reshape_target(op: tf.Operation) -> tf.TensorShape:
    """The shape that a reshape gives; where it is known only at run time, the next matrix gives the length of its rows."""
    shape, users = op.outputs[0].shape, op.outputs[0].consumers()
    if shape.rank == 2 and shape[1] is None and users and all(user.type == "MatMul" for user in users):
        return tf.TensorShape([None, users[0].inputs[1].shape[0]])
    return shape


def _reshaped(before: tf.TensorShape, after: tf.TensorShape, field: ReceptiveField) -> ReceptiveField | None:
    """Cells stay cells where the channels alone are divided, or where every cell becomes a row, and back."""
    if before.rank is None or after.rank is None or before[-1] is None:
        return None
    if field.flat:
        return replace(field, flat=False) if after.rank == 4 else field if after.rank <= 3 and after[-1] == before[-1] else None
    if after.rank >= 4 and before.rank >= 4:
        return field if after[1:3] == before[1:3] else None
    return replace(field, flat=True) if after.rank in (2, 3) and after[-1] == before[-1] else None
