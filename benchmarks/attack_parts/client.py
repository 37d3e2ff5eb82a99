"""Visitors without a browser, each from an address of its own on the loopback network, who may leave in the middle."""

import contextlib
import http.client
import io
import itertools
import json
import random
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from PIL import Image

from tests.serving import Server, Visitor, patched

JSON = {"Content-Type": "application/json"}
JOIN = "/gradio_api/queue/join"
PATIENCE = 120.0
"""Seconds after which a visitor of these benchmarks gives up."""
_hosts = itertools.count(2)


def new_address() -> str:
    """An address of the loopback network that nobody here has used yet."""
    number = next(_hosts)
    return f"127.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


class Gone(OSError):  # noqa: N818 - it says what became of the answer
    """The answer did not come in time, or the server closed the connection."""


@dataclass
class Access:
    """The way to a server from one address; stands for `tests.serving.Server` in a visitor."""

    address: str
    source: str
    patience: float = PATIENCE

    def connect(self, patience: float | None = None) -> http.client.HTTPConnection:
        host = urlsplit(self.address)
        return http.client.HTTPConnection(
            host.hostname or "", host.port, timeout=patience or self.patience, source_address=(self.source, 0)
        )

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body. Raises OSError or http.client.HTTPException."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def raw(self) -> socket.socket:
        """A bare connection."""
        host = urlsplit(self.address)
        return socket.create_connection((host.hostname, host.port), timeout=self.patience, source_address=(self.source, 0))


class Guest(Visitor):
    """A visitor who keeps the page open until `leave`, and does not wait for ever."""

    def __init__(self, server: Server | Access, classifier: str = "phantoms", source: str = "", patience: float = PATIENCE) -> None:
        self.access = Access(server.address, source or new_address(), patience)
        super().__init__(cast(Server, self.access))
        self.inputs |= {"classifier": classifier, "methods": ["GradCAM", "Occlusion"]}
        self._heartbeat: tuple[http.client.HTTPConnection, http.client.HTTPResponse] | None = None

    def stay(self) -> None:
        """Opens the connection by whose end the page is known to be closed."""
        connection = self.access.connect()
        connection.request("GET", f"/gradio_api/heartbeat/{self.session}")
        self._heartbeat = connection, connection.getresponse()

    def leave(self) -> None:
        """Closes the page."""
        if self._heartbeat:
            for end in reversed(self._heartbeat):
                end.close()
            self._heartbeat = None

    def send(self, component: str, event: str, data: Any = None, **inputs: Any) -> tuple[str, dict[str, Any]]:
        """Sends an event and waits for nothing: its id, and the page's description of it. Gone where it is refused."""
        index, dependency = self._dependency(component, event)
        given = {**self.inputs, **inputs}
        values = [given[self.names[number]] for number in dependency["inputs"]]
        payload = {"data": values, "event_data": data, "fn_index": index, "session_hash": self.session, "trigger_id": None}
        status, _, body = self.access.ask("POST", JOIN, json.dumps(payload), JSON)
        if status != 200:
            raise Gone(f"HTTP {status}: {sentence_in(body)}")
        return str(json.loads(body)["event_id"]), dependency

    def do(self, component: str, event: str, data: Any = None, **inputs: Any) -> dict[str, Any]:
        """As a visitor's, but Gone where the end does not come in time; what was painted last is remembered as the page's status."""
        event_id, dependency = self.send(component, event, data, **inputs)
        last: list[Any] = []
        painted: dict[str, Any] = {}
        for message in self.messages():
            if message.get("event_id") != event_id:
                continue
            if message["msg"] in ("process_generating", "process_completed") and message.get("success", True):
                new = message["output"].get("data", [])
                generating = message["msg"] == "process_generating" and last
                last = [patched(old, one) if generating else one for old, one in zip(last or new, new, strict=False)] or last
                pairs = ((self.names[number], value) for number, value in zip(dependency["outputs"], last, strict=False))
                painted |= {name: value for name, value in pairs if not _no_change(value)}
            if message["msg"] == "process_completed":
                break
        else:
            raise Gone("the answer broke off")
        if isinstance(painted.get("status"), dict) and painted["status"].get("run"):
            self.inputs["status"] = painted["status"]
        return painted | {"success": message.get("success"), "output": message.get("output")}

    def messages(self) -> Iterator[dict[str, Any]]:
        """The session's stream. Gone where it takes longer than the visitor's patience."""
        limit = time.monotonic() + self.access.patience
        connection = self.access.connect()
        try:
            connection.request("GET", f"/gradio_api/queue/data?session_hash={self.session}")
            for line in connection.getresponse():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])
                if time.monotonic() > limit:
                    raise Gone(f"no answer within {self.access.patience:g} s")
        except TimeoutError as error:
            raise Gone(f"no answer within {self.access.patience:g} s") from error
        finally:
            connection.close()

    def explain(self, data: bytes, **inputs: Any) -> dict[str, Any]:
        """Maps of a picture by the chosen classifier."""
        return self.do("picture", "pick", {"token": self.upload(data)}, **inputs)

    def upload(self, data: bytes, name: str = "test") -> str:
        """The token of a picture. Gone where it is refused."""
        status, _, body = self.access.ask("POST", f"/crosscheck/picture?name={name}", data)
        if status != 200:
            raise Gone(f"HTTP {status}: {sentence_in(body)}")
        return str(json.loads(body)["token"])

    def bring(self, data: bytes, name: str) -> tuple[str, dict[str, Any]]:
        """Uploads a model and offers it: its name ("" where it was refused), and what was painted."""
        status, _, body = self.access.ask("POST", f"/crosscheck/model?name={name}", data)
        if status != 200:
            return "", {"status": {"state": "failed", "error": sentence_in(body)}}
        token = str(json.loads(body)["token"])
        return token, self.do("bring", "bring", {"token": token})


def _no_change(value: Any) -> bool:
    """Whether Gradio says that a component stays as it is."""
    return isinstance(value, dict) and value.get("__type__") == "update" and "value" not in value


def sentence_in(body: bytes) -> str:
    """What a refusal says."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        told = json.loads(body)
        return str(told.get("error") or told.get("detail"))
    return body[:200].decode("utf-8", "replace")


def error_of(painted: dict[str, Any]) -> str:
    """The sentence that the visitor reads, wherever the page shows it; nothing where all went well."""
    if painted.get("success") is False:
        return f"the page's event failed: {str(painted.get('output'))[:100]}"
    for name in ("status", "picture"):
        part = painted.get(name)
        if isinstance(part, dict) and part.get("error"):
            return str(part["error"])
    return ""


def answered(painted: dict[str, Any]) -> bool:
    """Whether the maps are there."""
    status = painted.get("status")
    return isinstance(status, dict) and status.get("state") == "done" and not error_of(painted)


def new_picture(side: int = 64, brightness: int = 150) -> bytes:
    """A small picture that nobody has sent yet."""
    image = Image.new("RGB", (side, side), (random.randrange(brightness), random.randrange(brightness), random.randrange(256)))
    image.putpixel((random.randrange(side), random.randrange(side)), (random.randrange(256), 0, 0))
    room = io.BytesIO()
    image.save(room, "PNG")
    return room.getvalue()
