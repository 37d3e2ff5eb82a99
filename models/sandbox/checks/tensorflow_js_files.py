"""Static checks of a TensorFlow.js model: its topology names layers alone, and its weights are as large as it says."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import UserError
from models.sandbox.checks.model_config import LONGEST, check_model_config
from models.sandbox.checks.model_size import check_saved_model_folder
from models.sandbox.checks.safe_text import printable_text

MODEL_FILE = "model.json"
_KINDS = {"float32": 4, "int32": 4, "uint8": 1, "uint16": 2, "bool": 1}
_LARGEST = 2_000_000_000  # bytes
_TEACHABLE_MACHINE = (
    "in Teachable Machine press Export Model, choose the tab Tensorflow and not Tensorflow.js, then Keras, and Download my model"
)


@dataclass(frozen=True)
class TensorFlowJsWeight:
    """One tensor of the weights. scale, low: of quantised numbers, q * scale + low."""

    name: str
    shape: tuple[int, ...]
    kind: str
    scale: float
    low: float

    @property
    def length(self) -> int:
        """Bytes in the file."""
        return math.prod(self.shape) * _KINDS[self.kind]


@dataclass(frozen=True)
class TensorFlowJsModel:
    """topology: the architecture, as model.to_json() of Keras 2 has it. files: of the weights, in order."""

    topology: str
    files: tuple[str, ...]
    weights: tuple[TensorFlowJsWeight, ...]


def is_tensorflow_js_folder(folder: Path) -> bool:
    """Whether model.json in the folder lists weights, as TensorFlow.js writes it."""
    file = folder / MODEL_FILE
    try:
        return file.is_file() and file.stat().st_size <= LONGEST and b'"weightsManifest"' in file.read_bytes()
    except OSError:
        return False


def check_tensorflow_js_folder(folder: Path) -> None:
    """Checks the folder's files and its model.json. UserError."""
    check_saved_model_folder(folder)
    check_tensorflow_js(_content(folder / MODEL_FILE, folder.name), folder.name)


def check_tensorflow_js(content: bytes, name: str) -> None:
    """Checks the content of model.json. UserError. name: the model's, for messages."""
    check_model_config(parse_tensorflow_js(content, name).topology, name, older=True)


def parse_tensorflow_js(content: bytes, name: str) -> TensorFlowJsModel:
    """The parts of model.json. UserError where it is no model of plain layers."""
    if len(content) > LONGEST:
        raise UserError(f"{name} describes its layers in {len(content) / 1e6:.0f} MB; {LONGEST / 1e6:.0f} MB is the most.")
    try:
        raw = json.loads(content)
        topology = raw["modelTopology"]
        topology = topology.get("model_config", topology)
        plain = isinstance(topology.get("class_name"), str) and "config" in topology
        groups = raw["weightsManifest"]
        files = tuple(_file(path) for group in groups for path in group["paths"])
        weights = tuple(_weight(each) for group in groups for each in group["weights"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{name} holds a damaged {MODEL_FILE} of TensorFlow.js; {_TEACHABLE_MACHINE}, or export it again.") from error
    if not plain:
        raise UserError(
            f"{name} is a graph of TensorFlow.js, which holds no layers; convert the SavedModel that it was made from, or "
            f"{_TEACHABLE_MACHINE}."
        )
    if (total := sum(each.length for each in weights)) > _LARGEST:
        raise UserError(f"{name} has {total / 1e9:.1f} GB of weights; {_LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")
    return TensorFlowJsModel(json.dumps(topology), files, weights)


def _file(path: Any) -> str:
    if not isinstance(path, str) or "/" in path or "\\" in path or path in ("", ".", ".."):
        raise ValueError(printable_text(path))
    return path


def _weight(raw: Any) -> TensorFlowJsWeight:
    packed = raw.get("quantization") or {}
    kind = str(packed.get("dtype", raw["dtype"]))
    shape: Sequence[Any] = raw["shape"]
    if kind not in _KINDS or not all(isinstance(side, int) and 0 <= side < 2**31 for side in shape):
        raise ValueError(printable_text(raw))
    return TensorFlowJsWeight(str(raw["name"]), tuple(shape), kind, float(packed.get("scale", 1)), float(packed.get("min", 0)))


def _content(file: Path, name: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}); give a folder that may be read.") from error
