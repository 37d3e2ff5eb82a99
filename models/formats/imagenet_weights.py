"""MobileNetV2's ImageNet weights: fetched from Keras' own address once, checked, and kept in the program's cache folder."""

import base64
import hashlib
import http.client
import os
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from errors import UserError
from models.output.atomic_files import atomic_file
from models.sandbox.checks.safe_text import error_reason, printable_text

NETWORK = "MobileNetV2"
"""The network whose weights are fetched here; Keras fetches those of the others."""
SOURCE_VARIABLE, CACHE_VARIABLE = "CROSSCHECK_IMAGENET_SOURCE", "CROSSCHECK_CACHE"
TITLE = f"{NETWORK} on ImageNet"
SCHEMES = ("https", "http", "file")
LARGEST = 100_000_000
"""Bytes: the most that another source may send, and several times the published file."""
STALLED_SECONDS, LONGEST_SECONDS = 20.0, 900.0
"""Without a byte, and for the whole file: 14 MB at 130 kbit/s."""
CHUNK = 65_536
_ADVICE = "Choose it again later, or choose another classifier."

Progress = Callable[[int, int], None]
"""Takes the bytes that have arrived and the bytes of the whole file."""


@dataclass(frozen=True)
class WeightsDownloadSource:
    """Where the weights are. size: bytes, 0 where only the server knows it. sha256: hex digits, empty where the server states the hash.

    Keras' source pins no hash of this file; the storage that publishes it sends its MD5 with it, in the header x-goog-hash.
    """

    address: str
    size: int = 0
    sha256: str = ""

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urllib.parse.urlsplit(self.address).hostname or "this machine"


PUBLISHED = WeightsDownloadSource(
    "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    14_536_120,
)


def configured_weights_source() -> WeightsDownloadSource:
    """What CROSSCHECK_IMAGENET_SOURCE names, an address that may end in #sha256=HEX, or the published file. UserError."""
    given = os.environ.get(SOURCE_VARIABLE)
    if not given:
        return PUBLISHED
    address, _, fragment = given.partition("#")
    if urllib.parse.urlsplit(address).scheme not in SCHEMES or not re.fullmatch(r"|sha256=[0-9a-f]{64}", fragment):
        raise UserError(
            f"{SOURCE_VARIABLE} is {printable_text(given, 200)!r}; give an address of https, http or file, with #sha256=HEX after it."
        )
    return WeightsDownloadSource(address, sha256=fragment.removeprefix("sha256="))


def cache_folder() -> Path:
    """CROSSCHECK_CACHE, or the folder crosscheck in the user's folder of caches. It may not exist."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crosscheck"


def format_megabytes(size: int) -> str:
    """14536120 -> 14.5, without the unit."""
    return f"{size / 1e6:.1f}"


class ImagenetWeights:
    """The weights' file. source, folder: by the environment where they are None."""

    def __init__(
        self, source: WeightsDownloadSource | None = None, folder: Path | None = None, stalled_seconds: float = STALLED_SECONDS
    ) -> None:
        self.source = source or configured_weights_source()
        self._folder = (folder or cache_folder()) / "imagenet" / hashlib.sha256(self.source.address.encode()).hexdigest()[:12]
        self._stalled_seconds = stalled_seconds

    @property
    def cached(self) -> Path | None:
        """The file, if it is here; its name is its SHA-256, by which it is checked each time."""
        try:
            found = sorted(self._folder.glob("*.h5"))
        except OSError:
            return None
        return next((file for file in found if self._intact(file)), None)

    def _intact(self, file: Path) -> bool:
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError:
            return False
        return file.stem == digest and self.source.sha256 in ("", digest)

    def fetch(self, on_progress: Progress = lambda arrived, size: None) -> Path:
        """The file, downloaded where it is not here; of several that ask in this process one downloads and the others wait. UserError.

        It appears whole or not at all: an interrupted download begins again.
        """
        with _LOCK:
            if cached := self.cached:
                return cached
            content = self._download(on_progress)
            place = self._folder / f"{hashlib.sha256(content).hexdigest()}.h5"
            self._write(place, content)
            return place

    def _write(self, place: Path, content: bytes) -> None:
        """Visitors read the sentence, and the server's folders are not theirs to know."""
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(place) as file:
                file.write(content)
        except (OSError, UserError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else error_reason(error)
            raise UserError(
                f"{TITLE} was fetched but cannot be kept ({reason}); make room in the cache folder, or name another by {CACHE_VARIABLE}."
            ) from error

    def _download(self, on_progress: Progress) -> bytes:
        request = urllib.request.Request(self.source.address, headers={"User-Agent": "Crosscheck"})
        try:
            with urllib.request.urlopen(request, timeout=self._stalled_seconds) as response:
                return self._checked(self._receive(response, on_progress), response.headers)
        except urllib.error.HTTPError as error:
            raise _not_fetched(f"{self.source.host} answers {error.code} {printable_text(error.reason)}", _ADVICE) from error
        except TimeoutError as error:
            raise self._stalled() from error
        except (OSError, http.client.HTTPException) as error:  # urllib's own errors of the network among them
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise self._stalled() from error
            cause = getattr(error, "reason", error)  # what urllib's error wraps
            reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else error_reason(error)
            raise _not_fetched(
                f"{self.source.host} cannot be reached ({reason})",
                "Connect the server to the network and choose it again, or choose another classifier.",
            ) from error

    def _receive(self, response: Any, on_progress: Progress) -> bytes:
        """The body, as long as was promised."""
        length = response.headers.get("Content-Length", "")
        size = self.source.size or (int(length) if length.isdecimal() else 0)
        if not 0 < size <= LARGEST or (length and int(length) != size):
            raise _not_fetched(
                f"{self.source.host} offers {printable_text(length or 'an unknown number of')} bytes, not this file", _ADVICE
            )
        arrived, end = bytearray(), time.monotonic() + LONGEST_SECONDS
        on_progress(0, size)
        while len(arrived) < size and (part := response.read1(min(CHUNK, size - len(arrived)))):
            arrived += part
            on_progress(len(arrived), size)
            if time.monotonic() > end:
                raise self._stalled()
        if len(arrived) < size:
            raise _not_fetched(f"only {format_megabytes(len(arrived))} of {format_megabytes(size)} MB arrived", _ADVICE)
        return bytes(arrived)

    def _checked(self, content: bytes, headers: Message) -> bytes:
        """The content, if its hash is the one that the source pins, or the one that the server states. UserError."""
        stated = _stated_md5(headers)
        if self.source.sha256:
            expected, found = self.source.sha256, hashlib.sha256(content).hexdigest()
        elif stated:
            expected, found = stated, hashlib.md5(content, usedforsecurity=False).hexdigest()
        else:
            raise _not_fetched(
                f"{self.source.host} states no hash to check it by", f"Put #sha256=HEX behind the address in {SOURCE_VARIABLE}."
            )
        if found != expected:
            raise _not_fetched(f"what arrived is not the published file (hash {found[:12]}... instead of {expected[:12]}...)", _ADVICE)
        return content

    def _stalled(self) -> UserError:
        return _not_fetched(f"{self.source.host} stopped sending", _ADVICE)


_LOCK = threading.Lock()


def _stated_md5(headers: Message) -> str:
    """Hex digits of the MD5 in Google Cloud Storage's header x-goog-hash (crc32c=...,md5=...); empty where there is none."""
    for part in ",".join(headers.get_all("x-goog-hash") or ()).split(","):
        name, _, value = part.strip().partition("=")
        if name == "md5":
            try:
                return base64.b64decode(value, validate=True).hex()
            except ValueError:
                return ""
    return ""


def _not_fetched(reason: str, advice: str) -> UserError:
    return UserError(f"{TITLE} could not be fetched: {reason}. {advice}")
