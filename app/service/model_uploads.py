"""Visitor-uploaded models: temporary files, each opened in a sandboxed process, for as long as the visitor stays."""

import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from app.service.classifier_registry import ClassifierRegistry
from errors import UserError
from models.formats.registry import UPLOAD_SUFFIXES, UPLOADED
from models.sandbox import landlock, seccomp

MODEL_BYTES = 300_000_000
MAX_MODELS = 3
MAX_UNCLAIMED_SECONDS, MAX_SECONDS = 300.0, 3600.0
TOKEN = "brought-"


@dataclass
class UploadedModel:
    """An uploaded model. owner: the session that has claimed it."""

    folder: "tempfile.TemporaryDirectory[str]"
    file: Path
    owner: str = ""
    since: float = field(default_factory=time.monotonic)


class ModelUploads:
    """Token -> model. A token cannot be guessed and is the model's name in the registry; only the visitor who uploaded it knows it."""

    def __init__(self, registry: ClassifierRegistry, present: Callable[[str], bool] = lambda owner: True) -> None:
        """present: whether a session is still there."""
        self._registry, self._present = registry, present
        self._models: dict[str, UploadedModel] = {}
        self._lock = Lock()

    @staticmethod
    def possible() -> bool:
        """Whether this system can confine an untrusted model; each model's process is checked again."""
        return landlock.version() > 0 and seccomp.possible()

    def reserve(self, name: str) -> tuple[str, Path]:
        """Returns a token and the file to write the model to. UserError where the name is not a model's, or there are too many.

        A model that could not be opened makes room for another.
        """
        self.evict()
        plain = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in " ._-")[-80:].lstrip(". ")
        if not plain.lower().endswith(UPLOAD_SUFFIXES):
            raise UserError(f"{plain or 'This'} is no model file by its name; bring {UPLOADED}.")
        if len(self._models) >= MAX_MODELS:
            for token in [token for token in self._models if self._failed(token)]:
                self.remove(token)
        with self._lock:
            if len(self._models) >= MAX_MODELS:
                raise UserError(f"{MAX_MODELS} models of visitors are here already; try again when one of them has left.")
            folder = tempfile.TemporaryDirectory(prefix="crosscheck-")
            token = f"{TOKEN}{secrets.token_urlsafe(24)}"
            self._models[token] = UploadedModel(folder, Path(folder.name) / plain)
            return token, self._models[token].file

    def _failed(self, token: str) -> bool:
        entry = self._registry.entries.get(token)
        return entry is not None and entry.state == "failed"

    def claim(self, token: object, owner: str) -> str:
        """Offers the model to the session that uploaded it and returns its name in the registry. UserError where there is none."""
        with self._lock:
            model = self._models.get(token) if isinstance(token, str) else None
            if model is None or not model.file.exists() or model.owner not in ("", owner):
                raise UserError("That model is no longer here; bring it again.")
            model.owner = owner
            self._registry.add(str(token), model.file)  # before it can be removed
        return str(token)

    def of(self, owner: str) -> list[str]:
        """The names of the models that a session has uploaded."""
        return [name for name, model in list(self._models.items()) if owner and model.owner == owner]

    def remove(self, token: str) -> None:
        """Ends the model's process and deletes its file."""
        with self._lock:
            model = self._models.pop(token, None)
        if model:
            self._registry.remove(token)
            model.folder.cleanup()

    def evict(self) -> None:
        """Removes the models that nobody claimed, that are too old, or whose visitor has left."""
        now = time.monotonic()
        for token, model in list(self._models.items()):
            limit = MAX_SECONDS if model.owner else MAX_UNCLAIMED_SECONDS
            if now - model.since > limit or (model.owner and not self._present(model.owner)):
                self.remove(token)

    def close(self) -> None:
        """Removes all models."""
        for token in list(self._models):
            self.remove(token)
