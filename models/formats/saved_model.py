"""TensorFlow's SavedModel: a folder with saved_model.pb, or the same in a zip archive."""

import re
import uuid
import zipfile
from pathlib import Path
from typing import Any

from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.model_size import check_saved_model_folder

MARKER = "saved_model.pb"


def is_saved_model(folder: Path) -> bool:
    """Whether the folder holds saved_model.pb."""
    return (folder / MARKER).is_file()


def _open(path: Path) -> Any:
    from models.graph.frozen_graph import load_saved_model

    return load_saved_model(str(path), path.name)


def _open_members(archive: zipfile.ZipFile, folder: str, name: str) -> Any:
    """Opened through TensorFlow's in-memory file system, without access to any disk."""
    import tensorflow as tf

    from models.graph.frozen_graph import load_saved_model

    place = f"ram://{uuid.uuid4().hex}"
    try:
        for member in archive.infolist():
            if member.filename.startswith(folder) and not member.is_dir():
                path = f"{place}/{member.filename.removeprefix(folder)}"
                tf.io.gfile.makedirs(path.rpartition("/")[0])
                with tf.io.gfile.GFile(path, "wb") as file:
                    file.write(archive.read(member))
        return load_saved_model(place, name)
    finally:
        if tf.io.gfile.exists(place):
            tf.io.gfile.rmtree(place)


SAVED_MODEL = ModelFormat(
    title="a SavedModel, from `model.export`, Keras 2 or TensorFlow alone",
    example="a SavedModel",
    marker=MARKER,
    folder_files=re.compile(r"(saved_model|keras_metadata|fingerprint)\.pb|variables/variables\.(index|data-\d+-of-\d+)"),
    provides=ModelCapabilities.GRADIENTS,
    recognise=lambda path, start: path.is_dir(),  # the last of the formats of folders
    check=check_saved_model_folder,
    open=_open,
    open_members=_open_members,
    upload=False,
)
