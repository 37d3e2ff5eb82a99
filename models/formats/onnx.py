"""Runs ONNX models by onnxruntime, with channels last or channels first."""

import ast
import copy
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from errors import UserError
from models.formats.model_format import ModelCapabilities, ModelFormat, read_file_content
from models.graph.engine.choice import Engine, EngineState
from models.graph.engine.openvino_network import PAIR, OpenVINONetwork, compile_onnx, openvino_version
from models.graph.engine.threads import thread_count
from models.graph.network_input import NetworkInput
from models.graph.runtime_network import Array, RuntimeNetwork
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
        if len(outputs) != 1:
            names = printable_text(", ".join(each.name for each in outputs), 120)
            raise UserError(f"{name} gives {len(outputs)} outputs ({names}); a classifier here gives one, a number for each class.")
        for each in inputs:
            if each.type not in _KINDS:
                raise UserError(
                    f"{name} takes '{printable_text(each.name)}' of kind {printable_text(each.type)}; a picture goes in as float or uint8."
                )
        shapes = [tuple(side if isinstance(side, int) and side > 0 else None for side in each.shape) for each in inputs]
        self._names, self._kinds = [each.name for each in inputs], [_KINDS[each.type] for each in inputs]
        self._turned = [len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3) for shape in shapes]
        plain = [(None, *shape[2:], shape[1]) if turned else shape for shape, turned in zip(shapes, self._turned, strict=True)]
        try:
            super().__init__(name, [NetworkInput(each.name, shape) for each, shape in zip(inputs, plain, strict=True)])
        except UserError:
            raise
        except Exception as error:  # onnxruntime's public API has no error class
            raise UserError(f"{name} cannot be run by onnxruntime ({error_reason(error)}); export it again.") from error
        self.classes = _classes(self._session.get_modelmeta().custom_metadata_map.get("names", ""))

    @property
    def engine(self) -> EngineState:
        if self._compiled:
            return EngineState(Engine.OPENVINO, thread_count(), openvino_version())
        return EngineState(Engine.ONNXRUNTIME, thread_count(), version("onnxruntime"))

    def compiled_by(self, engine: Engine) -> RuntimeNetwork:
        if engine is not Engine.OPENVINO:
            return super().compiled_by(engine)
        made = copy.copy(self)
        made._compiled = compile_onnx(self._content, self._names, PAIR if self.together else 1)
        return made

    def run(self, arrays: Sequence[Array]) -> Array:
        fed: dict[str, Array] = {}
        for name, kind, turned, array in zip(self._names, self._kinds, self._turned, arrays, strict=True):
            values = np.moveaxis(array, -1, 1) if turned else array
            fed[name] = np.ascontiguousarray(np.clip(np.rint(values), 0, 255) if kind is np.uint8 else values, kind)
        if self._compiled:
            return self.rows(self._compiled(list(fed.values())), len(arrays[0]))
        (answer,) = self._session.run(None, fed)
        return self.rows(np.asarray(answer), len(arrays[0]))


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
