"""The supported model formats, and everything that lists them: suffixes, sentences, the table of the documentation."""

from pathlib import Path
from typing import Any

from errors import UserError
from models.formats.keras_archive import KERAS_ARCHIVE
from models.formats.keras_folder import KERAS_FOLDER
from models.formats.keras_hdf5 import KERAS_HDF5
from models.formats.model_format import ModelCapabilities, ModelFormat
from models.formats.onnx import ONNX
from models.formats.saved_model import SAVED_MODEL
from models.formats.tensorflow_js import TENSORFLOW_JS
from models.formats.tflite import TFLITE
from models.formats.zip_archive import make_zip_archive_format
from models.output.markdown import markdown_table
from models.sandbox.checks.file_kinds import check_file_is_one_kind
from models.sandbox.checks.file_start import not_a_model_error, read_first_bytes

SINGLE: tuple[ModelFormat, ...] = (
    KERAS_ARCHIVE,
    KERAS_FOLDER,
    KERAS_HDF5,
    TENSORFLOW_JS,
    SAVED_MODEL,
    TFLITE,
    ONNX,
)
"""The formats of single models, in the order in which they are tried. A new format is a line here."""

ZIP_ARCHIVE = make_zip_archive_format(SINGLE)
FORMATS = (*SINGLE, ZIP_ARCHIVE)

SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)
UPLOAD_SUFFIXES = tuple(suffix for each in FORMATS if each.upload for suffix in each.suffixes)
KERAS_SUFFIXES = tuple(suffix for each in SINGLE if each.provides == ModelCapabilities.EVERYTHING for suffix in each.suffixes)
HUB_NAMES = tuple(name for each in SINGLE for name in each.suffixes or (each.marker,))


def _join(examples: list[str]) -> str:
    return f"{', '.join(examples[:-1])} or {examples[-1]}"


FOLDER_MARKERS = tuple(each.marker for each in SINGLE if each.marker)
_FOLDERS = [each.example for each in SINGLE if each.marker]
ACCEPTED = f"a {_join([each.example for each in SINGLE if each.suffixes])} file, {', '.join(_FOLDERS)}, a zip archive of one, " + (
    "or a folder that holds one"
)
"""The accepted models, for messages."""

ACCEPTED_IN_FOLDER = f"{', '.join(SUFFIXES)} or {' or '.join(_FOLDERS)}"
ACCEPTED_UPLOADS = f"a {_join([each.example for each in SINGLE if each.upload and each.suffixes])} file, or {ZIP_ARCHIVE.example}"
"""The uploads accepted from visitors, for messages."""


def detect_model_format(path: Path) -> ModelFormat:
    """The format of a file or folder, by its content and not by its name. UserError says what an unsupported one seems to be."""
    start = b"" if path.is_dir() else read_first_bytes(path)
    found = next((each for each in FORMATS if each.recognise(path, start)), None)
    if found is None:
        raise not_a_model_error(path, start)
    return found


def check_model_file(path: Path) -> None:
    """Runs the static check of a model's file, or of a SavedModel's folder. UserError says in one sentence what is wrong and what to do.

    Nothing is built. A SavedModel's operations are checked when it is opened, a TFLite or ONNX file only by its runtime.
    """
    found = detect_model_format(path)
    if path.is_file():
        check_file_is_one_kind(path)
    found.check(path)


def open_model(path: Path) -> Any:
    """A Keras model (2 or 3), or a `Network`. UserError says in one sentence why it cannot be opened."""
    return detect_model_format(path).open(path)


def open_keras_model(path: Path) -> Any:
    """As `open_model`, for Keras files only, whose layers and weights are accessible."""
    found = detect_model_format(path)
    if found.provides != ModelCapabilities.EVERYTHING:
        raise UserError(f"{path.name} is no file of Keras; give a {_join(list(KERAS_SUFFIXES))} file.")
    return found.open(path)


def is_model_folder(path: Path) -> bool:
    """Whether a folder holds what makes it a model."""
    folders = [each for each in SINGLE if each.marker and all((path / file).is_file() for file in (each.marker, *each.companions))]
    return any(each.recognise(path, b"") for each in folders)


def is_model_path(path: Path) -> bool:
    """Whether a file has the suffix of a model, or a folder holds what makes it one."""
    return path.suffix in SUFFIXES or is_model_folder(path)


def strip_format_suffix(name: str) -> str:
    """A model file's name without the suffix of its format."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def markdown_format_table() -> str:
    """The Markdown table of the formats, for the documentation."""
    rows = [(each.title, each.provides) for each in FORMATS]
    return markdown_table(("format", "what works"), rows)
