"""What a file is by its first bytes, whatever it is called; what is no model at all gets a sentence of its own."""

from pathlib import Path
from typing import Literal

from errors import UserError
from models.checks.unsupported import other_format

Kind = Literal["zip", "hdf5", "tflite", "onnx"]

_STARTS: dict[bytes, Kind] = {b"PK": "zip", b"\x89HDF\r\n\x1a\n": "hdf5"}
_OTHERS = {
    b"version https://git-lfs": "is a Git LFS pointer, not the file it stands for; fetch that with 'git lfs pull'.",
    b"<!doctype": "is a web page, perhaps the page around the download; download the file itself.",
    b"<html": "is a web page, perhaps the page around the download; download the file itself.",
    b"<?xml": "is an XML file, perhaps a server's error message; download the file itself.",
    b"\x80": "is a pickle, which is a program that would run here; ask for a .keras file.",
    b"{": "is JSON, an architecture or an error message without weights; save the whole model with model.save('name.keras').",
}


def kind_of(path: Path) -> Kind:
    """UserError where it is no model file, with what it seems to be."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise UserError(f"{path.name} cannot be read ({error.strerror}); give a file that may be read.") from error
    for sign, kind in _STARTS.items():
        if start.startswith(sign):
            return kind
    if start[4:8] == b"TFL3":
        return "tflite"
    if path.suffix == ".onnx" and start[:1] == b"\x08":  # the field ir_version, with which every writer begins
        return "onnx"
    if words := other_format(path, start):
        raise UserError(words)
    if not start:
        raise UserError(f"{path.name} is no Keras model: it is empty; download it again.")
    plain = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for sign, words in _OTHERS.items():
        if plain.startswith(sign):
            raise UserError(f"{path.name} is no Keras model: it {words}")
    seen = "it begins with " + repr(start[:8])[1:]
    raise UserError(f"{path.name} is no Keras model: {seen}; a .keras file is a zip archive, a .h5 file HDF5. Was it downloaded whole?")
