"""Opens a model of any format that is read here, by what its file is and not by what it is called."""

import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.checks.file_kind import kind_of
from models.formats.keras_file import open_keras


def open_model(path: Path) -> Any:
    """A Keras model (2 or 3), or a `Network`. UserError says in one sentence why it cannot be opened."""
    if path.is_dir():
        from models.formats.saved_model import open_saved_model

        return open_saved_model(str(path), path.name)
    kind = kind_of(path)
    if kind == "tflite":
        from models.formats.tflite import TFLite

        return TFLite(_content(path), path.name)
    if kind == "onnx":
        from models.formats.onnx import Onnx

        return Onnx(_content(path), path.name)
    if kind == "zip" and not _is_keras(path):
        from models.formats.zip_archive import open_archive

        return open_archive(path)
    return open_keras(path)


def _is_keras(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, EOFError, OSError):
        return True  # whose opener says what is damaged


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, MemoryError) as error:
        raise UserError(f"{path.name} cannot be read ({type(error).__name__}); give a file that may be read.") from error
