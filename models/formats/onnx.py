"""Runs ONNX models by onnxruntime, with channels last or channels first."""

import ast
import contextlib
import copy
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from errors import UserError
from models.formats.model_format import ModelCapabilities, ModelFormat, read_file_content
from models.graph.engine.choice import EngineRefused, InferenceEngine, InferenceEngineState
from models.graph.engine.openvino_network import PAIR, OpenVINONetwork, compile_onnx, openvino_version
from models.graph.engine.threads import thread_count
from models.graph.network_input import NetworkInput
from models.graph.runtime_network import OPEN_SIDE, Array, RuntimeNetwork
from models.sandbox.checks.model_size import check_model_size
from models.sandbox.checks.safe_text import error_reason, printable_text

_KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
_SILENT = 4
_LONGEST_NAMES = 1_000_000


class OnnxNetwork(RuntimeNetwork):
    """An input (n, 3 or 1, H, W) is exposed as (n, H, W, 3 or 1) and transposed before each run."""

    kind = "ONNX"

    def __init__(self, content: bytes, name: str) -> None:
        self._content = content
        self._compiled: OpenVINONetwork | None = None
        self._session = _session(content, name)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        for each in inputs:
            if each.type not in _KINDS:
                raise UserError(
                    f"{name} takes '{printable_text(each.name)}' of kind {printable_text(each.type)}; a picture goes in as float or uint8."
                )
        shapes = [tuple(side if isinstance(side, int) and side > 0 else None for side in each.shape) for each in inputs]
        self._names, self._kinds = [each.name for each in inputs], [_KINDS[each.type] for each in inputs]
        shapes = [self._with_channels(number, shape) for number, shape in enumerate(shapes)]
        self._turned = [len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3) for shape in shapes]
        plain = [(None, *shape[2:], shape[1]) if turned else shape for shape, turned in zip(shapes, self._turned, strict=True)]
        try:
            ports = [
                NetworkInput(each.name, shape, of_bytes=_KINDS[each.type] is np.uint8) for each, shape in zip(inputs, plain, strict=True)
            ]
            super().__init__(name, ports, [(each.name, 0.0) for each in outputs])
        except UserError:
            raise
        except Exception as error:  # onnxruntime's public API has no error class
            raise UserError(f"{name} cannot be run by onnxruntime ({error_reason(error)}); export it again.") from error
        self.classes = _classes(self._session.get_modelmeta().custom_metadata_map.get("names", ""))

    @property
    def engine(self) -> InferenceEngineState:
        if self._compiled:
            return InferenceEngineState(InferenceEngine.OPENVINO, thread_count(), openvino_version())
        return InferenceEngineState(InferenceEngine.ONNXRUNTIME, thread_count(), version("onnxruntime"))

    def compiled_by(self, engine: InferenceEngine) -> RuntimeNetwork:
        if engine is not InferenceEngine.OPENVINO:
            return super().compiled_by(engine)
        if len(self._outputs) > 1:
            raise EngineRefused("A model with several outputs is evaluated by ONNX Runtime.")
        made = copy.copy(self)
        made._compiled = compile_onnx(self._content, self._names, PAIR if self.together else 1)
        return made

    def _with_channels(self, number: int, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape with the channels that the only input takes, by trial, where the file names its sides but gives no numbers."""
        if len(shape) != 4 or {shape[1], shape[3]} & {1, 3} or shape[1] or shape[3] or len(self._names) > 1:
            return shape
        height, width = (side or OPEN_SIDE for side in shape[2:]) if shape[2] else (OPEN_SIDE, OPEN_SIDE)
        for place, channels in ((1, 3), (1, 1), (3, 3), (3, 1)):
            sides = [1, channels, height, width] if place == 1 else [1, height, width, channels]
            with contextlib.suppress(Exception):  # as above
                self._session.run(None, {self._names[number]: np.zeros(sides, self._kinds[number])})
                return (None, channels, shape[2], None) if place == 1 else (None, shape[1], shape[2], channels)
        return shape

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        fed: dict[str, Array] = {}
        for name, kind, turned, array in zip(self._names, self._kinds, self._turned, arrays, strict=True):
            values = np.moveaxis(array, -1, 1) if turned else array
            fed[name] = np.ascontiguousarray(np.clip(np.rint(values), 0, 255) if kind is np.uint8 else values, kind)
        if self._compiled:
            return [self._compiled(list(fed.values()))]
        return list(self._session.run(None, fed))


def _classes(text: str) -> tuple[str, ...]:
    """The class names that exporters write into an ONNX file; empty for an unknown form.

    Known forms: {0: 'cat', 1: 'dog'}, JSON's {"0": "cat", "1": "dog"}, and ["cat", "dog"].
    """
    try:
        names = ast.literal_eval(text) if len(text) <= _LONGEST_NAMES else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # TypeError: an unhashable key
        return ()
    if isinstance(names, dict):
        numbered = {str(number): name for number, name in names.items()}
        names = [numbered.get(str(number)) for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(each, str) and each.strip() for each in names):
        return ()
    return tuple(printable_text(each.strip(), len(each)) for each in names)


def _session(content: bytes, name: str) -> Any:
    """Opened from bytes, so that references to external weight files are not followed."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = thread_count()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores to others
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        line = error_reason(error)
        if "external" in line.lower():
            raise UserError(f"{name} keeps its weights in another file, which would be read here; save it as one file.") from error
        raise UserError(f"{name} could not be opened by onnxruntime: {line}") from error


ONNX = ModelFormat(
    title="`.onnx`, channels last or first",
    example=".onnx",
    suffixes=(".onnx",),
    provides=ModelCapabilities.OUTPUTS,
    # Every writer puts the field ir_version first.
    recognise=lambda path, start: path.suffix == ".onnx" and start[:1] == b"\x08",
    check=check_model_size,
    open=lambda path: OnnxNetwork(read_file_content(path), path.name),
    open_bytes=lambda content, member, name: OnnxNetwork(content, member),
)
