"""The names of layers: which of a traced graph's operations belong to which layer, by the names that Keras itself gives them.

Of a Keras model, every call of a layer is recorded while the model is traced, so that names are exact however layers are nested, shared or
repeated. A graph of TensorFlow alone has only its scopes, to which the variables that are read there give their layers' names.
"""

import functools
import re
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import tensorflow as tf

_ONE_RECORDING = threading.Lock()  # what is recorded is a class's method, which all threads share


@dataclass(frozen=True)
class LayerOfOperation:
    """key: one call of one layer, whose last tensor is its output. name: the layer's path by Keras' names, such as backbone/conv2d_1."""

    key: Hashable
    name: str


NameOf = Callable[[tf.Operation], LayerOfOperation | None]
"""An operation -> the layer that computes it; None for the inner work of a layer made of others."""


class LayerNames(Protocol):
    """Where layer names come from."""

    def recording(self) -> AbstractContextManager[None]:
        """Within it the model is called."""

    def of_graph(self, graph: tf.Graph) -> NameOf:
        """How the operations of this graph, in which the model was called, are named."""


@dataclass(eq=False)
class _Call:
    """One call of a layer. first, end: which of the graph's operations were added meanwhile. above: the call that it is part of."""

    name: str
    is_model: bool
    graph: tf.Graph
    first: int
    above: "_Call | None"
    use: int = 1
    end: int = 0
    made_of_layers: bool = False
    outputs: frozenset[str] = frozenset()

    @property
    def chain(self) -> list["_Call"]:
        """From the outermost call to this one, without the whole model's."""
        return [] if self.above is None else [*self.above.chain, self]

    @property
    def path(self) -> str:
        return "/".join(each.name for each in self.chain)

    @property
    def shown(self) -> str:
        """The path; from the second call of the same layer on with its number."""
        return self.path + (f" (use {self.use})" if self.use > 1 else "")


@dataclass
class RecordedLayerNames:
    """Names from the calls of a Keras model's layers (2 or 3), recorded while it is traced."""

    model: Any
    _calls: list[_Call] = field(default_factory=list)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Replaces the method by which Keras calls layers, for this thread alone, until the end of the block."""
        base = [each for each in type(self.model).__mro__ if "__call__" in dir(each)][-1]
        plain, thread, open_calls = base.__call__, threading.get_ident(), list[_Call]()

        @functools.wraps(plain)
        def recorded(layer: Any, *given: Any, **named: Any) -> Any:
            graph = tf.compat.v1.get_default_graph()
            if threading.get_ident() != thread or (open_calls and open_calls[-1].graph is not graph):
                return plain(layer, *given, **named)
            call = self._begin(layer, graph, open_calls[-1] if open_calls else None)
            open_calls.append(call)
            try:
                answer = plain(layer, *given, **named)
            finally:
                open_calls.pop()
                call.end = len(graph.get_operations())
            call.outputs = frozenset(each.op.name for each in tf.nest.flatten(answer) if tf.is_tensor(each) and hasattr(each, "op"))
            return answer

        patched: Any = base
        with _ONE_RECORDING:
            patched.__call__ = recorded
            try:
                yield
            finally:
                patched.__call__ = plain

    def _begin(self, layer: Any, graph: tf.Graph, above: _Call | None) -> _Call:
        call = _Call(str(layer.name), isinstance(layer, _models()), graph, len(graph.get_operations()), above)
        if above is not None:
            above.made_of_layers = True
            call.use += sum(each.graph is graph and each.path == call.path for each in self._calls)
        self._calls.append(call)
        return call

    def of_graph(self, graph: tf.Graph) -> NameOf:
        operations = graph.get_operations()
        deepest: dict[str, _Call] = {}
        for call in self._calls:  # outer calls come first
            if call.graph is graph:
                deepest |= {op.name: call for op in operations[call.first : call.end]}
        return lambda op: _named(op, deepest[op.name]) if op.name in deepest else None


def _models() -> tuple[type, ...]:
    return tuple(sys.modules[name].Model for name in ("keras", "tf_keras") if name in sys.modules)


def _named(op: tf.Operation, call: _Call) -> LayerOfOperation | None:
    """Models are places for layers; the first other call is a layer as model.summary() shows it, and what is in that is its inner work."""
    layer = next((each for each in call.chain if not each.is_model), None)
    if layer is None:
        return LayerOfOperation(op.name, "/".join([*filter(None, [call.path]), f"{op.name.rpartition('/')[2]} (operation)"]))
    if op.name in layer.outputs:
        return LayerOfOperation(id(layer), layer.shown)
    return None if call.made_of_layers else LayerOfOperation(id(call), call.shown)


@dataclass(frozen=True)
class LayerNamesByScope:
    """Names from a graph's scopes. known: a scope -> the layer whose variables are read in it.

    Keras 3 appends a count to every scope, Keras 2 only to repeated ones: the known scopes show which of them wrote the graph.
    """

    known: Mapping[str, str]

    def recording(self) -> AbstractContextManager[None]:
        return nullcontext()

    def of_graph(self, graph: tf.Graph) -> NameOf:
        counted = bool(self.known) and all(scope.rpartition("/")[2] != layer for scope, layer in self.known.items())
        used: dict[str, list[str]] = {}

        def name_of(op: tf.Operation) -> LayerOfOperation:
            scope, layer = self._scope(op.name)
            parts = [_stem(each) if counted else each for each in scope.split("/")]
            if layer:
                parts[-1] = layer
            name = "/".join(parts[min(1, len(parts) - 1) :])
            scopes = used.setdefault(name, [])
            if scope not in scopes:
                scopes.append(scope)
            use = scopes.index(scope) + 1
            return LayerOfOperation(scope, f"{name} (use {use})" if use > 1 else name)

        return name_of

    def _scope(self, operation: str) -> tuple[str, str]:
        """The layer's scope, and its name where variables tell it; an operation outside any scope is its own."""
        parts = operation.split("/")
        prefixes = ["/".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1)]
        known = next((each for each in prefixes if each in self.known), None)
        if known is not None:
            return known, self.known[known]
        return (prefixes[0] if prefixes else operation), ""


def layer_scopes(reads: Mapping[str, str]) -> dict[str, str]:
    """Scope -> layer. reads: the name of an operation that reads a variable -> the name of the layer whose variable it is."""
    found: dict[str, str] = {}
    for operation, layer in reads.items():
        parts = operation.split("/")[:-1]
        depth = next((i for i in range(len(parts) - 1, -1, -1) if parts[i] == layer or _is_counted(parts[i], layer)), None)
        if depth is not None:
            found["/".join(parts[: depth + 1])] = layer
    return found


def _is_counted(part: str, layer: str) -> bool:
    return part.startswith(f"{layer}_") and re.fullmatch(r"\d+", part.removeprefix(f"{layer}_")) is not None


def _stem(part: str) -> str:
    return re.sub(r"_\d+$", "", part)
