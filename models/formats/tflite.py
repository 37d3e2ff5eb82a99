"""Runs TensorFlow Lite models, floating point or quantised, by TensorFlow's own interpreter."""

import threading
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from errors import UserError
from models.formats.model_format import ModelCapabilities, ModelFormat, read_file_content
from models.graph.engine.choice import InferenceEngine, InferenceEngineState
from models.graph.engine.threads import thread_count
from models.graph.network_input import NetworkInput
from models.graph.runtime_network import Array, RuntimeNetwork
from models.sandbox.checks.model_size import check_model_size
from models.sandbox.checks.safe_text import printable_text


class TFLiteNetwork(RuntimeNetwork):
    """Floats in and out: x = scale * (q - zero point) for quantised tensors, https://ai.google.dev/edge/litert/models/quantization_spec."""

    kind = "TFLite"

    def __init__(self, content: bytes, name: str) -> None:
        self._interpreter, self._lock = _interpreter(content, name), threading.Lock()
        self._inputs, self._given = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._count = 0
        self._run_once(name)
        outputs = [(str(each["name"]), self._step(each)) for each in self._given]
        super().__init__(name, [_port(each) for each in self._inputs], outputs, _scaling(self._inputs))

    @property
    def engine(self) -> InferenceEngineState:
        return InferenceEngineState(InferenceEngine.TFLITE, thread_count(), version("tensorflow"))

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        with self._lock:
            self._make_room(len(arrays[0]))
            for each, array in zip(self._inputs, arrays, strict=True):
                self._interpreter.set_tensor(each["index"], _quantise(array, each))
            self._interpreter.invoke()
            return [_dequantise(self._interpreter.get_tensor(each["index"]), each) for each in self._given]

    def _step(self, output: Mapping[str, Any]) -> float:
        """The smallest difference between two outputs: of a quantised output, or of an int8 softmax before a float output."""
        if output["quantization"][0]:
            return float(output["quantization"][0])
        whole = any(np.dtype(each["dtype"]) == np.int8 for each in self._interpreter.get_tensor_details())
        return 1 / 256 if whole else 0.0

    def _make_room(self, count: int) -> None:
        if count == self._count:
            return
        self._count = 0
        for each in self._inputs:
            side = [int(known) if known > 0 else 64 for known in _shape(each)[1:]]
            self._interpreter.resize_tensor_input(each["index"], [count, *side])
        self._interpreter.allocate_tensors()
        self._count = count

    def _run_once(self, name: str) -> None:
        try:
            self._make_room(1)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            reason = printable_text((str(error).strip().splitlines() or [""])[-1], 160)
            raise UserError(f"{name} cannot be run by TensorFlow Lite ({reason}); convert it with its own operations.") from error


def _interpreter(content: bytes, name: str) -> Any:
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf\.lite\.Interpreter is deprecated", UserWarning)
        try:
            return tf.lite.Interpreter(model_content=content, num_threads=thread_count())
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{name} is a damaged or truncated TFLite file; convert or download it again.") from error


def _shape(details: Mapping[str, Any]) -> list[int]:
    signature = details.get("shape_signature")
    return list(details["shape"] if signature is None or not len(signature) else signature)


def _port(details: Mapping[str, Any]) -> NetworkInput:
    return NetworkInput(str(details["name"]), (None, *(int(side) if side > 0 else None for side in _shape(details)[1:])))


def _quantise(values: Array, details: Mapping[str, Any]) -> Array:
    kind, (scale, zero) = np.dtype(details["dtype"]), details["quantization"]
    if kind.kind not in "iu":
        return np.ascontiguousarray(values, kind)
    bounds = np.iinfo(kind)
    rounded: Array = np.clip(np.rint(values / (scale or 1.0)) + zero, bounds.min, bounds.max).astype(kind)
    return rounded


def _dequantise(values: Array, details: Mapping[str, Any]) -> Array:
    scale, zero = details["quantization"]
    return values.astype(np.float32) if values.dtype.kind not in "iu" else np.float32(scale or 1.0) * (values.astype(np.float32) - zero)


def _scaling(inputs: Sequence[Mapping[str, Any]]) -> str:
    """The scaling of pictures, from the range that a quantised picture input can represent."""
    for details in inputs:
        kind, (scale, zero) = np.dtype(details["dtype"]), details["quantization"]
        if kind.kind in "iu" and len(_shape(details)) == 4:
            bounds = np.iinfo(kind)
            low, high = ((end - zero) * (scale or 1.0) for end in (bounds.min, bounds.max))
            near = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}
            return next((word for word, (a, b) in near.items() if abs(low - a) < 0.05 * b and abs(high - b) < 0.05 * b), "")
    return ""


TFLITE = ModelFormat(
    title="`.tflite`, floating point or quantised",
    example=".tflite",
    suffixes=(".tflite",),
    provides=ModelCapabilities.OUTPUTS,
    recognise=lambda path, start: start[4:8] == b"TFL3",
    check=check_model_size,
    open=lambda path: TFLiteNetwork(read_file_content(path), path.name),
    open_bytes=lambda content, member, name: TFLiteNetwork(content, member),
)
