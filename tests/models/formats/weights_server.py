"""A server on this machine that sends one file as Google Cloud Storage does, or fails in one of the ways that servers fail."""

import base64
import contextlib
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class WeightsServer:
    """address: of the file. failure: "", "truncated", "stalled", "wrong hash", "no hash" or "missing". requests: how many came.

    go: holds up the second half of every answer until it is set.
    """

    content: bytes
    address: str = ""
    failure: str = ""
    requests: int = 0
    go: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def weights_server(content: bytes) -> Iterator[WeightsServer]:
    """Runs while it lasts."""
    state = WeightsServer(content)
    state.go.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests += 1
            if state.failure == "missing":
                self.send_error(404)
                return
            md5 = hashlib.md5(b"another" if state.failure == "wrong hash" else state.content).digest()
            self.send_response(200)
            self.send_header("Content-Length", str(len(state.content)))
            if state.failure != "no hash":
                self.send_header("x-goog-hash", "crc32c=AAAAAA==")
                self.send_header("x-goog-hash", f"md5={base64.b64encode(md5).decode()}")
            self.end_headers()
            half = len(state.content) // 2
            self.wfile.write(state.content[:half])
            if state.failure == "stalled":
                state.go.clear()
            state.go.wait(60)
            if state.failure not in ("truncated", "stalled"):
                with contextlib.suppress(ConnectionError):  # where the test takes less than it is offered
                    self.wfile.write(state.content[half:])

        def log_message(self, *_: Any) -> None:
            """A test's server has nothing to say."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_port}/weights.h5"
        yield state
        state.go.set()
        server.shutdown()
        thread.join()
