"""Visitor-uploaded models: temporary files, each opened in a sandboxed process, for as long as the visitor stays."""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from app.service.classifier_registry import ClassifierRegistry
from app.service.limits import (
    MAX_MODELS,
    MODEL_SECONDS,
    MODEL_UNCLAIMED_SECONDS,
    MODELS_PER_ADDRESS,
    MODELS_PER_OWNER,
    SESSION_GRACE_SECONDS,
)
from app.service.stores.owned_folders import OwnedFolder
from errors import UserError
from models.formats.format_registry import ACCEPTED_UPLOADS, UPLOAD_SUFFIXES
from models.sandbox.sandbox_user import SandboxUser

TOKEN = "brought-"


@dataclass
class UploadedModel:
    """An uploaded model. address: where it came from. owner: the session that has claimed it. arrived: whether all of it has."""

    folder: OwnedFolder
    file: Path
    address: str = ""
    owner: str = ""
    arrived: bool = False
    since: float = field(default_factory=time.monotonic)


class ModelUploads:
    """Token -> model. A token cannot be guessed and is the model's name in the registry; only the visitor who uploaded it knows it."""

    def __init__(
        self,
        registry: ClassifierRegistry,
        present: Callable[[str], bool] = lambda owner: True,
        rested: Callable[[str], float] = lambda owner: 0.0,
        user: SandboxUser | None = None,
    ) -> None:
        """present: whether a session is still there. rested: seconds since its last event.

        user: whose the models' processes become, where this one is root's.
        """
        self._registry, self._present, self._rested, self._user = registry, present, rested, user
        self._models: dict[str, UploadedModel] = {}
        self._lock = Lock()

    def reserve(self, name: str, address: str = "") -> tuple[str, Path]:
        """Returns a token and the file to write the model to. UserError where the name is not a model's, or there are too many.

        A model that could not be opened makes room for another; so does one that is still on its way, for another address: it is the
        oldest of the visitor with the most. A writer of it finds the file's folder gone. So does the one whose visitor has rested longest,
        if that is a quarter of an hour.
        """
        self.evict()
        plain = "".join(letter for letter in Path(name).name if letter.isalnum() or letter in " ._-")[-80:].lstrip(". ")
        if not plain.lower().endswith(UPLOAD_SUFFIXES):
            raise UserError(f"{plain or 'This'} is no model file by its name; bring {ACCEPTED_UPLOADS}.")
        mine = [token for token, model in list(self._models.items()) if address and model.address == address]
        for full, tokens in ((len(mine) >= MODELS_PER_ADDRESS, mine), (len(self._models) >= MAX_MODELS, list(self._models))):
            for token in [token for token in tokens if full and self._failed(token)]:
                self.remove(token)
        with self._lock:
            mine = [token for token in mine if token in self._models]
            if len(mine) >= MODELS_PER_ADDRESS:
                raise UserError(f"{len(mine)} models from your address are here already; try again when one of them has left.")
            displaced = self._displaced(address) if len(self._models) >= MAX_MODELS else None
            if len(self._models) >= MAX_MODELS and displaced is None:
                raise UserError(f"{MAX_MODELS} models of visitors are here already; try again when one of them has left.")
        if displaced:
            self.remove(displaced)
        with self._lock:
            if len(self._models) >= MAX_MODELS:  # another has taken the place
                raise UserError(f"{MAX_MODELS} models of visitors are here already; try again when one of them has left.")
            folder = OwnedFolder()
            token = f"{TOKEN}{secrets.token_urlsafe(24)}"
            self._models[token] = UploadedModel(folder, folder.path / plain, address)
            return token, self._models[token].file

    def arrived(self, token: str) -> None:
        """All of the model's file is written. UserError where the model has made room for another meanwhile."""
        with self._lock:
            if token not in self._models:
                raise UserError("The model made room for another visitor's before all of it had arrived; bring it again.")
            self._models[token].arrived = True
            if self._user:
                self._models[token].folder.share(self._user.group)

    def _displaced(self, address: str) -> str | None:
        """The oldest unfinished model of another address that has more than one, or that of another address which rests."""
        counts = Counter(model.address for model in self._models.values())
        others = {token: model for token, model in self._models.items() if model.address != address}
        for token, model in others.items():
            if not model.arrived and counts[model.address] > 1:
                return token
        resting = {token: self._rested(model.owner) for token, model in others.items() if model.owner}
        longest = max(resting, key=lambda token: resting[token], default=None)
        return longest if longest and resting[longest] >= SESSION_GRACE_SECONDS else None

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
        for older in self.of(owner)[:-MODELS_PER_OWNER]:
            self.remove(older)
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
            model.folder.remove()

    def discard(self, token: str, owner: str) -> None:
        """Removes the model of that token, unless it is another session's."""
        with self._lock:
            model = self._models.get(token)
        if model and model.owner in ("", owner):
            self.remove(token)

    def evict(self) -> None:
        """Removes the models that nobody claimed, that are too old, or whose visitor has left."""
        now = time.monotonic()
        for token, model in list(self._models.items()):
            limit = MODEL_SECONDS if model.owner else MODEL_UNCLAIMED_SECONDS
            if now - model.since > limit or (model.owner and not self._present(model.owner)):
                self.remove(token)

    def close(self) -> None:
        """Removes all models."""
        for token in list(self._models):
            self.remove(token)
