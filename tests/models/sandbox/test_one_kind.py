"""What was checked is what is opened: a file is of one kind, gives a row per picture, and does not change in between."""

import io
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from errors import UserError
from models.formats.format_registry import check_model_file
from models.loading import load_classifier
from models.sandbox.ipc import MessagePipes, create_pipe_pair
from models.store import bundled_models
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


def hdf5(userblock: int = 0) -> bytes:
    room = io.BytesIO()
    with h5py.File(room, "w", userblock_size=userblock) as file:
        file["x"] = np.zeros(3)
    return room.getvalue()


def archive() -> bytes:
    return bundled_models()["glass_box"].read_bytes()


def zip_behind_hdf5() -> bytes:
    """As archives are read from their end, and HDF5 from its beginning, each sees its own half."""
    room = io.BytesIO(hdf5())
    with zipfile.ZipFile(room, "a") as file:
        file.writestr("config.json", "{}")
    return room.getvalue()


def hdf5_behind_zip(place: int) -> bytes:
    content = hdf5(place)
    return b"PK\x03\x04" + content[4:]


POLYGLOTS = {
    ("zip behind HDF5", "m.h5"): (zip_behind_hdf5, "both HDF5 and a zip archive"),
    ("zip behind HDF5, named .keras", "m.keras"): (zip_behind_hdf5, "both HDF5 and a zip archive"),
    ("HDF5 at 512", "m.h5"): (lambda: hdf5_behind_zip(512), "with HDF5 at byte 512"),
    ("HDF5 at 4096", "m.h5"): (lambda: hdf5_behind_zip(4096), "with HDF5 at byte 4096"),
    ("an empty archive's end", "m.keras"): (lambda: b"PK\x05\x06" + bytes(600), "not as a zip archive does"),
}


@pytest.mark.parametrize("kind", POLYGLOTS, ids=[f"{what} as {name}" for what, name in POLYGLOTS])
def test_a_file_of_two_kinds_is_refused(kind: tuple[str, str], tmp_path: Path) -> None:
    make, words = POLYGLOTS[kind]
    path = tmp_path / kind[1]
    path.write_bytes(make())
    with pytest.raises(UserError, match=words):
        check_model_file(path)


def test_a_file_of_one_kind_passes_whatever_lies_in_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(archive())
    check_model_file(path)


def rows_of(path: Path, rows: int) -> Path:
    """Repeats each picture's row so many times."""
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0),
        helper.make_node("Tile", ["mean", "times"], ["tiled"]),
        helper.make_node("Softmax", ["tiled"], ["answer"]),
    ]
    numbers = [numpy_helper.from_array(np.array([1, 2], np.int64), "axes"), numpy_helper.from_array(np.array([rows, 1], np.int64), "times")]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 12, 10, 3])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["M", 3])
    graph = helper.make_graph(nodes, "small", [picture], [answer], numbers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


@pytest.mark.parametrize("rows", [2, 3])
def test_more_rows_than_pictures_are_no_further_classes(rows: int, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"gives numbers of shape \({rows}, 3\) for 1 picture; a classifier gives a row"):
        load_classifier(rows_of(tmp_path / "m.onnx", rows))
    assert load_classifier(rows_of(tmp_path / "one.onnx", 1)).labels


def test_an_input_too_large_for_any_picture_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    mean = helper.make_node("GlobalAveragePool", ["picture"], ["mean"])
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 60_000, 60_000])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, 3])
    graph = helper.make_graph([mean, helper.make_node("Flatten", ["mean"], ["answer"])], "large", [picture], [answer])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    with pytest.raises(UserError, match=r"takes 10,800,000,000 numbers per picture; 12,592,912 is the most"):
        load_classifier(path)


CHILD = """
import sys
from models import worker
worker._import = lambda: None
worker._open = lambda path: None
worker._described = lambda served: {"opened": True}
worker.main()
"""


@pytest.mark.parametrize("change", ["nothing", "the same bytes again", "another file", "a later date"])
def test_a_file_that_changes_between_check_and_opening_is_refused(change: str, tmp_path: Path) -> None:
    """In the model's confined process, of which only TensorFlow's part is left out."""
    path = tmp_path / "m.keras"
    path.write_bytes(archive())
    (reading, writing), theirs = create_pipe_pair()
    words = [sys.executable, "-c", CHILD, *map(str, theirs), "0", "", str(path), str(tmp_path)]
    process = subprocess.Popen(words, cwd=ROOT, pass_fds=theirs, stdin=subprocess.DEVNULL)
    for end in theirs:
        os.close(end)
    pipes, deadline, seen = MessagePipes(reading, writing), time.monotonic() + PATIENCE, path.stat()
    try:
        assert "landlock" in pipes.receive(lambda _: (), deadline)[0]  # it is checked
        if change == "the same bytes again":
            path.write_bytes(path.read_bytes())
            os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        elif change == "another file":
            shutil.copy2(path, tmp_path / "other")
            (tmp_path / "other").replace(path)
        elif change == "a later date":
            os.utime(path)
        pipes.send({}, deadline=deadline)
        pipes.receive(lambda _: (), deadline)
        pipes.send({}, deadline=deadline)
        answer = pipes.receive(lambda _: (), deadline)[0]
    finally:
        process.kill()
        process.wait()
        pipes.close()
    if change == "nothing":
        assert answer == {"opened": True}
    else:
        assert answer == {"error": "user", "message": "m.keras was changed while it was opened; give it again when it is whole."}
