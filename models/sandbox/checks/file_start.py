"""The first bytes of a file, and what they reveal of a file that is not a model."""

from pathlib import Path

from errors import UserError
from models.sandbox.checks.unsupported_formats import unsupported_format_sentence

_OTHERS = {
    b"version https://git-lfs": "is a Git LFS pointer, not the file it stands for; fetch that with 'git lfs pull'.",
    b"<!doctype": "is a web page, perhaps the page around the download; download the file itself.",
    b"<html": "is a web page, perhaps the page around the download; download the file itself.",
    b"<?xml": "is an XML file, perhaps a server's error message; download the file itself.",
    b"\x80": "is a pickle, which is a program that would run here; ask for a .keras file.",
    b"{": "is JSON, an architecture or an error message without weights; save the whole model with model.save('name.keras').",
}


def read_first_bytes(path: Path) -> bytes:
    """The file's first 64 bytes. UserError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise UserError(f"{path.name} cannot be read ({error.strerror}); give a file that may be read.") from error


def not_a_model_error(path: Path, start: bytes) -> UserError:
    """An error that says what a file that is not a model seems to be. start: its first bytes."""
    if sentence := unsupported_format_sentence(path, start):
        return UserError(sentence)
    if not start:
        return UserError(f"{path.name} is no Keras model: it is empty; download it again.")
    plain = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for sign, words in _OTHERS.items():
        if plain.startswith(sign):
            return UserError(f"{path.name} is no Keras model: it {words}")
    seen = "it begins with " + repr(start[:8])[1:]
    return UserError(f"{path.name} is no Keras model: {seen}; a .keras file is a zip archive, a .h5 file HDF5. Was it downloaded whole?")
