"""What is fetched by name, without the net: a small Hugging Face Hub on this machine, and ImageNet's weights in a file."""

import contextlib
import functools
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras

from benchmarks.zoo_parts.models.random_weights import scale_random_weights
from benchmarks.zoo_parts.models.zoo_model import WrittenFiles, written_files

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"


class Hub(BaseHTTPRequestHandler):
    """The part of the Hub's interface that fetching the repository `zoo/net` needs."""

    def __init__(self, files: Mapping[str, bytes], *request: object) -> None:
        self.files = files
        super().__init__(*request)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        """As GET, without the content."""
        self.do_GET()

    def do_GET(self) -> None:
        """The list of files, or one of them."""
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/api/models/zoo/net/revision/"):
            listed = [{"rfilename": name, "size": len(content)} for name, content in self.files.items()]
            self._answer(json.dumps({"id": "zoo/net", "sha": COMMIT, "siblings": listed, "tags": []}).encode())
        elif self.path.startswith(f"/zoo/net/resolve/{COMMIT}/") and name in self.files:
            self._answer(self.files[name])
        else:
            self.send_error(404)

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        for key, value in {"Content-Length": str(len(content)), "ETag": '"e"', "X-Repo-Commit": COMMIT}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextlib.contextmanager
def hub(folder: Path) -> Iterator[None]:
    """Context in which hf:// points to this machine, whose `zoo/net` holds the folder's files."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Hub, files))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with _environment(HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HOME=str(folder / "home")):
            yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def downloads(folder: Path) -> AbstractContextManager[None]:
    """Context in which ImageNet's weights are fetched from the folder's file."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    return _environment(CROSSCHECK_IMAGENET_SOURCE=f"{(folder / WEIGHTS).as_uri()}#sha256={digest}", CROSSCHECK_CACHE=str(folder / "cache"))


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def mobilenet(folder: Path) -> WrittenFiles:
    """ImageNet's MobileNetV2 with random weights, as if it had been downloaded."""
    import tf_keras

    from benchmarks.zoo_parts.models.keras_2 import saved

    model = scale_random_weights(tf_keras.applications.MobileNetV2(weights=None), "-1..1")
    model.save_weights(str(folder / WEIGHTS))  # in the format of the published file, which only Keras 2 writes
    keras.applications.MobileNetV2(weights=str(folder / WEIGHTS)).save(folder / "keras_3.keras")
    return written_files("imagenet:MobileNetV2", folder / "keras_3.keras", saved(model, folder / "keras_2.h5"))
