"""Which file in a folder, an archive or a repository is the model, and the one sentence that every other kind of file gets."""

import json
import os
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipInfo

import pytest

from errors import UserError
from models.classifiers import label_file
from models.formats.format_registry import SINGLE, check_model_file, detect_model_format
from models.formats.model_hub import choose_model_files, fetch_hub_model
from models.formats.onnx import ONNX
from models.formats.tflite import TFLITE
from models.loading import find_model_file
from models.sandbox.checks.zip_members import single_model_in_zip
from tests.patience import PATIENCE
from tools.imports import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"net.tflite": b"\x18\x00\x00\x00TFL3" + bytes(40), "labels.txt": b"cat\ndog\n", "README.md": b"words", "train.py": b"import os"}


def packed(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"0 cat\n1 dog\n" if name.endswith("labels.txt") else b"x")
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("net.pth", b"\x80\x02", "PyTorch.*torch.onnx.export"),
        ("net.pb", b"\x0a\x10", "frozen graph.*tf2onnx"),
        ("net.mlmodel", b"\x08\x04", "Core ML.*Keras or ONNX"),
        ("net.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{", "weights without an architecture.*ONNX"),
        ("net.joblib", b"\x80\x04", "pickle.*program"),
        ("other.json", b'{"modelTopology": {}, "weightsManifest": []}', "TensorFlow.js under another name.*call it model.json"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_the_way_out(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{name} is .*{words}"):
        detect_model_format(path)
    with pytest.raises(UserError, match=f"{name} is .*{words}"):
        find_model_file(tmp_path)


def test_what_a_file_is_shows_in_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(FILES["net.tflite"])
    (tmp_path / "b.onnx").write_bytes(b"\x08\x08\x12\x07pytorch")
    assert [detect_model_format(tmp_path / "a.bin"), detect_model_format(tmp_path / "b.onnx")] == [TFLITE, ONNX]


def test_a_saved_model_is_its_folder(tmp_path: Path) -> None:
    inner = tmp_path / "download" / "model.savedmodel"
    inner.mkdir(parents=True)
    (inner / "saved_model.pb").write_bytes(b"\x08\x01")
    assert [find_model_file(path) for path in (inner, inner / "saved_model.pb", tmp_path / "download")] == [inner] * 3


def test_a_saved_model_with_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    (tmp_path / "variables").symlink_to("/etc")
    with pytest.raises(UserError, match="'variables', a link"):
        check_model_file(tmp_path)


def is_packed(member: str) -> bool:
    return any(each.matches(member) for each in SINGLE if each.open_bytes or each.open_members)


def test_the_model_in_an_archive_and_its_labels(tmp_path: Path) -> None:
    path = packed(tmp_path / "tm.zip", "keras_model.h5", "labels.txt")
    with zipfile.ZipFile(path) as archive:
        assert single_model_in_zip(archive, "tm.zip", is_packed, "") == "keras_model.h5"
    assert label_file._read_packed(path) == b"0 cat\n1 dog\n"
    with zipfile.ZipFile(packed(tmp_path / "b.zip", "a/saved_model.pb", "a/variables/variables.index", "labels.txt")) as archive:
        assert single_model_in_zip(archive, "b.zip", is_packed, "") == "a/saved_model.pb"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("net/data.pkl", "net/data/0"), "PyTorch"),
        (("a.tflite", "b.onnx"), "it holds: a.tflite, b.onnx"),
        (("notes.txt",), "it holds: notes.txt"),
        (("../keras_model.h5",), "a path out of the archive"),
    ],
)
def test_an_archive_without_a_model(tmp_path: Path, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_model_file(packed(tmp_path / "m.zip", *names))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("__MACOSX/._labels.txt", "a/._labels.txt", "__MACOSX/labels.txt", "labels.txt"), "of labels.txt"),
        (("old_labels.txt", "a/labels.txt"), "of a/labels.txt"),
        (("probability-labels.txt",), "of probability-labels.txt"),
        (("._labels.txt", "labels.txt.bak"), None),
    ],
)
def test_which_labels_of_an_archive_are_meant(tmp_path: Path, names: tuple[str, ...], text: str | None) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for name in names:
            archive.writestr(name, f"of {name}")
    assert label_file._read_packed(tmp_path / "m.zip") == (text.encode() if text else None)


def test_long_labels_of_an_archive_are_read_whole(tmp_path: Path) -> None:
    lines = [f"{number} {number**9:x}" for number in range(30_000)]
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", "\n".join(lines))
    assert (tmp_path / "m.zip").stat().st_size > 100_000
    assert label_file._read_packed(tmp_path / "m.zip") == "\n".join(lines).encode()


@pytest.mark.parametrize("sixty_four", [False, True])
def test_an_archive_of_very_many_members_is_not_looked_into(tmp_path: Path, sixty_four: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of its two ends says how long its directory is."""
    path, one = tmp_path / "m.tflite", b"PK\x01\x02" + bytes(42)
    directory, count = one * 50_000, 50_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 46 if sixty_four else len(directory), 0, 0)
    long_end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    path.write_bytes(directory + (long_end + locator if sixty_four else b"") + end)
    met: list[str] = []
    monkeypatch.setattr(zipfile, "ZipInfo", lambda name, *_: met.append(name) or ZipInfo(name))
    for look in (label_file._read_packed, check_model_file):
        with pytest.raises(UserError, match=r"^m\.tflite is or carries an archive whose list of members has 2\.3 MB; 0\.1 MB is the most"):
            look(path)
    assert met == [], "no member was looked at"


def test_what_is_taken_from_a_repository() -> None:
    assert choose_model_files(["m.keras", "m.json", "labels.txt", "x.py"], "r") == ("m.keras", ["m.keras", "labels.txt", "m.json"])
    tree = ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001", "assets/x", "labels.txt"]
    assert choose_model_files(tree, "r") == (".", [*tree[:3], "labels.txt"])
    with pytest.raises(UserError, match="holds 2 models"):
        choose_model_files(["a.h5", "b.h5"], "r")
    with pytest.raises(UserError, match="it holds: pytorch_model"):
        choose_model_files(["pytorch_model.bin"], "r")


class Hub(BaseHTTPRequestHandler):
    """The part of the Hub's interface that fetching a model needs."""

    asked: list[str] = []

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path.split("?")[0])
        if self.path.startswith(("/api/models/some/net/revision/main", f"/api/models/some/net/revision/{COMMIT}")):
            listed = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
            return self._answer(200, json.dumps({"id": "some/net", "sha": COMMIT, "siblings": listed, "tags": []}).encode())
        name = self.path.rpartition("/")[2]
        if self.path.startswith(f"/some/net/resolve/{COMMIT}/"):
            return self._answer(200, FILES[name])
        return self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound" if "some/net" in self.path else "RepoNotFound"})

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), "ETag": '"e"', "X-Repo-Commit": COMMIT, **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Hub.asked.clear()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_what_is_needed_is_fetched_and_once(hub: ThreadingHTTPServer) -> None:
    path = fetch_hub_model("hf://some/net")
    assert path.read_bytes() == FILES["net.tflite"]
    assert path.parts[-3:] == (COMMIT, "some--net", "net.tflite")
    assert {each.rpartition("/")[2] for each in Hub.asked if "resolve" in each} == {"net.tflite", "labels.txt"}
    Hub.asked.clear()
    assert fetch_hub_model(f"hf://some/net@{COMMIT}") == path
    assert not Hub.asked
    assert find_model_file(path.parent) == path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hf://some/net@gone", "no such revision"),
        ("hf://no/body", "not on the Hugging Face Hub"),
        ("hf://one", "is no model of the Hub"),
    ],
)
def test_what_the_hub_has_not(hub: ThreadingHTTPServer, name: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        fetch_hub_model(name)


def test_a_forbidden_network_is_named_and_the_container_forbids_none(tmp_path: Path) -> None:
    program = "from models.formats.model_hub import fetch_hub_model; fetch_hub_model('hf://some/net')"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    sentence = "hf://some/net is not fetched because HF_HUB_OFFLINE is set; unset it, or name a whole commit that was fetched before."
    assert ended.stderr.splitlines()[-1] == f"errors.UserError: {sentence}"
    assert "HF_HUB_OFFLINE" not in (ROOT / "Dockerfile").read_text(encoding="utf-8"), "a host may name models of the Hub"


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"could not be fetched .*connect to the network"):
        fetch_hub_model("hf://some/net")
