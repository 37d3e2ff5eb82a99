"""Uploaded pictures on their way to a session: their bytes in memory, never on disk, for a few minutes."""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from threading import Lock

from app.service import limits
from app.service.stores.expiring_store import ExpiringStore
from errors import UserError


@dataclass(frozen=True)
class UploadedPicture:
    """A picture as it was chosen: the file's bytes and its name. page: of files with several, from 1. Equal where bytes and page are."""

    data: bytes = field(repr=False, compare=False)
    name: str = field(compare=False)
    sha256: str
    example: str = field(default="", compare=False)
    page: int = 1

    @classmethod
    def of(cls, data: bytes, name: str, example: str = "") -> "UploadedPicture":
        return cls(data, name, hashlib.sha256(data).hexdigest(), example)

    @property
    def bare(self) -> "UploadedPicture":
        """The same picture without its bytes and its name: enough to identify it once it has been decoded."""
        return replace(self, data=b"", name="")


@dataclass(frozen=True)
class _Waiting:
    picture: UploadedPicture
    owner: str


class PictureUploads:
    """Token -> picture. A token cannot be guessed and is taken once; a picture that nobody takes is dropped.

    Where there are too many or too large ones, the oldest of the visitor with the most is dropped first.
    """

    def __init__(
        self,
        max_seconds: float = limits.WAITING_PICTURE_SECONDS,
        max_bytes: int = limits.WAITING_PICTURE_BYTES,
        max_bytes_per_owner: int = limits.WAITING_PICTURE_BYTES_PER_ADDRESS,
        max_count_per_owner: int = limits.WAITING_PICTURES_PER_ADDRESS,
    ) -> None:
        self._max_bytes, self._max_bytes_per_owner, self._max_count_per_owner = max_bytes, max_bytes_per_owner, max_count_per_owner
        self._waiting: ExpiringStore[str, _Waiting] = ExpiringStore(None, max_seconds)
        self._lock = Lock()

    def put(self, data: bytes, name: str, owner: str = "") -> str:
        """Stores the picture and returns the token that takes it. owner: the address that it came from."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting.put(token, _Waiting(UploadedPicture.of(data, name), owner))
            while dropped := self._dropped():
                self._waiting.pop(dropped)
        return token

    def _dropped(self) -> str | None:
        """The token of the picture that has to go next; the newest of all stays."""
        waiting = self._waiting.items()
        held, counts = Counter[str](), Counter[str]()
        for _, each in waiting:
            held[each.owner] += len(each.picture.data)
            counts[each.owner] += 1
        greedy = {owner for owner in held if held[owner] > self._max_bytes_per_owner or counts[owner] > self._max_count_per_owner}
        if not greedy and held.total() > self._max_bytes:
            greedy = {held.most_common(1)[0][0]}
        return next((token for token, each in waiting[:-1] if each.owner in greedy), None)

    def take(self, token: object) -> UploadedPicture:
        """The picture of that token, once. UserError where there is none."""
        self.evict()
        waiting = self._waiting.pop(token) if isinstance(token, str) else None
        if waiting is None:
            raise UserError("That picture is no longer here; choose it again.")
        return waiting.picture

    def discard(self, token: str) -> None:
        """Drops the picture of that token, if it still waits."""
        self._waiting.pop(token)

    def evict(self) -> None:
        """Drops the pictures that nobody has taken for too long."""
        self._waiting.evict()

    def __len__(self) -> int:
        self.evict()
        return len(self._waiting)
