"""TensorFlow.js: model.json and files of weights, in a folder or a zip archive, such as Teachable Machine's default download."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from errors import UserError
from models.formats.known_classes import harmless_names_scope
from models.formats.model_format import ModelCapabilities, ModelFormat, read_file_content
from models.sandbox.checks.safe_text import error_reason, printable_text
from models.sandbox.checks.tensorflow_js_files import (
    MODEL_FILE,
    TensorFlowJsModel,
    TensorFlowJsWeight,
    check_tensorflow_js,
    check_tensorflow_js_folder,
    is_tensorflow_js_folder,
    parse_tensorflow_js,
)


def _open_folder(folder: Path) -> Any:
    return _open(read_file_content(folder / MODEL_FILE), lambda file: read_file_content(folder / file), folder.name)


def _open_members(archive: zipfile.ZipFile, folder: str, name: str) -> Any:
    return _open(archive.read(folder + MODEL_FILE), lambda file: archive.read(folder + file), name)


def _open(content: bytes, read: Callable[[str], bytes], name: str) -> Any:
    import tf_keras

    parts = parse_tensorflow_js(content, name)
    check_tensorflow_js(content, name)
    try:
        arrays = _arrays(parts, b"".join(read(file) for file in parts.files), name)
        with harmless_names_scope(parts.topology, tf_keras):
            model = tf_keras.models.model_from_json(parts.topology)
        model.set_weights(_in_order(model, arrays, name))
    except UserError:
        raise
    except Exception as error:  # Keras passes on any error of its layers; the sentence must name the file
        raise UserError(f"{name} could not be opened as a model of TensorFlow.js: {error_reason(error)}") from error
    return model


def _arrays(parts: TensorFlowJsModel, content: bytes, name: str) -> dict[str, Any]:
    """Name of a weight -> its numbers."""
    needed = sum(each.length for each in parts.weights)
    if needed != len(content):
        raise UserError(f"{name} says that its weights have {needed:,} bytes, but its files have {len(content):,}; download it again.")
    arrays, place = {}, 0
    for each in parts.weights:
        arrays[each.name] = _numbers(each, content[place : place + each.length])
        place += each.length
    return arrays


def _numbers(weight: TensorFlowJsWeight, content: bytes) -> Any:
    stored = np.frombuffer(content, np.dtype(weight.kind).newbyteorder("<")).reshape(weight.shape)
    return stored.astype(np.float32) * np.float32(weight.scale) + np.float32(weight.low)


def _in_order(model: Any, arrays: dict[str, Any], name: str) -> list[Any]:
    """The weights in the model's order: by their names, as layer/kernel, or, where the names differ, in the file's order."""
    names = [variable.name.split(":")[0] for variable in model.weights]
    shapes = [tuple(variable.shape) for variable in model.weights]
    keys = [each if each in arrays else "/".join(each.split("/")[-2:]) for each in names]
    found: list[Any] = [arrays[key] for key in keys] if set(keys) <= set(arrays) else list(arrays.values())
    if [np.shape(each) for each in found] != shapes:
        odd = next((each for each, shape in zip(names, shapes, strict=True) if each not in arrays or np.shape(arrays[each]) != shape), "?")
        raise UserError(f"{name} has weights that do not fit its layers ('{printable_text(odd)}'); export it again.")
    return found


TENSORFLOW_JS = ModelFormat(
    title="TensorFlow.js, `model.json` of plain layers with its weights, such as Teachable Machine's",
    example="a folder of TensorFlow.js",
    marker=MODEL_FILE,
    folder_files=re.compile(r"model\.json|metadata\.json|[^/]+\.bin"),
    provides=ModelCapabilities.EVERYTHING,
    recognise=lambda path, start: path.is_dir() and is_tensorflow_js_folder(path),
    check=check_tensorflow_js_folder,
    open=_open_folder,
    open_members=_open_members,
    check_bytes=lambda content, path: check_tensorflow_js(content, path.name),
    upload=False,
)
