"""Models that visitors bring: files of this server for as long as the visitor stays, each opened in a process that can reach nothing."""

import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from app.service.classifier_registry import ClassifierRegistry
from errors import UserError
from models.sandbox import landlock, seccomp

MODEL_BYTES = 300_000_000
MOST = 3
UNCLAIMED_SECONDS, KEPT_SECONDS = 300.0, 3600.0
TOKEN = "brought-"
ENDINGS = (".keras", ".h5", ".hdf5", ".zip", ".tflite", ".onnx")


@dataclass
class UploadedModel:
    """A model that was brought. owner: the session that has claimed it."""

    folder: "tempfile.TemporaryDirectory[str]"
    file: Path
    owner: str = ""
    since: float = field(default_factory=time.monotonic)


class ModelUploads:
    """Token -> model. A token cannot be guessed, and is the model's name on the shelf; only whoever brought it knows it."""

    def __init__(self, shelf: ClassifierRegistry, wanted: Callable[[str], bool] = lambda owner: True) -> None:
        """wanted: whether a session is still there."""
        self._shelf, self._wanted = shelf, wanted
        self._guests: dict[str, UploadedModel] = {}
        self._lock = Lock()

    @staticmethod
    def possible() -> bool:
        """Whether this system can keep a stranger's model from its files and from the network; each model's process is asked again."""
        return landlock.version() > 0 and seccomp.possible()

    def room(self, name: str) -> tuple[str, Path]:
        """A token, and the file to write the model to. UserError where the name is no model's, or too many are there.

        One that could not be opened gives way to another.
        """
        self.forget()
        plain = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in " ._-")[-80:].lstrip(". ")
        if not plain.lower().endswith(ENDINGS):
            kinds = "a .keras, .h5, .tflite or .onnx file, or a .zip of Teachable Machine"
            raise UserError(f"{plain or 'This'} is no model file by its name; bring {kinds}.")
        if len(self._guests) >= MOST:
            for token in [token for token in self._guests if self._refused(token)]:
                self.drop(token)
        with self._lock:
            if len(self._guests) >= MOST:
                raise UserError(f"{MOST} models of visitors are here already; try again when one of them has left.")
            folder = tempfile.TemporaryDirectory(prefix="crosscheck-")
            token = f"{TOKEN}{secrets.token_urlsafe(24)}"
            self._guests[token] = UploadedModel(folder, Path(folder.name) / plain)
            return token, self._guests[token].file

    def _refused(self, token: str) -> bool:
        entry = self._shelf.entries.get(token)
        return entry is not None and entry.state == "failed"

    def claim(self, token: object, owner: str) -> str:
        """Offers the model to the session that brought it, and gives its name on the shelf. UserError where there is none."""
        with self._lock:
            guest = self._guests.get(token) if isinstance(token, str) else None
            if guest is None or not guest.file.exists() or guest.owner not in ("", owner):
                raise UserError("That model is no longer here; bring it again.")
            guest.owner = owner
            self._shelf.add(str(token), guest.file)  # before anybody can drop it
        return str(token)

    def of(self, owner: str) -> list[str]:
        """The names on the shelf of what a session has brought."""
        return [name for name, guest in list(self._guests.items()) if owner and guest.owner == owner]

    def drop(self, token: str) -> None:
        """Ends the model's process and deletes its file."""
        with self._lock:
            guest = self._guests.pop(token, None)
        if guest:
            self._shelf.drop(token)
            guest.folder.cleanup()

    def forget(self) -> None:
        """Drops what nobody claimed, what is too old, and what belongs to a session that has left."""
        now = time.monotonic()
        for token, guest in list(self._guests.items()):
            most = KEPT_SECONDS if guest.owner else UNCLAIMED_SECONDS
            if now - guest.since > most or (guest.owner and not self._wanted(guest.owner)):
                self.drop(token)

    def close(self) -> None:
        """Drops everything."""
        for token in list(self._guests):
            self.drop(token)
