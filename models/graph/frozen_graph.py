"""Opens a TensorFlow SavedModel as a graph of constants, in which every tensor can be read and differentiated as in a Keras model's."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from errors import UserError
from models.graph.layer_names import LayerNamesByScope, layer_scopes
from models.graph.network_input import NetworkInput, NonKerasNetwork
from models.graph.picture_input_cut import PictureInputCut, find_picture_input_cut, prune_graph_def
from models.sandbox.checks.safe_text import error_reason, printable_text
from models.sandbox.checks.saved_model_ops import check_graph_operations

LARGEST = 1_900_000_000  # bytes: a graph with its constants has to stay below 2 GB
_USUAL = ("serving_default", "serve")
_CALLS = re.compile(r"((Stateful)?PartitionedCall(_\d+)?/)+")


class FrozenGraph(NonKerasNetwork):
    """A SavedModel's signature, called like a Keras model. Its weights are constants, so they cannot be re-initialised."""

    def __init__(self, name: str, frozen: Any, outputs: Sequence[str], weights: Mapping[str, str]) -> None:
        """frozen: a concrete function without variables. outputs: their names. weights: a constant's name -> its layer."""
        cuts = [None if x.dtype.is_floating else find_picture_input_cut(x, frozen.outputs, name) for x in frozen.inputs]
        taken = [tensor if cut is None else cut.tensor for tensor, cut in zip(frozen.inputs, cuts, strict=True)]
        graph = frozen.graph.as_graph_def()
        if any(cuts):
            prune_graph_def(graph, [tensor.op.name for tensor in frozen.outputs], [tensor.op.name for tensor in taken])
        reads = _reads(graph, weights)
        self._graph, names = _simplify(graph)
        self.layer_names = LayerNamesByScope(layer_scopes({names[node]: layer for node, layer in reads.items()}))
        leaves = {*weights.values(), *_without_weights(names.values(), set(weights.values()))}
        ports = [_port(tensor, x.op.name, cut) for tensor, x, cut in zip(taken, frozen.inputs, cuts, strict=True)]
        super().__init__(name, ports, frozenset(leaves))
        self.notes = tuple(cut.note for cut in cuts if cut is not None)
        self._taken = [_rename(tensor.name, names) for tensor in taken]
        self.output_names = tuple(outputs)
        self._given = [_rename(tensor.name, names) for tensor in frozen.outputs]

    def __call__(self, given: Any, training: bool = False) -> list[tf.Tensor]:
        """The outputs for these inputs, added to the graph that is being traced."""
        tensors = [tf.cast(each, port.dtype) for each, port in zip(tf.nest.flatten(given), self.inputs, strict=True)]
        fed = dict(zip(self._taken, tensors, strict=True))
        outputs: list[tf.Tensor] = tf.graph_util.import_graph_def(self._graph, input_map=fed, return_elements=self._given, name="")
        return outputs


def load_saved_model(folder: str, name: str) -> FrozenGraph:
    """folder: a TensorFlow path, on disk or in memory. name: for messages. UserError says why it cannot be opened.

    Its operations are checked first: those that access files are refused before anything is loaded.
    """
    with tf.io.gfile.GFile(f"{folder}/saved_model.pb", "rb") as file:
        check_graph_operations(file.read(), name)
    try:
        loaded = tf.saved_model.load(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, tf.errors.OpError) as error:
        why = error_reason(error, 400).replace(folder, name)
        raise UserError(f"{name} could not be opened as a SavedModel, is its folder whole? {why[:200]}") from error
    signature = _signature(loaded.signatures, name)
    size = sum(variable.shape.num_elements() * variable.dtype.size for variable in signature.variables)
    if size > LARGEST:
        raise UserError(f"{name} has {size / 1e9:.1f} GB of weights; a SavedModel may have {LARGEST / 1e9:.1f} GB. Give its .keras file.")
    return _freeze(name, signature)


def _freeze(name: str, signature: Any) -> FrozenGraph:
    frozen = convert_variables_to_constants_v2(signature)
    names = sorted(signature.structured_outputs)
    count = len(frozen.outputs)
    return FrozenGraph(name, frozen, names if len(names) == count else list(map(str, range(count))), _weights(signature))


def _weights(signature: Any) -> dict[str, str]:
    """The name by which the graph takes a variable, which its constant inherits -> the layer that the variable belongs to."""
    by_handle = {id(variable.handle): variable for variable in signature.variables}
    paths = {inside.op.name: by_handle[id(outside)].name for outside, inside in signature.graph.captures if id(outside) in by_handle}
    return {constant: parts[-2] for constant, path in paths.items() if len(parts := path.split(":")[0].split("/")) > 1}


def _reads(graph: Any, weights: Mapping[str, str]) -> dict[str, str]:
    """Each node that passes a constant of `weights` on to what computes with it -> the constant's layer."""
    found = dict(weights)
    for node in graph.node:
        taken = next((found[each.split(":")[0]] for each in node.input if each.split(":")[0] in found), None)
        if taken is not None and node.op == "Identity":
            found[node.name] = taken
    return found


def _signature(signatures: Any, name: str) -> Any:
    """The usual one; but one that takes pictures as numbers comes before one that takes encoded files. UserError where it is unclear."""
    usual = [each for each in _USUAL if each in signatures]
    if not signatures:
        raise UserError(f"{name} has no signature, so nothing says what it takes; save it by model.export, or with signatures=....")
    numbers = [each for each in [*usual, *signatures] if not any(x.dtype == tf.string for x in signatures[each].inputs)]
    found = list(dict.fromkeys(numbers)) or usual or list(signatures)
    if found[0] not in _USUAL and len(found) > 1:
        listed = printable_text(", ".join(found), 120)
        raise UserError(f"{name} has {len(found)} signatures ({listed}); name the one to ask '{_USUAL[0]}'.")
    return signatures[found[0]]


def _port(tensor: tf.Tensor, name: str, cut: PictureInputCut | None) -> NetworkInput:
    shape = tuple(tensor.shape) if tensor.shape.rank else ()
    return NetworkInput(name, shape, tensor.dtype.name, of_bytes=cut is not None and cut.of_bytes)


def _without_weights(names: Iterable[str], layers: Collection[str]) -> Iterable[str]:
    """Names of the layers without weights: the innermost scope of every operation outside all layers with weights."""
    for name in names:
        parts = name.split("/")[:-1]
        stems = [re.sub(r"_\d+$", "", part) for part in parts]
        if len(parts) > 1 and not {*parts, *stems} & set(layers):
            yield stems[-1]


def _simplify(graph: Any) -> tuple[Any, dict[str, str]]:
    """The graph and its nodes' new names: without the scopes of wrapping calls, and with the operations' default gradients."""
    names: dict[str, str] = {}
    taken = {node.name for node in graph.node}
    for node in graph.node:
        short = _CALLS.sub("", node.name)
        names[node.name] = node.name if short in taken else short
        taken.add(names[node.name])
    for node in graph.node:
        node.name = names[node.name]
        node.input[:] = [_rename(tensor, names) for tensor in list(node.input)]
        for attribute in {"_gradient_op_type", "_class"} & set(node.attr):
            del node.attr[attribute]
    return graph, names


def _rename(tensor: str, names: dict[str, str]) -> str:
    """`^a/b`, `a/b:1` -> the same with the node's new name."""
    sign, plain = ("^", tensor[1:]) if tensor.startswith("^") else ("", tensor)
    node, colon, number = plain.partition(":")
    return sign + names[node] + colon + number
