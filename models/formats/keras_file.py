"""Opens a Keras model file or says in one sentence why it is none."""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from errors import UserError
from models.checks.config import check_code
from models.checks.display import reason
from models.checks.file_kind import kind_of


def open_keras(path: Path) -> Any:
    """The Keras model in a .keras or .h5 file, without its optimiser. A Keras 2 file is opened by tf_keras.

    A .h5 file of weights is opened with the architecture beside it.
    """
    return _open_zip(path) if kind_of(path) == "zip" else open_hdf5(path, path.name)


def _open_zip(path: Path) -> Any:
    import keras

    try:
        with zipfile.ZipFile(path) as archive:
            missing = {"config.json", "model.weights.h5"} - set(archive.namelist())
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise UserError(f"{path.name} is a damaged or truncated .keras file; save or download it again.") from error
    if missing:
        raise UserError(
            f"{path.name} is a zip archive without {' and '.join(sorted(missing))}; give a file saved by model.save('name.keras')."
        )
    if damaged:
        raise UserError(f"{path.name} is damaged at its member {damaged}; save or download it again.")
    return _opened(path, keras.saving.load_model, path.name)


def open_hdf5(source: Path | BinaryIO, name: str) -> Any:
    """The Keras model in an .h5 file, or in one's content in memory, which is Keras 2's alone. name: for messages."""
    import h5py
    import keras

    try:
        with h5py.File(source, "r") as file:
            config, version = file.attrs.get("model_config"), str(file.attrs.get("keras_version", ""))
    except OSError as error:
        raise UserError(f"{name} is a damaged or truncated HDF5 file; save or download it again.") from error
    if config is not None and not version.startswith("3"):
        check_code(str(config), name)
        return _open_keras_2(source, name)
    if not isinstance(source, Path):
        raise UserError(f"{name} holds an .h5 file of Keras 3 or of weights alone; unpack it and give that.")
    if config is not None:
        return _opened(source, keras.saving.load_model, name)
    from models.formats.weights_json import open_weights

    return open_weights(source)


def _open_keras_2(source: Path | BinaryIO, name: str) -> Any:
    import h5py
    import tf_keras

    if isinstance(source, Path):
        return _opened(source, tf_keras.models.load_model, name)
    with h5py.File(source, "r") as file:
        return _opened(file, tf_keras.models.load_model, name)


def _opened(source: Any, load_model: Any, name: str) -> Any:
    try:
        return load_model(source, compile=False)
    except Exception as error:  # Keras raises whatever its layers raise; the sentence must name the file all the same
        raise UserError(f"{name} could not be opened as a Keras model: {reason(error)}") from error
