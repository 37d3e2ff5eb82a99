"""Which of the files with a model names its classes, and what is said of those that cannot."""

import json
import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from models.cards.card import CardNote
from models.cards.sidecar_files import CLASS_NAME_FILES
from models.classifiers.label_file import ClassNames, read_class_names
from models.loading import load_classifier

CONTENTS = {
    "labels.txt": b"a1\na2\na3\n",
    "class_names.txt": b"b1\nb2\nb3\n",
    "classes.txt": b"c1,c2,c3\n",
    "class_indices.json": b'{"d3": 2, "d1": 0, "d2": 1}',
    "classes.json": b'["e1", "e2", "e3"]',
    "labels.csv": b"index,name\n0,f1\n1,f2\n2,f3\n",
    "config.json": b'{"id2label": {"0": "g1", "1": "g2", "2": "g3"}}',
    "metadata.json": b'{"labels": ["h1", "h2", "h3"]}',
    "class_names.json": b'["i1", "i2", "i3"]',
    "labels.json": b'{"0": "j1", "1": "j2", "2": "j3"}',
}


def names(found: ClassNames) -> list[str]:
    return [label.name for label in found.labels]


@pytest.mark.parametrize("folder", [False, True], ids=["next to a file", "in a folder"])
def test_the_order_is_the_stated_one(tmp_path: Path, folder: bool) -> None:
    assert tuple(CONTENTS) == CLASS_NAME_FILES
    path = tmp_path / "model"
    if folder:
        path.mkdir()
    else:
        path.write_bytes(b"x")
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    for name in CLASS_NAME_FILES:
        found = read_class_names(path, 3)
        assert names(found)[0] == f"{'abcdefghij'[CLASS_NAME_FILES.index(name)]}1"
        assert found.notes == (f"{CardNote.NAMED_BY} {name}.",)
        (tmp_path / name).unlink()
    assert names(read_class_names(path, 3)) == ["class 0", "class 1", "class 2"]
    assert not read_class_names(path, 3).notes


def test_names_inside_the_file_come_first(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\n")
    with zipfile.ZipFile(tmp_path / "m.tflite", "w") as archive:
        archive.writestr("labels.txt", "x\ny\n")
    assert names(read_class_names(tmp_path / "m.tflite", 2)) == ["x", "y"]
    found = read_class_names(tmp_path / "m.onnx", 2, ("p", "q"))
    assert (names(found), found.notes) == (["p", "q"], (CardNote.NAMED_IN_FILE,))
    assert names(read_class_names(tmp_path / "m.onnx", 2, ("p",))) == ["a", "b"]


def test_a_file_that_cannot_be_used_is_a_note_and_the_next_one_is_tried(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_bytes(bytes(range(256)))
    (tmp_path / "class_names.txt").write_text("one\n")
    os.mkfifo(tmp_path / "classes.txt")
    (tmp_path / "class_indices.json").symlink_to("/etc/passwd")
    (tmp_path / "classes.json").write_bytes(b"[" + b'"x",' * 3_000_000 + b'"x"]')
    (tmp_path / "labels.csv").write_text("filename,label\na.jpg,cat\nb.jpg,dog\n")
    (tmp_path / "config.json").write_text('{"class_name": "Functional"}')
    (tmp_path / "labels.json").write_text(json.dumps({"1": "dog", "0": "cat"}))
    found = read_class_names(tmp_path / "m.keras", 2)
    assert names(found) == ["cat", "dog"]
    assert found.notes[0] == f"{CardNote.NAMED_BY} labels.json."
    notes = dict(zip(CLASS_NAME_FILES, found.notes[1:], strict=False))
    assert len(notes) == 6
    for name, words in {
        "labels.txt": "it is no text",
        "class_names.txt": "it names 1 classes, and the model has 2",
        "classes.txt": "a FIFO",
        "class_indices.json": "a link out of its folder",
        "classes.json": "8 MB is the most",
        "labels.csv": "a table of pictures",
    }.items():
        assert notes[name].startswith(f"{CardNote.NAMES_NOT_USED} {name}: ")
        assert words in notes[name]
        assert str(tmp_path) not in notes[name]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "model.keras"
    body = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((16, 16, 3)), *body]).save(path)
    return path


CASE_18 = {
    "class_indices": ("class_indices.json", json.dumps({"owl": 2, "cat": 0, "dog": 1}).encode()),
    "class_names": ("class_names.txt", b"cat\ndog\nowl\n"),
    "classes": ("classes.json", json.dumps(["cat", "dog", "owl"]).encode()),
    "csv": ("labels.csv", b"index,name\n0,cat\n1,dog\n2,owl\n"),
    "utf16": ("labels.txt", "cat\r\ndog\r\nowl\r\n".encode("utf-16")),
    "colon": ("labels.txt", b"0: cat\n1: dog\n2: owl\n"),
    "one line": ("labels.txt", b"cat,dog,owl\n"),
    "cp1252": ("labels.txt", "Bär\nFuchs\nEule\n".encode("cp1252")),
}


def test_case_18_names_where_people_keep_them(saved: Path, tmp_path: Path) -> None:
    for what, (name, content) in CASE_18.items():
        folder = tmp_path / what
        folder.mkdir()
        (folder / "model.keras").write_bytes(saved.read_bytes())
        (folder / name).write_bytes(content)
        served = load_classifier(folder / "model.keras")
        assert served.labels == (("Bär", "Fuchs", "Eule") if what == "cp1252" else ("cat", "dog", "owl")), what
        assert f"{CardNote.NAMED_BY} {name}." in served.card.notes
        assert served.predict(np.zeros((16, 16, 3), np.float32)).shape == (3,)


def test_an_untrusted_model_has_its_names_too(saved: Path) -> None:
    (saved.parent / "classes.json").write_text('["x", "y", "z"]')
    served = load_classifier(saved, trust=False)
    served.close()
    assert served.labels == ("x", "y", "z")
