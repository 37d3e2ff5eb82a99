"""Small files and arrays of others: a plain file within limits, or one sentence."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from models.cards.card import Card, unique_labels
from models.cards.ensemble_file import read_ensemble_file
from models.classifiers.label_file import read_class_names
from models.versions import latest_version_folder
from plain_arrays import read_arrays
from plain_files import read_plain_file
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[1]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def large(path: Path) -> None:
    path.touch()
    os.truncate(path, 9_000_000)


HOSTILE = [fifo, link_out, device, circle, large]


@pytest.mark.parametrize("made", HOSTILE)
def test_no_reader_beside_a_model_waits_or_follows(tmp_path: Path, made: Callable[[Path], None]) -> None:
    for name in ("card.json", "ensemble.json", "labels.txt", "latest.json"):
        made(tmp_path / name)
    with pytest.raises((UserError, OSError)):
        read_plain_file(tmp_path / "card.json")
    with pytest.raises(UserError):
        Card.read(tmp_path / "card.json")
    with pytest.raises(UserError):
        read_ensemble_file(tmp_path)
    names = read_class_names(tmp_path / "model.keras", 2)
    assert [label.name for label in names.labels] == ["class 0", "class 1"]
    assert any("labels.txt" in note for note in names.notes)
    assert latest_version_folder(tmp_path) is None


def test_a_socket_is_no_file() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{folder}/x")
        with pytest.raises((UserError, OSError)):
            read_plain_file(Path(folder) / "x")


def test_links_within_a_folder_and_the_hubs_cache_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to("a")
    assert read_plain_file(tmp_path / "b", 1) == b"x"
    blob, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0"
    blob.mkdir()
    snapshot.mkdir(parents=True)
    (blob / "f").write_bytes(b"y")
    (snapshot / "l").symlink_to("../../blobs/f")
    assert read_plain_file(snapshot / "l", 1) == b"y"
    (tmp_path / "a").write_bytes(b"xx")
    with pytest.raises(UserError, match="is the most"):
        read_plain_file(tmp_path / "a", 1)


def header(shape: str, kind: str = "<f2") -> bytes:
    words = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words) + 1) + words + b"\n"


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def bomb(path: Path) -> Path:
    return archive(path, {"a.npy": header("(20000000,)") + bytes(40_000_000)})


def claimed(path: Path) -> Path:
    return archive(path, {"a.npy": header("(1000000, 1000000)")})


def of_small_numbers(path: Path) -> Path:
    """15 MB that become 120 MB once they are float64."""
    return archive(path, {"a.npy": header("(15000000,)", "|u1") + bytes(15_000_000)})


def of_many_words(path: Path) -> Path:
    """12 MB that become three million objects of Python."""
    return archive(path, {"a.npy": header("(3000000,)", "<U1") + b"a\0\0\0" * 3_000_000})


def of_words_in_parts(path: Path) -> Path:
    return archive(path, {f"{i}.npy": header("(500000,)", "<U1") + bytes(2_000_000) for i in range(3)})


def several(path: Path) -> Path:
    return archive(path, {f"{i}.npy": header("(5000000,)") + bytes(10_000_000) for i in range(3)})


def many(path: Path) -> Path:
    return archive(path, {f"{i}.npy": header("(1,)") + b"ab" for i in range(100)})


def pickled(path: Path) -> Path:
    np.savez(path, a=np.array([{}], object))
    return path


def late_header(path: Path) -> Path:
    return archive(path, {"a.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 30_000_000) + b" " * 30_000_000})


def more_than_claimed(path: Path) -> Path:
    return archive(path, {"a.npy": header("(1,)") + bytes(50)})


def negative(path: Path) -> Path:
    return archive(path, {"a.npy": header("(-1, -1)")})


def damaged(path: Path) -> Path:
    content = archive(path, {"a.npy": header("(3000,)") + os.urandom(6000)}).read_bytes()
    path.write_bytes(content[:200] + bytes(50) + content[250:])
    return path


def long_directory(path: Path) -> Path:
    return archive(path, {f"{i:0200}.npy": b"" for i in range(1000)})


READING = """
import resource, sys
from pathlib import Path
from plain_arrays import read_arrays
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_arrays(Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
BOMBS = [bomb, claimed, of_small_numbers, of_many_words, of_words_in_parts, several, many, pickled]
BOMBS += [late_header, more_than_claimed, negative, damaged, long_directory]


@pytest.mark.parametrize("made", BOMBS)
def test_arrays_are_sized_before_memory_is_taken(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    """In a process of its own: the most that this one has ever taken may be more than any bomb."""
    words = [sys.executable, "-c", READING, str(made(tmp_path / "m.npz"))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert not done.returncode, done.stderr
    kind, grown = done.stdout.split()
    assert kind in ("UserError", "ValueError")
    assert int(grown) < 10_000  # kB; what the smallest bomb holds is 12 MB, and several times that once it is read


def test_plain_arrays_come_back(tmp_path: Path) -> None:
    given = {"a": np.arange(12, dtype=np.float16).reshape(3, 4), "b": np.array(["x", "yy"]), "c": np.asfortranarray(np.eye(3)[:2])}
    np.savez_compressed(tmp_path / "m.npz", **given)
    back = read_arrays(tmp_path / "m.npz")
    assert set(back) == set(given)
    assert all(np.array_equal(back[name], given[name]) for name in given)


TEXTS = [
    ({"name": "x" * 201}, "'name' has 201 characters; 200"),
    ({"licence": "x" * 2001}, "'licence' has 2,001 characters"),
    ({"made_by": "x" * 9000}, "'made_by' has 9,000"),
    ({"notes": ["n"] * 101}, "'notes' has 101 entries"),
    ({"notes": ["n" * 3000]}, "'notes' has an entry of 3,000"),
    ({"layers": ["n"] * 101}, "'layers' has 101 entries"),
    ({"labels": [str(i) for i in range(10_001)]}, "10,001 classes; 10,000"),
    ({"labels": ["a", {"name": "b", "description": "d" * 2001}]}, "description of class 1 has 2,001"),
    ({"metadata": [{"name": "m", "values": [str(i) for i in range(1001)]}]}, "1,001 values"),
    ({"metadata": [{"name": "m", "values": ["v" * 101]}]}, "value of 101"),
    ({"metadata": [{"name": f"m{i}", "values": ["v"]} for i in range(101)]}, "101 fields"),
]


@pytest.mark.parametrize(("changed", "words"), TEXTS, ids=[words for _, words in TEXTS])
def test_every_text_and_count_of_a_card_has_a_limit(changed: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words) as told:
        Card.of({"name": "m", "labels": ["a", "b"], "size": [8, 8]} | changed)
    assert len(str(told.value)) < 300


def test_ten_thousand_classes_take_no_square_of_the_time() -> None:
    import time

    def seconds(count: int) -> float:
        start = time.process_time()
        Card.of({"name": "m", "labels": [f"class {i}" for i in range(count)], "size": [8, 8]})
        unique_labels([f"class {i}" for i in range(count)])
        return time.process_time() - start

    assert seconds(10_000) < 1
