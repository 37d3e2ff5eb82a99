"""Opens a Keras model file, or says in one sentence why it is none. Layers that carry Python code of their own are refused."""

import os
import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.safe.config import check_code
from models.safe.kinds import kind_of
from models.versions import latest

_SUFFIXES = (".keras", ".h5", ".hdf5")


def model_file(path: Path) -> Path:
    """The model file that `path` is, or the one in the folder that it is; of a folder of versions the latest's."""
    if not os.path.exists(path):  # which, unlike Path.exists, takes an impossible name for a missing one
        raise UserError(
            f"There is no file or folder {str(path)[:200]}; give the path of a .keras or .h5 file, or of a folder that holds one."
        )
    if path.is_file():
        return path
    if not path.is_dir():
        raise UserError(f"{path} is neither a file nor a folder; give the path of a .keras or .h5 file.")
    path = latest(path) or path
    found = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UserError(f"The folder {path} must hold one .keras or .h5 file; found: {names}.")
    return found[0]


def open_keras(path: Path) -> Any:
    """The Keras model in a .keras or .h5 file, without its optimiser. A Keras 2 file is opened by tf_keras."""
    return _open_zip(path) if kind_of(path) == "zip" else _open_hdf5(path)


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
    return _opened(path, keras.saving.load_model)


def _open_hdf5(path: Path) -> Any:
    import h5py
    import keras

    try:
        with h5py.File(path, "r") as file:
            config, version = file.attrs.get("model_config"), str(file.attrs.get("keras_version", ""))
    except OSError as error:
        raise UserError(f"{path.name} is a damaged or truncated HDF5 file; save or download it again.") from error
    if config is None:
        raise UserError(f"{path.name} holds weights without an architecture; save the whole model with model.save('name.keras').")
    if version.startswith("3"):
        return _opened(path, keras.saving.load_model)
    check_code(str(config), path.name)
    import tf_keras

    return _opened(path, tf_keras.models.load_model)


def _opened(path: Path, load_model: Any) -> Any:
    try:
        return load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its layers raise; the sentence must name the file all the same
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"{path.name} could not be opened as a Keras model: {lines[0][:200]}") from error
