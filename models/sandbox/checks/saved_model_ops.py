"""Checks the operations of a TensorFlow SavedModel before it is loaded: some of them read, list and write files.

Only operations that compute are allowed. Those that save and restore variables are allowed where the saver alone reaches them.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from errors import UserError
from models.sandbox.checks.safe_text import printable_text

_TEXT = Path(__file__).parent / "saved_model_ops.txt"
_SAVING = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename", "StringJoin"})
_LARGEST = 1_900_000_000


def check_saved_model_operations(folder: Path) -> None:
    """Checks the SavedModel in `folder`. UserError names a forbidden operation. Nothing is loaded; TensorFlow is imported."""
    file = folder / "saved_model.pb"
    if file.stat().st_size > _LARGEST:
        raise UserError(f"{folder.name} has a graph of {file.stat().st_size / 1e9:.1f} GB; take a smaller model.")
    if any((folder / "assets").glob("*")) or any((folder / "assets.extra").glob("*")):
        raise UserError(f"{folder.name} brings files of its own in 'assets', which an image classifier needs not; export it without them.")
    check_graph_operations(file.read_bytes(), folder.name)


def check_graph_operations(content: bytes, name: str) -> None:
    """As `check_saved_model_operations`, for the content of saved_model.pb. name: the model's, for messages."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's own, from a package that only TensorFlow depends on
        raise UserError(f"{name} holds a damaged saved_model.pb; export or download it again.") from error
    allowed = frozenset(_TEXT.read_text(encoding="utf-8").split())
    for graph in model.meta_graphs:
        _check_graph(graph, allowed, name)


def _check_graph(graph: Any, allowed: frozenset[str], name: str) -> None:
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {each.signature.name: each.node_def for each in graph.graph_def.library.function}
    saver = graph.saver_def
    saving = _ancestors(nodes, (saver.save_tensor_name, saver.restore_op_name, saver.filename_tensor_name))
    answering = _ancestors(nodes, _requested_tensors(graph))
    helpers = _called_functions((nodes[each] for each in saving - answering), functions)
    used = _called_functions((node for each, node in nodes.items() if each not in saving - answering), functions)
    used |= _called_functions((), functions, graph.object_graph_def.concrete_functions)
    for each in nodes:
        _check([nodes[each]], allowed | (_SAVING if each in saving - answering else frozenset()), name)
    for called, body in functions.items():
        _check(body, allowed | (_SAVING if called in helpers - used else frozenset()), name)


def _check(body: Iterable[Any], allowed: frozenset[str], name: str) -> None:
    for node in body:
        if node.op not in allowed:
            raise UserError(
                f"{name} uses TensorFlow's operation '{printable_text(node.op)}', which no classifier needs (it may reach files); "
                "export it without."
            )


def _requested_tensors(graph: Any) -> list[str]:
    """The tensors that signatures and initialisers fetch."""
    tensors = [tensor.name for each in graph.signature_def.values() for tensor in each.outputs.values()]
    return tensors + [value for each in graph.collection_def.values() for value in each.node_list.value]


def _ancestors(nodes: dict[str, Any], ends: Iterable[str]) -> set[str]:
    """The names of the nodes that the tensors `ends` depend on, including their own."""
    found: set[str] = set()
    waiting = [_node(end) for end in ends]
    while waiting:
        each = waiting.pop()
        if each in nodes and each not in found:
            found.add(each)
            waiting += [_node(tensor) for tensor in nodes[each].input]
    return found


def _node(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _called_functions(body: Iterable[Any], functions: dict[str, Any], also: Iterable[str] = ()) -> set[str]:
    """The names of the functions that these nodes call, directly or not."""
    found: set[str] = set()
    waiting = [*also, *(name for node in body for name in _function_names(node))]
    while waiting:
        each = waiting.pop()
        if each in functions and each not in found:
            found.add(each)
            waiting += [name for node in functions[each] for name in _function_names(node)]
    return found


def _function_names(node: Any) -> list[str]:
    values = node.attr.values()
    return [node.op, *(value.func.name for value in values), *(each.name for value in values for each in value.list.func)]
