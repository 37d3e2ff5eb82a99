"""The photographs and the classifier that some benchmarks need in addition to the repository, and the error where they are missing."""

from pathlib import Path

from errors import UserError
from tests.data import data_folder

MODEL = ("models", "imagenet_mobilenet_v2", "model.keras")
PHOTOGRAPHS = "natural"


def required_data(*parts: str) -> Path:
    """A file or folder of the data folder; UserError where it is not there."""
    path = data_folder().joinpath(*parts)
    if not path.exists():
        raise UserError(f"This benchmark needs {path}, which is not there; name the data folder: CROSSCHECK_DATA=FOLDER.")
    return path
