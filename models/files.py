"""Opens a Keras model file, or says in one sentence why it is none. Nothing in a file is run as code."""

import zipfile
from pathlib import Path
from typing import Any

from errors import UserError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_SUFFIXES = (".keras", ".h5", ".hdf5")


def model_file(path: Path) -> Path:
    """The model file that `path` is, or the one in the folder that it is."""
    if not path.exists():
        raise UserError(f"There is no file or folder {path}; give the path of a .keras or .h5 file, or of a folder that holds one.")
    if path.is_file():
        return path
    found = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UserError(f"The folder {path} must hold one .keras or .h5 file; found: {names}.")
    return found[0]


def open_keras(path: Path) -> Any:
    """The Keras model in a .keras or .h5 file, without its optimiser. A Keras 2 file is opened by tf_keras."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return _open_zip(path)
    if start == _HDF5:
        return _open_hdf5(path)
    seen = "it is empty" if not start else "it begins with " + repr(start)[1:]
    raise UserError(f"{path.name} is no Keras model: {seen}; a .keras file is a zip archive, a .h5 file HDF5. Was it downloaded whole?")


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
            whole, version = "model_config" in file.attrs, str(file.attrs.get("keras_version", ""))
    except OSError as error:
        raise UserError(f"{path.name} is a damaged or truncated HDF5 file; save or download it again.") from error
    if not whole:
        raise UserError(f"{path.name} holds weights without an architecture; save the whole model with model.save('name.keras').")
    if version.startswith("3"):
        return _opened(path, keras.saving.load_model)
    import tf_keras

    return _opened(path, tf_keras.models.load_model)


def _opened(path: Path, load_model: Any) -> Any:
    try:
        return load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its layers raise; the sentence must name the file all the same
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"{path.name} could not be opened as a Keras model: {lines[0][:200]}") from error
