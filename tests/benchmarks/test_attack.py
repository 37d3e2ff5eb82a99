"""The attacks against a real server that is known to hold, and against one that guards nothing and must fail."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from benchmarks.attack import UPLOADS, attacked, honest_upload, upload_attack
from benchmarks.attack_parts import hostile_models, hostile_pictures
from benchmarks.attack_parts.attack_table import AttackRow, Bounds, Outcome, fault_of, refused
from benchmarks.attack_parts.hostile_visitors import malformed_requests, stalled_uploads
from benchmarks.attack_parts.leaky_server import leaking
from benchmarks.attack_parts.processes import memory_of, memory_watch
from benchmarks.attack_parts.sandbox_probe import judged, sandbox_outcome
from models.sandbox.confinement_trial import reason_uploads_are_refused
from models.sandbox.sandbox_user import SandboxUser
from tests.serving import Server, serving

HELD = AttackRow("title", "one sentence", Outcome("It is no model."), 500.0, 600.0, 550.0, 700.0, 1.0, (1.2, 9.0))

needs_sandbox = pytest.mark.skipif(bool(reason_uploads_are_refused(SandboxUser.of("nobody"))), reason="this system cannot confine a model")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--allow-model-upload") as server:
        yield server


@needs_sandbox
def test_an_honest_model_is_served(server: Server, tmp_path: Path) -> None:
    row = attacked(server, None, "control", "maps", honest_upload, tmp_path, 1.0, Bounds(server=2_000))
    assert row.outcome == Outcome("maps"), row.line()
    assert row.child > 0


@needs_sandbox
@pytest.mark.parametrize("title", ["zip behind HDF5", "zip bomb", "kernel of 184 GB", "weights linked elsewhere"])
def test_what_is_refused_costs_little_and_reads_as_one_sentence(title: str, server: Server, tmp_path: Path) -> None:
    row = attacked(server, None, title, "one sentence", upload_attack(title), tmp_path, 1.0)
    assert not row.failures, row.line()
    assert row.outcome.words


def test_a_server_that_guards_nothing_fails(tmp_path: Path) -> None:
    with leaking(tmp_path) as server:
        row = attacked(server, None, "stalled uploads", "cut off", stalled_uploads, tmp_path, 1.0, Bounds(server=300.0))
        assert any("MB above idle" in failure for failure in row.failures), row.line()
        row = attacked(server, None, "malformed requests", "4xx each", malformed_requests, tmp_path, 1.0)
        assert any("of 5xx or none" in failure for failure in row.failures), row.line()


@needs_sandbox
def test_the_probe_in_a_confined_process_finds_no_way_out() -> None:
    outcome = sandbox_outcome()
    possible = outcome.fault.removeprefix("possible: ").split(", ")
    assert not {"socket", "execve", "ptrace", "read /etc/passwd", "write to /dev/shm", "kill the server"} & set(possible), outcome


def test_what_a_probe_finds_is_judged() -> None:
    found = {"protection": "none", "capabilities": "0000000000000000", "socket": "EPERM", "execve": "EACCES"}
    assert judged(found) == Outcome("2 of 2 refused")
    assert "execve" in judged(found | {"execve": "allowed"}).fault
    assert "capabilities" in judged(found | {"capabilities": "000001ffffffffff"}).fault


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ({}, ""),
        ({"outcome": Outcome("maps", "not refused")}, "not refused"),
        ({"peak": 701.0}, "201 MB above idle"),
        ({"child": 1001.0}, "child 1001 MB"),
        ({"slower": (2.6, 2.6)}, "2.6 times as long"),
        ({"slower": (2.6, 2.6), "bounds": Bounds(slower=None)}, ""),
        ({"slower": None}, ""),
    ],
)
def test_a_row_fails_by_each_bound(change: dict[str, object], failure: str) -> None:
    row = replace(HELD, **change)  # type: ignore[arg-type]
    assert bool(row.failures) == bool(failure)
    assert failure in row.line()


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("m.keras is a web page, not a model; download it again.", ""),
        ("", "not refused"),
        ("/tmp/crosscheck-x/m.keras is no model.", "path of the server"),
        ("The classifier could not be loaded (ValueError); the server's log says why.", "not what was found"),
        ("a\nb", "one sentence"),
        ("x" * 500, "one sentence"),
    ],
)
def test_a_refusal_is_one_sentence_without_a_path(sentence: str, fault: str) -> None:
    assert fault in fault_of(sentence)
    assert bool(fault_of(sentence)) == bool(fault)
    assert refused(sentence).fault == fault_of(sentence)


def test_hostile_files_are_what_they_say(tmp_path: Path) -> None:
    small = hostile_models.variable_length_bomb(tmp_path / "small.h5", 500, 10_000)
    with h5py.File(small) as file:
        assert [len(text) for text in file.attrs["model_config"]] == [10_000] * 500
    assert small.stat().st_size < 100_000
    hostile_models.beside_good(tmp_path / "beside", lambda model: hostile_models.library_bomb(model, 64 << 20))
    with np.load(tmp_path / "beside" / "m.library.npz") as library:
        assert library["maps/Grad-CAM"].nbytes > 60_000_000
    liar = hostile_models.lying_compressed_size(tmp_path / "m.keras")
    with zipfile.ZipFile(liar) as archive:
        assert archive.infolist()[-1].compress_size == 100_000_000
    assert liar.stat().st_size < 2_000_000
    for interlaced in (False, True):
        with Image.open(io.BytesIO(hostile_pictures.png(6_001, 1_003, interlaced))) as image:
            assert np.asarray(image).shape == (1_003, 6_001, 3)
    with Image.open(io.BytesIO(hostile_pictures.largest_plain())) as image:
        assert image.size == (7_000, 7_000)
    assert set(UPLOADS) >= {"60,000 classes", "two rows a picture", "input of 2048 x 2048"}


def test_memory_is_watched_while_it_is_used(tmp_path: Path) -> None:
    with leaking(tmp_path) as server:
        with memory_watch(server.process.pid) as peaks:
            for _ in range(20):
                server.ask("POST", "/", b"")
        assert peaks.server - peaks.before > 15
        assert peaks.children > 0, "it starts processes"
        assert peaks.after == pytest.approx(memory_of(server.process.pid), abs=5)
