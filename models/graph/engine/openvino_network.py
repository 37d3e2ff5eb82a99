"""A part of a TensorFlow graph, or an ONNX file, compiled by OpenVINO.

A batch is evaluated two pictures at a time, by as many single threads as there are cores. No thread waits for another inside a
network, so that a busy core delays nothing but its own pictures, and a picture's answer never depends on the batch that it came in.
"""

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.graph.engine.choice import EngineRefused
from models.graph.engine.threads import thread_count

Array = NDArray[Any]

INSTALL = "OpenVINO is not installed; pip install -r requirements-openvino.txt makes forward passes about twice as fast on a CPU."
PAIR = 2
"""Pictures per pass: larger groups are no faster per picture, and of a last group that is not full less is wasted."""
MOST_STREAMS = 16
"""Pairs evaluated at once: a batch of 32 has no more."""
_ADVICE = "https:"
_ALLOCATION = "alloc"  # std::bad_alloc and oneDNN's own words


def openvino_version() -> str:
    """Of the package; empty where it is not installed."""
    return version("openvino") if importlib.util.find_spec("openvino") else ""


class OpenVINONetwork:
    """Batches (n, ...) -> (n, units), the network's only output. Thread-safe: one call at a time."""

    def __init__(self, model: Any, batches: Sequence[Any], constants: Sequence[Any] = (), group: int = PAIR) -> None:
        """model: openvino.Model. batches: its inputs whose first axis is the batch's, in the order in which they are fed. constants: its
        other inputs. group: pictures per pass. Raises EngineRefused where the model cannot be compiled."""
        self._group, self._lock = group, threading.Lock()
        self._batches, self._constants = ([_index(model, port) for port in ports] for ports in (batches, constants))
        try:
            model.reshape({port: [group, *list(port.get_partial_shape())[1:]] for port in batches})
            compiled = _core().compile_model(model, "CPU", _settings())
            count = max(1, int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")))
            self._requests = [compiled.create_infer_request() for _ in range(count)]
        except RuntimeError as error:
            raise _refused("cannot compile", error) from error

    def __call__(self, batches: Sequence[Array], constants: Sequence[Array] = ()) -> Array:
        """Raises MemoryError, and EngineRefused where the network fails."""
        count = len(batches[0])
        starts, answers = range(0, count, self._group), list[Array]()
        fixed = dict(zip(self._constants, constants, strict=True))
        with self._lock:
            try:
                for number, start in enumerate(starts):
                    request = self._requests[number % len(self._requests)]
                    if number >= len(self._requests):
                        answers.append(_wait(request))
                    parts = [_padded(batch[start : start + self._group], self._group) for batch in batches]
                    request.start_async({**fixed, **dict(zip(self._batches, parts, strict=True))})
                for number in range(len(answers), len(starts)):
                    answers.append(_wait(self._requests[number % len(self._requests)]))
            except RuntimeError as error:
                self._cancel()
                raise _refused("failed on", error) from error
        return np.concatenate(answers)[:count]

    def _cancel(self) -> None:
        for request in self._requests:
            with suppress(RuntimeError):
                request.cancel()
                request.wait()


def compile_function(function: Any, batches: int = 1) -> OpenVINONetwork:
    """A pruned concrete function of TensorFlow, to one batch of outputs. Its variables' values are read now.

    batches: how many of its inputs, the first ones, are batches; the others are constants. Raises EngineRefused where OpenVINO does not
    know an operation.
    """
    openvino = _import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.tensorflow.graph_iterator import GraphIteratorTFGraph

    from models.graph.engine.constant_graph import constant_graph  # TensorFlow, which checking a file must not import

    captured = {inside.name for _, inside in function.graph.captures}
    fed = [tensor.name for tensor in function.inputs if tensor.name not in captured]
    (fetched,) = (tensor.name for tensor in function.outputs)
    graph = constant_graph(function)
    try:
        reader = FrontEndManager().load_by_framework("tf")
        nodes = GraphIteratorTFGraph(graph, True)  # has to outlive the conversion
        whole = reader.convert(reader.load(nodes, True))
    except Exception as error:  # its Python parts raise anything
        raise _refused("cannot read", error) from error
    parameters = [_find(name, whole.get_parameters(), lambda node: node.output(0)) for name in fed]
    result = _find(fetched, whole.get_results(), lambda node: node.input_value(0))
    ports = [parameter.output(0) for parameter in parameters]
    return OpenVINONetwork(openvino.Model([result], parameters), ports[:batches], ports[batches:])


def compile_onnx(content: bytes, names: Sequence[str], group: int = PAIR) -> OpenVINONetwork:
    """An ONNX file that ONNX Runtime has opened before. names: of its inputs in the order in which they are fed."""
    try:
        model = _core().read_model(content)
    except RuntimeError as error:
        raise _refused("cannot read", error) from error
    return OpenVINONetwork(model, [model.input(name) for name in names], group=group)


def _import_openvino() -> Any:
    """The package; EngineRefused where it is not installed. It is kept from reporting its use to its maker."""
    if not openvino_version():
        raise EngineRefused(INSTALL)
    modules: dict[str, Any] = sys.modules
    modules.setdefault("openvino_telemetry", None)
    import openvino

    return openvino


@cache
def _core() -> Any:
    return _import_openvino().Core()


def _settings() -> dict[str, Any]:
    """Full precision: some processors have halves that are faster."""
    threads = thread_count()
    return {
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": min(threads, MOST_STREAMS),
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,
    }


def _index(model: Any, port: Any) -> int:
    return next(number for number, each in enumerate(model.inputs) if each.get_node() == port.get_node())


def _find(name: str, nodes: Sequence[Any], port_of: Callable[[Any], Any]) -> Any:
    """The node whose port has TensorFlow's name of a tensor."""
    found = next((node for node in nodes if name in port_of(node).get_names()), None)
    if found is None:
        raise EngineRefused(f"OpenVINO cannot read this model (the tensor {name} is missing).")
    return found


def _padded(values: Array, count: int) -> Array:
    missing = count - len(values)
    return np.ascontiguousarray(np.concatenate([values, np.repeat(values[-1:], missing, axis=0)]) if missing else values)


def _wait(request: Any) -> Array:
    request.wait()
    return np.array(request.get_output_tensor(0).data)


def _refused(what: str, error: Exception) -> Exception:
    """MemoryError where memory ran out, EngineRefused otherwise; OpenVINO puts its own source files first, and advice last."""
    text = str(error)
    if _ALLOCATION in text:
        return MemoryError("OpenVINO ran out of memory.")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reason = next((line for line in reversed(lines) if _ADVICE not in line), type(error).__name__)
    return EngineRefused(f"OpenVINO {what} this model ({reason[:200]}).")
