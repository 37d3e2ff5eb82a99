"""The folder that Keras 3 writes for the Hugging Face Hub, by model.save("hf://..."): a .keras file that is not packed."""

import re
from pathlib import Path
from typing import Any

from errors import UserError
from models.formats.keras_hdf5 import load_keras_file
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.sandbox.checks.keras_files import check_keras_folder

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


def _open(folder: Path) -> Any:
    import keras

    try:
        config = (folder / _CONFIG).read_bytes()
    except OSError as error:
        raise UserError(f"{folder.name} cannot be read ({error.strerror}); give a folder that may be read.") from error
    return load_keras_file(folder, keras.saving.load_model, folder.name, config, keras)


KERAS_FOLDER = ModelFormat(
    title="a folder of Keras 3 with config.json and model.weights.h5, from `model.save('hf://...')`",
    example="a folder of model.weights.h5 and config.json",
    marker=_WEIGHTS,
    companions=(_CONFIG,),
    folder_files=re.compile(r"(config|metadata)\.json|model\.weights\.h5"),
    provides=ModelCapabilities.EVERYTHING,
    recognise=lambda path, start: path.is_dir() and (path / _CONFIG).is_file() and (path / _WEIGHTS).is_file(),
    check=check_keras_folder,
    open=_open,
    upload=False,
)
