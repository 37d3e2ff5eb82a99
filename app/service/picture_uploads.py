"""Pictures on their way from the browser to a session: untouched bytes in memory, never on disk, for a few minutes."""

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock

from errors import UserError

KEPT_SECONDS = 600.0
KEPT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Picture:
    """A picture as it was chosen: the file's bytes and its name. Equal where the bytes are."""

    data: bytes = field(repr=False, compare=False)
    name: str = field(compare=False)
    sha256: str
    example: str = field(default="", compare=False)

    @classmethod
    def of(cls, data: bytes, name: str, example: str = "") -> "Picture":
        return cls(data, name, hashlib.sha256(data).hexdigest(), example)

    @property
    def bare(self) -> "Picture":
        """The same picture without its bytes and its name: enough to know it by once it has been decoded."""
        return replace(self, data=b"", name="")


class PictureUploads:
    """Token -> picture. A token cannot be guessed, and is taken once; what nobody takes is dropped, oldest first."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_seconds = kept_seconds
        self._kept_bytes = kept_bytes
        self._waiting: OrderedDict[str, tuple[float, Picture]] = OrderedDict()
        self._lock = Lock()

    def put(self, data: bytes, name: str) -> str:
        """Keeps the picture and gives the token that takes it."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting[token] = (time.monotonic(), Picture.of(data, name))
            self._drop()
        return token

    def take(self, token: object) -> Picture:
        """The picture of that token, once. UserError where there is none."""
        with self._lock:
            self._drop()
            _, picture = self._waiting.pop(token, (0.0, None)) if isinstance(token, str) else (0.0, None)
        if picture is None:
            raise UserError("That picture is no longer here; choose it again.")
        return picture

    def __len__(self) -> int:
        with self._lock:
            self._drop()
            return len(self._waiting)

    def forget(self) -> None:
        """Drops what nobody has taken for too long."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        oldest = time.monotonic() - self._kept_seconds
        size = sum(len(picture.data) for _, picture in self._waiting.values())
        for token, (arrived, picture) in list(self._waiting.items()):
            if arrived >= oldest and size <= self._kept_bytes:
                break
            size -= len(picture.data)
            del self._waiting[token]
