"""Opens the model in a zip archive, such as Teachable Machine's exports, without unpacking it to any disk."""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.checks.zip_members import model_within

_MODELS = (".h5", ".hdf5", ".tflite", ".onnx")


def open_archive(path: Path) -> Any:
    """The Keras model, or the network, in the archive. UserError says why there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = model_within(archive, path.name)
            if member.endswith(".pb"):
                return _open_saved_model(archive, member.removesuffix("saved_model.pb"), path.name)
            content = archive.read(member)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{path.name} is a damaged or truncated zip archive; save or download it again.") from error
    if member.endswith(".tflite"):
        from models.formats.tflite import TFLite

        return TFLite(content, member)
    if member.endswith(".onnx"):
        from models.formats.onnx import Onnx

        return Onnx(content, member)
    from models.formats.keras_file import open_hdf5

    return open_hdf5(io.BytesIO(content), path.name)


def _open_saved_model(archive: zipfile.ZipFile, folder: str, name: str) -> Any:
    """By way of TensorFlow's file system in memory, which knows no disk."""
    import tensorflow as tf

    from models.formats.saved_model import open_saved_model

    place = f"ram://{uuid.uuid4().hex}"
    try:
        for member in archive.infolist():
            if member.filename.startswith(folder) and not member.is_dir():
                file = f"{place}/{member.filename.removeprefix(folder)}"
                tf.io.gfile.makedirs(file.rpartition("/")[0])
                with tf.io.gfile.GFile(file, "wb") as room:
                    room.write(archive.read(member))
        return open_saved_model(place, name)
    finally:
        if tf.io.gfile.exists(place):
            tf.io.gfile.rmtree(place)
