"""The positive control: a server that leaks on purpose and guards nothing. `python -m benchmarks.attack_parts.leaky_server` starts it.

Each POST keeps its body and a megabyte besides, a thread, an open file and a temporary file; every tenth starts a process that stays.
An event that is not JSON ends in 500.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.serving import ROOT, Server

MEGABYTE = 1 << 20
kept: list[Any] = []


class LeakyHandler(BaseHTTPRequestHandler):
    """Answers GET, and leaks with every POST."""

    def do_GET(self) -> None:
        """Says that all is well."""
        self._answer(200)

    def do_POST(self) -> None:
        """Keeps what it should let go, the body even before it is complete."""
        body = b""
        missing = int(self.headers.get("Content-Length") or 0)
        while missing > 0 and (part := self.rfile.read1(min(missing, MEGABYTE))):
            kept.append(part)
            body += part
            missing -= len(part)
        kept.append(os.urandom(MEGABYTE))
        descriptor, _ = tempfile.mkstemp()
        kept.append(descriptor)
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        if threading.active_count() % 10 == 0:
            kept.append(subprocess.Popen(["sleep", "600"]))
        self._answer(200 if self.headers.get("Content-Type") != "application/json" or _is_json(body) else 500)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


@contextmanager
def leaking(folder: Path) -> Iterator[Server]:
    """The leaking server as a process of its own, ended with its children afterwards. folder: for its temporary files."""
    command = [sys.executable, "-m", __name__]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout
        yield Server(process.stdout.readline().strip(), process, 0.0, 0.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        if process.stdout:
            process.stdout.close()


def main() -> None:
    """Serves until it is killed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), LeakyHandler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
