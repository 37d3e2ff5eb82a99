"""The download of MobileNetV2's weights: the real code against a server on this machine, in all the ways that it can fail."""

import hashlib
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from errors import UserError
from models.formats.imagenet_weights import (
    PUBLISHED,
    SOURCE_VARIABLE,
    ImagenetWeights,
    WeightsDownloadSource,
    cache_folder,
    configured_weights_source,
)
from tests.models.formats.weights_server import WeightsServer, weights_server
from tests.patience import PATIENCE
from tools.imports import ROOT

CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with weights_server(CONTENT) as server:
        yield server


def weights(server: WeightsServer, folder: Path, stalled_seconds: float = PATIENCE) -> ImagenetWeights:
    return ImagenetWeights(WeightsDownloadSource(server.address), folder, stalled_seconds)


def test_the_file_is_fetched_once_and_progress_counts_its_bytes(server: WeightsServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    assert weights(server, tmp_path).cached is None
    file = weights(server, tmp_path).fetch(lambda arrived, size: seen.append((arrived, size)))
    assert file.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [arrived for arrived, _ in seen] == sorted({arrived for arrived, _ in seen})
    assert weights(server, tmp_path).fetch() == file == weights(server, tmp_path).cached
    assert server.requests == 1
    assert list(file.parent.iterdir()) == [file]


def test_those_who_ask_at_once_share_one_download(server: WeightsServer, tmp_path: Path) -> None:
    server.go.clear()
    begun, found = threading.Event(), []
    threads = [threading.Thread(target=lambda: found.append(weights(server, tmp_path).fetch(lambda *_: begun.set()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(PATIENCE)
    server.go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 4
    assert len(set(found)) == 1
    assert server.requests == 1


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ("truncated", r"only 0\.3 of 0\.5 MB arrived\. Choose it again later"),
        ("stalled", r"127\.0\.0\.1 stopped sending\. Choose it again later"),
        ("wrong hash", r"not the published file \(hash [0-9a-f]{12}\.\.\. instead of b32d73e56ec9\.\.\.\)"),
        ("no hash", r"states no hash to check it by\. Put #sha256=HEX behind the address in CROSSCHECK_IMAGENET_SOURCE"),
        ("missing", r"127\.0\.0\.1 answers 404 Not Found\."),
    ],
)
def test_each_failure_is_one_sentence_and_leaves_nothing(server: WeightsServer, tmp_path: Path, failure: str, sentence: str) -> None:
    server.failure = failure
    with pytest.raises(UserError, match=f"^MobileNetV2 on ImageNet could not be fetched: .*{sentence}"):
        weights(server, tmp_path, 0.3 if failure == "stalled" else PATIENCE).fetch()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    server.failure = ""
    server.go.set()
    assert weights(server, tmp_path).fetch().read_bytes() == CONTENT, "the next attempt begins again"


def test_without_a_network_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1 cannot be reached \(Connection refused\)\. Connect the server to the network"):
        ImagenetWeights(WeightsDownloadSource("http://127.0.0.1:9/weights.h5"), tmp_path).fetch()


def test_a_pinned_hash_and_size_hold(server: WeightsServer, tmp_path: Path) -> None:
    source = WeightsDownloadSource(server.address, sha256=hashlib.sha256(CONTENT).hexdigest())
    server.failure = "wrong hash"  # which does not matter then
    assert ImagenetWeights(source, tmp_path).fetch().stem == source.sha256
    with pytest.raises(UserError, match=r"instead of 000000000000"):
        ImagenetWeights(replace(source, sha256="0" * 64), tmp_path).fetch()
    with pytest.raises(UserError, match=r"127\.0\.0\.1 offers 512000 bytes, not this file"):
        ImagenetWeights(replace(source, size=PUBLISHED.size), tmp_path / "other").fetch()


def test_a_damaged_file_is_fetched_again(server: WeightsServer, tmp_path: Path) -> None:
    file = weights(server, tmp_path).fetch()
    file.write_bytes(CONTENT[:-1])
    assert weights(server, tmp_path).cached is None
    assert weights(server, tmp_path).fetch().read_bytes() == CONTENT


def test_a_full_disk_is_one_sentence_without_a_path(server: WeightsServer, tmp_path: Path) -> None:
    """The system lets the command write 100 kB to a file and no more, as a disk does that is full."""
    environment = {**os.environ, SOURCE_VARIABLE: server.address, "CROSSCHECK_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", f"import resource\n{_LIMITED}", "fetch"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "MobileNetV2 on ImageNet was fetched but cannot be kept (File too large); "
        "make room in the cache folder, or name another by CROSSCHECK_CACHE."
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


_LIMITED = f"""
import runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {resource.RLIM_INFINITY}))
runpy.run_module("app", run_name="__main__")
"""


def test_the_command_fetches_to_the_folder_that_is_named(server: WeightsServer, tmp_path: Path) -> None:
    environment = {**os.environ, SOURCE_VARIABLE: server.address, "CROSSCHECK_CACHE": str(tmp_path / "cache")}
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-m", "app", "fetch"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert ended.stdout.startswith(f"MobileNetV2 on ImageNet is here: {tmp_path}/cache/imagenet/")
        assert ended.stdout.endswith(" (0.5 MB).\n")
    assert server.requests == 1


def test_the_folder_and_the_source_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSCHECK_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "crosscheck"
    monkeypatch.setenv("CROSSCHECK_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    monkeypatch.delenv(SOURCE_VARIABLE, raising=False)
    assert configured_weights_source() == PUBLISHED
    monkeypatch.setenv(SOURCE_VARIABLE, "file:///srv/weights.h5#sha256=" + "a" * 64)
    assert configured_weights_source() == WeightsDownloadSource("file:///srv/weights.h5", sha256="a" * 64)
    for wrong in ("weights.h5", "ftp://host/weights.h5", "https://host/weights.h5#sha256=abc"):
        monkeypatch.setenv(SOURCE_VARIABLE, wrong)
        with pytest.raises(UserError, match="give an address of https, http or file"):
            configured_weights_source()


def test_a_file_of_this_machine_may_be_the_source(tmp_path: Path) -> None:
    given = tmp_path / "weights.h5"
    given.write_bytes(CONTENT)
    source = WeightsDownloadSource(given.as_uri(), sha256=hashlib.sha256(CONTENT).hexdigest())
    assert ImagenetWeights(source, tmp_path / "cache").fetch().read_bytes() == CONTENT
