"""The .keras file: a zip archive of a configuration and weights, of Keras 3 or of Keras 2."""

import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.formats.keras_2_archive import open_keras_2_archive
from models.formats.keras_hdf5 import load_keras_file
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.keras_files import check_keras_archive, is_keras_2_archive, is_keras_archive


def open_keras_archive(path: Path) -> Any:
    """The Keras model in a .keras file, without its optimiser. UserError."""
    import keras
    import tf_keras

    try:
        with zipfile.ZipFile(path) as archive:
            missing = {"config.json", "model.weights.h5"} - set(archive.namelist())
            damaged = archive.testzip()
            config = b"" if missing else archive.read("config.json")
            older = not missing and is_keras_2_archive(archive)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise UserError(f"{path.name} is a damaged or truncated .keras file; save or download it again.") from error
    if missing:
        raise UserError(
            f"{path.name} is a zip archive without {' and '.join(sorted(missing))}; give a file saved by model.save('name.keras')."
        )
    if damaged:
        raise UserError(f"{path.name} is damaged at its member {damaged}; save or download it again.")
    if older:
        return load_keras_file(path, open_keras_2_archive, path.name, config, tf_keras)
    return load_keras_file(path, keras.saving.load_model, path.name, config, keras)


KERAS_ARCHIVE = ModelFormat(
    title="`.keras` of Keras 3, or of Keras 2 as TensorFlow 2.12 to 2.15 wrote it",
    example=".keras",
    suffixes=(".keras",),
    provides=ModelCapabilities.EVERYTHING,
    recognise=lambda path, start: start.startswith(b"PK") and is_keras_archive(path),
    check=check_keras_archive,
    open=open_keras_archive,
)
