"""Opens the model in a zip archive, such as Teachable Machine's exports, without unpacking it to any disk."""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

from errors import UserError
from models.checks.display import printable
from models.checks.zip_members import check_members

_MODELS = (".h5", ".hdf5", ".tflite", ".onnx")


def model_within(archive: zipfile.ZipFile, name: str) -> str:
    """The member that is the model: an .h5, .tflite or .onnx file, or a SavedModel's saved_model.pb. UserError where it is not one."""
    check_members(archive, name)
    members = [each for each in archive.namelist() if not each.endswith("/") and "__MACOSX" not in each]
    kept_apart = {"config.json", "model.weights.h5"}
    if kept_apart & set(members):
        missing = " and ".join(sorted(kept_apart - set(members)))
        raise UserError(f"{name} is a zip archive without {missing}; give a file saved by model.save('name.keras').")
    if any(each.endswith("data.pkl") for each in members):
        raise UserError(
            f"{name} is a model of PyTorch, which holds pickled code; export it with torch.onnx.export and give the .onnx file."
        )
    found = [each for each in members if each.endswith(_MODELS) or each.split("/")[-1] == "saved_model.pb"]
    if len(found) == 1:
        return found[0]
    seen = printable(", ".join(found or members), 120) or "nothing"
    raise UserError(
        f"{name} is a zip archive without config.json and model.weights.h5, so no .keras file, and of models it must hold one "
        f"(.h5, .tflite, .onnx or a SavedModel); it holds: {seen}."
    )


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
