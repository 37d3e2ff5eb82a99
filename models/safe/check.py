"""The look at a stranger's model file before TensorFlow is there: is it what it says, and does it name anything but layers of Keras?"""

import io
import json
import zipfile
from pathlib import Path

from errors import UserError
from models.safe.archive import check_members
from models.safe.config import LONGEST, check_config
from models.safe.hdf5 import check_hdf5
from models.safe.kinds import kind_of
from models.safe.words import shown

_KNOWN_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}


def check(path: Path) -> None:
    """Of a .keras or .h5 file. UserError says in one sentence what was found and what to do. Nothing is built and no code runs."""
    kind = kind_of(path)
    if kind == "zip":
        _check_keras(path)
    elif kind == "hdf5":
        _check_hdf5(path)
    else:
        raise UserError(f"{path.name} is a {kind}, which cannot be looked at beforehand; open it with --trust if you know who made it.")


def _check_keras(path: Path) -> None:
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive, name)
            if missing := {"config.json", "model.weights.h5"} - set(archive.namelist()):
                raise UserError(
                    f"{name} is a zip archive without {' and '.join(sorted(missing))}; give a file saved by model.save('name.keras')."
                )
            for member in archive.namelist():
                if member not in _KNOWN_MEMBERS:
                    raise UserError(f"{name} brings a file of its own, '{shown(member)}', as no image classifier does; save it without.")
            if archive.getinfo("config.json").file_size > LONGEST:
                raise UserError(f"{name} describes its layers in more than {LONGEST / 1e6:.0f} MB; rebuild the model and save it again.")
            check_config(archive.read("config.json"), name)
            _check_weights(io.BytesIO(archive.read("model.weights.h5")), name)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(f"{name} is a damaged or truncated .keras file; save or download it again.") from error


def _check_weights(content: io.BytesIO, name: str) -> None:
    import h5py

    with h5py.File(content, "r") as file:
        check_hdf5(file, name)


def _check_hdf5(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            check_hdf5(file, path.name)
            config, version = file.attrs.get("model_config"), str(file.attrs.get("keras_version", ""))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path.name} is a damaged or truncated HDF5 file; save or download it again.") from error
    if config is None:
        raise UserError(f"{path.name} holds weights without an architecture; save the whole model with model.save('name.keras').")
    check_config(config if isinstance(config, str | bytes) else json.dumps(str(config)), path.name, older=not version.startswith("3"))
