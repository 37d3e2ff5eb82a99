"""The look at a stranger's model file before TensorFlow is there: is it what it says, and does it name anything but layers of Keras?"""

import io
import json
import zipfile
from itertools import islice
from pathlib import Path

from errors import UserError
from models.cards.sidecar_files import architecture_of
from models.checks.config import LONGEST, check_config, is_of_keras_3
from models.checks.display import printable
from models.checks.file_kind import kind_of
from models.checks.hdf5 import check_hdf5
from models.checks.zip_members import LARGEST, MOST_MEMBERS, check_members, model_within, opened

_KNOWN_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}


def check(path: Path) -> None:
    """Of a model's file, or of a SavedModel's folder. UserError says in one sentence what was found and what to do. Nothing is built.

    A SavedModel's operations are looked at when it is opened, a TFLite or ONNX file only by whoever runs it.
    """
    if path.is_dir():
        _check_folder(path)
        return
    kind = kind_of(path)
    if kind == "zip":
        _check_zip(path)
    elif kind == "hdf5":
        _check_hdf5(path, path)
    elif path.stat().st_size > LARGEST:
        raise UserError(f"{path.name} has {path.stat().st_size / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def _check_folder(folder: Path) -> None:
    files = sorted(islice(folder.rglob("*"), MOST_MEMBERS + 1))
    if len(files) > MOST_MEMBERS:
        raise UserError(f"{folder.name} has more than {MOST_MEMBERS} files; a SavedModel has about 4. Export it again.")
    for file in files:
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise UserError(
                f"{folder.name} holds '{printable(file.name)}', a link or no plain file, as no SavedModel does; export it again."
            )
    total = sum(file.stat().st_size for file in files if file.is_file())
    if total > LARGEST:
        raise UserError(f"{folder.name} has {total / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")


def _check_zip(path: Path) -> None:
    name = path.name
    try:
        with opened(path) as archive:
            check_members(archive, name)
            if "config.json" in archive.namelist():
                _check_keras(archive, name)
            elif (member := model_within(archive, name)).endswith((".h5", ".hdf5")):
                _check_hdf5(io.BytesIO(archive.read(member)), path)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{name} is a damaged or truncated .keras file; save or download it again.") from error


def _check_keras(archive: zipfile.ZipFile, name: str) -> None:
    if missing := {"config.json", "model.weights.h5"} - set(archive.namelist()):
        raise UserError(f"{name} is a zip archive without {' and '.join(sorted(missing))}; give a file saved by model.save('name.keras').")
    for member in archive.namelist():
        if member not in _KNOWN_MEMBERS:
            raise UserError(f"{name} brings a file of its own, '{printable(member)}', as no image classifier does; save it without.")
    if archive.getinfo("config.json").file_size > LONGEST:
        raise UserError(f"{name} describes its layers in more than {LONGEST / 1e6:.0f} MB; rebuild the model and save it again.")
    check_config(archive.read("config.json"), name)
    _check_weights(io.BytesIO(archive.read("model.weights.h5")), name)


def _check_weights(content: io.BytesIO, name: str) -> None:
    import h5py

    with h5py.File(content, "r") as file:
        check_hdf5(file, name)


def _check_hdf5(source: Path | io.BytesIO, path: Path) -> None:
    import h5py

    try:
        with h5py.File(source, "r") as file:
            check_hdf5(file, path.name)
            config, version = file.attrs.get("model_config"), str(file.attrs.get("keras_version", ""))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path.name} is a damaged or truncated HDF5 file; save or download it again.") from error
    older = not version.startswith("3")
    if config is None:
        config = architecture_of(path)
        if config is None:
            raise UserError(
                f"{path.name} holds weights without an architecture; put model.to_json() beside it as model.json, "
                "or save the whole model with model.save('name.keras')."
            )
        older = not is_of_keras_3(config)
    check_config(config if isinstance(config, str | bytes) else json.dumps(str(config)), path.name, older)
