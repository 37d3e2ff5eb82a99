"""The .h5 file of Keras 2 or 3: a whole model, or weights with the architecture in a file next to it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from errors import UserError
from models.cards.sidecar_files import WEIGHT_SUFFIXES
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.keras_files import check_keras_hdf5
from models.sandbox.checks.model_config import check_config_for_code
from models.sandbox.checks.safe_text import error_reason


def open_hdf5(source: Path | BinaryIO, name: str) -> Any:
    """The Keras model in an .h5 file, or in its content in memory (Keras 2 only). name: for messages."""
    import h5py
    import keras

    try:
        with h5py.File(source, "r") as file:
            config, version = file.attrs.get("model_config"), str(file.attrs.get("keras_version", ""))
    except OSError as error:
        raise UserError(f"{name} is a damaged or truncated HDF5 file; save or download it again.") from error
    if config is not None and not version.startswith("3"):
        check_config_for_code(str(config), name)
        return _open_keras_2(source, name)
    if not isinstance(source, Path):
        raise UserError(f"{name} holds an .h5 file of Keras 3 or of weights alone; unpack it and give that.")
    if config is not None:
        return load_keras_file(source, keras.saving.load_model, name)
    from models.formats.weights_json import open_weights_with_architecture

    return open_weights_with_architecture(source)


def _open_keras_2(source: Path | BinaryIO, name: str) -> Any:
    import h5py
    import tf_keras

    if isinstance(source, Path):
        return load_keras_file(source, tf_keras.models.load_model, name)
    with h5py.File(source, "r") as file:
        return load_keras_file(file, tf_keras.models.load_model, name)


def load_keras_file(source: Any, load_model: Callable[..., Any], name: str) -> Any:
    """The model that `load_model` loads from `source`, without an optimiser. UserError where it fails."""
    try:
        return load_model(source, compile=False)
    except Exception as error:  # Keras passes on any error of its layers; the sentence must name the file
        raise UserError(f"{name} could not be opened as a Keras model: {error_reason(error)}") from error


KERAS_HDF5 = ModelFormat(
    title="`.h5` of Keras 2 or 3, or of weights with `model.to_json()` beside them as `model.json`",
    example=".h5",
    suffixes=WEIGHT_SUFFIXES,
    provides=ModelCapabilities.EVERYTHING,
    recognise=lambda path, start: start.startswith(b"\x89HDF\r\n\x1a\n"),
    check=check_keras_hdf5,
    open=lambda path: open_hdf5(path, path.name),
    open_bytes=lambda content, member, name: open_hdf5(io.BytesIO(content), name),
    check_bytes=lambda content, path: check_keras_hdf5(path, io.BytesIO(content)),
)
