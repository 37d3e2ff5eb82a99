"""Uploaded pictures on their way to a session: their bytes in memory, never on disk, for a few minutes."""

import hashlib
import secrets
from dataclasses import dataclass, field, replace

from app.service.expiring_store import ExpiringStore
from errors import UserError

MAX_SECONDS = 600.0
MAX_BYTES = 256 * 1024 * 1024


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
        """The same picture without its bytes and its name: enough to identify it once it has been decoded."""
        return replace(self, data=b"", name="")


class PictureUploads:
    """Token -> picture. A token cannot be guessed and is taken once; a picture that nobody takes is dropped, the oldest first."""

    def __init__(self, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> None:
        self._waiting: ExpiringStore[str, Picture] = ExpiringStore(None, max_seconds, max_bytes, lambda picture: len(picture.data))

    def put(self, data: bytes, name: str) -> str:
        """Stores the picture and returns the token that takes it."""
        token = secrets.token_urlsafe(24)
        self._waiting.put(token, Picture.of(data, name))
        return token

    def take(self, token: object) -> Picture:
        """The picture of that token, once. UserError where there is none."""
        self.evict()
        picture = self._waiting.pop(token) if isinstance(token, str) else None
        if picture is None:
            raise UserError("That picture is no longer here; choose it again.")
        return picture

    def evict(self) -> None:
        """Drops the pictures that nobody has taken for too long."""
        self._waiting.evict()

    def __len__(self) -> int:
        self.evict()
        return len(self._waiting)
