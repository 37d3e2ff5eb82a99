"""Static checks of untrusted Keras files before TensorFlow is imported: is the format valid, and does it name layers alone?"""

import io
import json
import zipfile
from pathlib import Path

from errors import UserError
from models.cards.sidecar_files import read_architecture
from models.sandbox.checks.hdf5 import check_hdf5
from models.sandbox.checks.model_config import LONGEST, check_model_config, is_keras_3_config
from models.sandbox.checks.model_size import check_saved_model_folder
from models.sandbox.checks.safe_text import printable_text
from models.sandbox.checks.zip_members import open_checked_archive, open_zip_archive

_KNOWN_MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}


def is_keras_archive(path: Path) -> bool:
    """Whether a zip archive is a .keras file. A damaged one counts: opening it reports what is damaged."""
    try:
        with open_zip_archive(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        return True


def check_keras_archive(path: Path) -> None:
    """Checks a .keras file: its members, its configuration and its weights. UserError."""
    with open_checked_archive(path) as archive:
        _check_members(archive, path.name)


def is_keras_2_archive(archive: zipfile.ZipFile) -> bool:
    """Whether Keras 2 wrote a .keras file: its metadata give the version; where they are missing, its modules tell."""
    try:
        version = str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (KeyError, ValueError, TypeError):
        return b'"keras.src.engine' in (config := archive.read("config.json")) or b'"keras.engine' in config
    return version.startswith("2")


def check_keras_folder(folder: Path) -> None:
    """Checks a folder with a configuration and weights, as Keras 3 writes it: its files, configuration and weights. UserError."""
    check_saved_model_folder(folder)
    config = folder / "config.json"
    if config.stat().st_size > LONGEST:
        raise UserError(f"{folder.name} describes its layers in more than {LONGEST / 1e6:.0f} MB; rebuild the model and save it again.")
    check_model_config(config.read_bytes(), folder.name)
    _check_weights(folder / "model.weights.h5", folder.name)


def check_keras_hdf5(path: Path, source: io.BytesIO | None = None) -> None:
    """Checks an .h5 file: its structure and its configuration, or that of the architecture next to it. UserError.

    source: the file's content, where it lies in the archive at `path`.
    """
    _check_hdf5(source or path, path)


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    if missing := {"config.json", "model.weights.h5"} - set(archive.namelist()):
        raise UserError(f"{name} is a zip archive without {' and '.join(sorted(missing))}; give a file saved by model.save('name.keras').")
    for member in archive.namelist():
        if member not in _KNOWN_MEMBERS:
            raise UserError(f"{name} brings a file of its own, '{printable_text(member)}', as no image classifier does; save it without.")
    if archive.getinfo("config.json").file_size > LONGEST:
        raise UserError(f"{name} describes its layers in more than {LONGEST / 1e6:.0f} MB; rebuild the model and save it again.")
    check_model_config(archive.read("config.json"), name, is_keras_2_archive(archive))
    _check_weights(io.BytesIO(archive.read("model.weights.h5")), name)


def _check_weights(content: io.BytesIO | Path, name: str) -> None:
    import h5py

    try:
        with h5py.File(content, "r") as file:
            check_hdf5(file, name)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{name} holds damaged or truncated weights; save or download it again.") from error


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
        config = read_architecture(path)
        if config is None:
            raise UserError(
                f"{path.name} holds weights without an architecture; put model.to_json() beside it as model.json, "
                "or save the whole model with model.save('name.keras')."
            )
        older = not is_keras_3_config(config)
    check_model_config(config if isinstance(config, str | bytes) else json.dumps(str(config)), path.name, older)
