"""The .h5 file of Keras 2 or 3: a whole model, or weights with the architecture in a file next to it."""

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from errors import UserError
from models.cards.sidecar_files import WEIGHT_SUFFIXES
from models.formats.custom_objects import custom_objects, custom_objects_given
from models.formats.known_classes import harmless_names_scope
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.keras_files import check_keras_hdf5
from models.sandbox.checks.model_config import check_config_for_code, custom_class_sentence
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
        if not custom_objects_given():
            check_config_for_code(str(config), name)
        return _open_keras_2(source, name, config)
    if not isinstance(source, Path):
        raise UserError(f"{name} holds an .h5 file of Keras 3 or of weights alone; unpack it and give that.")
    if config is not None:
        return load_keras_file(source, keras.saving.load_model, name, config, keras)
    from models.formats.weights_json import open_weights_with_architecture

    return open_weights_with_architecture(source)


def _open_keras_2(source: Path | BinaryIO, name: str, config: str | bytes) -> Any:
    import h5py
    import tf_keras

    if isinstance(source, Path):
        return load_keras_file(source, tf_keras.models.load_model, name, config, tf_keras)
    with h5py.File(source, "r") as file:
        return load_keras_file(file, tf_keras.models.load_model, name, config, tf_keras)


def load_keras_file(source: Any, load_model: Callable[..., Any], name: str, config: str | bytes, kit: Any) -> Any:
    """The model that `load_model` loads from `source`, without an optimiser. UserError where it fails.

    config: the model's configuration as JSON. kit: the Keras that wrote it, 3 or 2 (tf_keras).
    """
    if b"keras_hub" in (config if isinstance(config, bytes) else config.encode()):
        _import_keras_hub(name)
    try:
        with harmless_names_scope(config, kit), custom_objects(kit) as own:
            return load_model(source, compile=False, safe_mode=not custom_objects_given(), custom_objects=own)
    except UserError:
        raise
    except Exception as error:  # Keras passes on any error of its layers; the sentence must name the file
        if not custom_objects_given() and (advice := custom_class_sentence(config, name)):
            raise UserError(advice) from error
        raise UserError(f"{name} could not be opened as a Keras model: {error_reason(error)}") from error


def _import_keras_hub(name: str) -> None:
    """Its classes are known to Keras from then on."""
    try:
        import_module("keras_hub")
    except ImportError as error:
        raise UserError(f"{name} is made of KerasHub, which is not installed here; run pip install keras-hub.") from error


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
