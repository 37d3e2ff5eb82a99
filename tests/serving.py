"""The real server as a process of its own, and a visitor who speaks to it as the browser does, or as an attacker would."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Server:
    """A page that runs at `address`. From start to page: started_after in seconds, work_at_start in seconds of CPU time."""

    address: str
    process: "subprocess.Popen[str]"
    started_after: float
    work_at_start: float
    log: list[str] = field(default_factory=list)

    def peak_memory(self) -> float:
        """The most memory that the process has held so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of one request."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=isinstance(body, Iterator))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(*flags: str, root: Path = ROOT, starting: float = PATIENCE) -> Iterator[Server]:
    """`python -m app serve` of the program in `root`, on a free port, up when this yields; its classifiers may still be loading.

    An explanation may take as long as the page allows at most, and TensorFlow evaluates, unless the flags say otherwise. starting:
    seconds after which a server that does not listen is ended.
    """
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--budget", "3600", "--engine", "tensorflow", *flags]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    reader = threading.Thread()
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=root, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = threading.Timer(starting, process.kill)
    deadline.start()
    try:
        log: list[str] = []
        assert process.stdout
        for line in process.stdout:
            log.append(line)
            if "Crosscheck is at" in line:
                break
        else:
            raise AssertionError("the server did not start:\n" + "".join(log))
        deadline.cancel()
        server = Server(line.split()[3], process, time.monotonic() - start, cpu_seconds(process.pid), log)
        reader = threading.Thread(target=lambda: log.extend(process.stdout or ()), daemon=True)
        reader.start()
        yield server
    finally:
        deadline.cancel()
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader.ident:
            reader.join(PATIENCE)
        if process.stdout:
            process.stdout.close()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Visitor:
    """One browser session, without a browser."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = uuid.uuid4().hex
        self.config = json.loads(server.ask("GET", "/config")[2])
        self.names = {c["id"]: c["props"].get("elem_id", "").removeprefix("cc-") for c in self.config["components"]}
        self.inputs = {"classifier": "phantoms", "methods": ["GradCAM"], "preset": "Fast", "target": None, "rather": None, "status": {}}

    def upload(self, data: bytes) -> str:
        """The token of a picture."""
        status, _, body = self.server.ask("POST", "/crosscheck/picture?name=test", data)
        assert status == 200, body
        return str(json.loads(body)["token"])

    def do(self, component: str, event: str, data: Any = None, **inputs: Any) -> dict[str, Any]:
        """Sends an event and waits for its end: the last value of every part that was painted, by the component's name."""
        index, dependency = self._dependency(component, event)
        given = {**self.inputs, **inputs}
        values = [given[self.names[number]] for number in dependency["inputs"]]
        payload = {"data": values, "event_data": data, "fn_index": index, "session_hash": self.session, "trigger_id": None}
        status, _, body = self.server.ask("POST", "/gradio_api/queue/join", json.dumps(payload), {"Content-Type": "application/json"})
        assert status == 200, (status, body)
        return self._answers(json.loads(body)["event_id"], dependency)

    def _dependency(self, component: str, event: str) -> tuple[int, dict[str, Any]]:
        for dependency in self.config["dependencies"]:
            for number, name in dependency["targets"]:
                if name == event and self.names.get(number, "page") == component:
                    return dependency["id"], dependency
        raise AssertionError(f"the page has no event {component}.{event}")

    def _answers(self, event_id: str, dependency: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.server.address).netloc, timeout=PATIENCE)
        connection.request("GET", f"/gradio_api/queue/data?session_hash={self.session}")
        stream, shown, last, painted = connection.getresponse(), {}, [], {}
        for line in stream:
            if not line.startswith(b"data:"):
                continue
            message = json.loads(line[5:])
            if message.get("event_id") != event_id:
                continue
            if message["msg"] in ("process_generating", "process_completed") and message.get("success", True):
                new = message["output"].get("data", [])
                last = [
                    patched(old, one) if message["msg"] == "process_generating" and last else one
                    for old, one in zip(last or new, new, strict=False)
                ] or last
                painted |= {at: value for at, value in enumerate(last) if not is_unchanged(value)}
            if message["msg"] == "process_completed":
                shown["success"], shown["output"] = message.get("success"), message.get("output")
                break
        connection.close()
        return shown | {
            self.names[number]: painted.get(at, value) for at, (number, value) in enumerate(zip(dependency["outputs"], last, strict=False))
        }


def is_unchanged(value: Any) -> bool:
    """Whether it leaves a component as it is."""
    return isinstance(value, dict) and (value.get("props", value)) == {"__type__": "update"}


def patched(old: Any, changes: Any) -> Any:
    """Gradio sends what changed as a list of [action, path, value]."""
    if not (
        isinstance(changes, list)
        and all(isinstance(c, list) and len(c) == 3 and c[0] in ("replace", "append", "add", "delete") for c in changes)
    ):
        return changes
    new = json.loads(json.dumps(old))
    for action, path, value in changes:
        if not path:
            new = value
            continue
        place = new
        for step in path[:-1]:
            place = place[step]
        if action == "delete":
            del place[path[-1]]
        elif action == "append":
            place[path[-1]] += value
        elif action == "add" and isinstance(place, list):
            place.insert(int(path[-1]), value)
        else:
            place[path[-1]] = value
    return new
