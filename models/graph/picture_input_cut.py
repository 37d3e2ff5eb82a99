"""Where a picture goes into a graph that takes whole numbers or encoded files: the first tensor of real numbers that nothing bypasses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from errors import UserError

_ARITHMETIC = {"Mul", "RealDiv", "Div", "Sub", "AddV2", "Add"}


@dataclass(frozen=True)
class PictureInputCut:
    """tensor: (n, H, W, channels) of real numbers, fed instead of the input. of_bytes: whether its numbers are known to be 0..255."""

    tensor: tf.Tensor
    of_bytes: bool
    note: str


def find_picture_input_cut(given: tf.Tensor, outputs: Sequence[tf.Tensor], name: str) -> PictureInputCut:
    """The first tensor behind `given` that is a batch of pictures in real numbers and that all of `outputs` depend on it through.

    UserError where there is none, so that no gradient could be had.
    """
    behind = _behind(given)
    for op in given.graph.get_operations():
        for tensor in op.outputs if op in behind else ():
            if _is_pictures(tensor) and given.op not in _before(outputs, tensor.op):
                changed = _is_rescaled(_before([tensor], None) & behind)
                decoded = given.dtype == tf.string
                taken = f"encoded pictures ('{given.op.name}')" if decoded else f"pictures of whole numbers ({given.dtype.name})"
                return PictureInputCut(tensor, not changed, f"It takes {taken}; here pictures go in where they have become real numbers.")
    kind = "encoded pictures" if given.dtype == tf.string else given.dtype.name
    raise UserError(
        f"{name} takes {kind} ('{given.op.name}') and nowhere makes real numbers of a whole picture, so no gradient reaches it; "
        "export it with a float32 input."
    )


def prune_graph_def(graph: Any, outputs: Iterable[str], cuts: Iterable[str]) -> None:
    """Removes from a GraphDef, in place, all that the outputs do not need once the nodes `cuts` are fed; those become placeholders."""
    nodes, fed = {node.name: node for node in graph.node}, set(cuts)
    needed, waiting = set[str](), [*outputs]
    while waiting:
        name = waiting.pop()
        if name not in needed and name in nodes:
            needed.add(name)
            waiting += [] if name in fed else [_node(each) for each in nodes[name].input]
    kept = []
    for node in graph.node:
        if node.name not in needed:
            continue
        made = type(node)()
        if node.name in fed:
            made.name, made.op = node.name, "Placeholder"
            made.attr["dtype"].type = tf.float32.as_datatype_enum
        else:
            made.CopyFrom(node)
        kept.append(made)
    del graph.node[:]
    graph.node.extend(kept)


def _node(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _is_pictures(tensor: tf.Tensor) -> bool:
    shape = tensor.shape
    return tensor.dtype == tf.float32 and tensor.value_index == 0 and shape.rank == 4 and shape[3] in (1, 3) and shape[0] is None


def _behind(tensor: tf.Tensor) -> set[tf.Operation]:
    found, waiting = {tensor.op}, [tensor.op]
    while waiting:
        for output in waiting.pop().outputs:
            new = [op for op in output.consumers() if op not in found]
            found.update(new)
            waiting += new
    return found


def _before(tensors: Iterable[tf.Tensor], stop: tf.Operation | None) -> set[tf.Operation]:
    found, waiting = set[tf.Operation](), [tensor.op for tensor in tensors]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [] if op is stop else [tensor.op for tensor in op.inputs]
    return found


def _is_rescaled(between: set[tf.Operation]) -> bool:
    return any(op.type in _ARITHMETIC and op.outputs[0].dtype.is_floating for op in between)
