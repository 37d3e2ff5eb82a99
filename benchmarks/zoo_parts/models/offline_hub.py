"""What is fetched by name, without the net: a small Hugging Face Hub on this machine, and Keras's folder of downloads, filled."""

import contextlib
import functools
import importlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras

from benchmarks.zoo_parts.models.random_weights import scale_random_weights
from benchmarks.zoo_parts.models.zoo_model import WrittenFiles, written_files

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
SEPARATE = ("HF_ENDPOINT", "HF_HOME")


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
    before = {name: os.environ.get(name) for name in SEPARATE}
    os.environ.update(HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HOME=str(folder / "home"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def downloads(folder: Path) -> Iterator[None]:
    """While it lasts, Keras takes the folder for the one that it keeps its downloads in."""
    config = importlib.import_module("keras.src.backend").config
    before, config._KERAS_DIR = config._KERAS_DIR, str(folder)
    try:
        yield
    finally:
        config._KERAS_DIR = before


def mobilenet(folder: Path) -> WrittenFiles:
    """ImageNet's MobileNetV2 with random weights, as if it had been downloaded."""
    import tf_keras

    from benchmarks.zoo_parts.models.keras_2 import saved

    (folder / "models").mkdir()
    names = {str(number): [f"n{number}", f"thing_{number}"] for number in range(1000)}
    (folder / "models" / "imagenet_class_index.json").write_text(json.dumps(names), encoding="utf-8")
    model = scale_random_weights(tf_keras.applications.MobileNetV2(weights=None), "-1..1")
    model.save_weights(str(folder / "models" / WEIGHTS))  # in the format of the published file, which only Keras 2 writes
    keras.applications.MobileNetV2(weights=str(folder / "models" / WEIGHTS)).save(folder / "keras_3.keras")
    return written_files("imagenet:MobileNetV2", folder / "keras_3.keras", saved(model, folder / "keras_2.h5"))
