"""The .keras file of Keras 2, as TensorFlow 2.12 to 2.15 wrote it: opened by tf_keras, whose modules have other names."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

_OLD_GROUP = "_layer_checkpoint_dependencies"
"""What TensorFlow 2.12 calls the group `layers` of a file of weights."""


def open_keras_2_archive(path: Path, safe_mode: bool, custom_objects: dict[str, Any], **_: Any) -> Any:
    """The Keras 2 model in the archive, without its optimiser; raises whatever Keras raises. safe_mode: whether code in it is refused."""
    import h5py
    import tf_keras
    from tf_keras.src.saving import saving_lib

    with zipfile.ZipFile(path) as archive:
        config, weights = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    model = tf_keras.saving.deserialize_keras_object({**_renamed(config), "compile_config": None}, custom_objects, safe_mode)
    with h5py.File(io.BytesIO(weights), "r") as file:
        saving_lib._load_state(model, weights_store=_Weights(file), assets_store=None, inner_path="", visited_trackables=set())
    return model


class _Weights:
    """A file of weights as Keras reads it: `get` gives the variables of one layer, by the path of groups that leads to it."""

    def __init__(self, file: Any) -> None:
        self._file, self._old = file, _OLD_GROUP in file

    def get(self, path: str) -> Any:
        path = "/".join(_OLD_GROUP if self._old and part == "layers" else part for part in path.split("/"))
        group = self._file.get(path) if path else self._file
        return group["vars"] if group is not None and "vars" in group else {}


def _renamed(part: Any) -> Any:
    """The configuration with the modules of tf_keras: keras.src.engine.functional is tf_keras.src.engine.functional there."""
    if isinstance(part, dict):
        return {key: _module(value) if key == "module" and isinstance(value, str) else _renamed(value) for key, value in part.items()}
    return [_renamed(each) for each in part] if isinstance(part, list) else part


def _module(name: str) -> str:
    return re.sub(r"^keras(?=\.|$)", "tf_keras", re.sub(r"^keras\.engine(?=\.|$)", "keras.src.engine", name))
