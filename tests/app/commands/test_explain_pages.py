"""`explain` chooses pages, and its manifest says what was assumed of a picture and of a model's preprocessing."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from app.commands.explain import explain_pictures
from app.options import ExplainOptions
from errors import UserError
from models.loading import load_classifier
from tests.models.dicom_files import DEEP, SECRET, WINDOW, dicom
from tests.models.picture_files import tiff


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "net.keras"
    keras.utils.set_random_seed(0)
    body = [layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((16, 16, 3)), *body]).save(path)
    (path.parent / "classes.json").write_text('["cat", "dog", "owl"]')
    return path


def explained(model: Path, picture: Path, out: Path, **options: object) -> dict[str, object]:
    given = ExplainOptions((picture,), str(model), out, methods=("grad_cam",), measures="none", **options)  # type: ignore[arg-type]
    assert explain_pictures(given, lambda: load_classifier(model)) == 0
    manifest: dict[str, object] = json.loads((out / "manifest.json").read_text())
    return manifest


def test_a_page_a_guess_and_names(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = np.stack([np.zeros((20, 30), np.uint16), DEEP])
    (tmp_path / "stack.tif").write_bytes(tiff(stack, photometric="minisblack"))
    manifest = explained(model, tmp_path / "stack.tif", tmp_path / "out", page=2)
    (entry,) = manifest["pictures"]  # type: ignore[misc]
    assert (entry["page"], entry["pages"]) == (2, 2)
    assert entry["notes"][0] == "This is page 2 of 2."
    assert "12 bits are assumed" in entry["notes"][1]
    guess = entry["preprocessing"]
    assert guess["assumed"]["scaling"] == "0..1"
    assert guess["assumed"]["label"] == entry["prediction"][0]["label"]
    assert {each["scaling"] for each in guess["others"]} == {"-1..1", "0..255", "imagenet", "caffe"}
    assert "Its classes are named by classes.json." in manifest["model"]["card"]["notes"]  # type: ignore[index]
    printed = capsys.readouterr().out
    assert "12 bits are assumed" in printed
    assert "is a guess (0..1" in printed
    assert "--preprocessing SCALING --fix" in printed
    with pytest.raises(UserError, match="No picture could be explained"):
        explained(model, tmp_path / "stack.tif", tmp_path / "other", page=3)
    assert "has 2 pages and no page 3" in capsys.readouterr().err
    with pytest.raises(UserError, match="--page is 0; pages and frames count from 1"):
        ExplainOptions((tmp_path / "stack.tif",), "phantoms", tmp_path / "out2", page=0)


def test_nothing_of_a_dicom_file_s_patient_is_written(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scan.dcm").write_bytes(dicom(DEEP, WINDOW))
    explained(model, tmp_path / "scan.dcm", tmp_path / "out")
    for file in (tmp_path / "out").rglob("*"):
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes()
    assert SECRET not in capsys.readouterr().out


def test_a_model_that_scales_by_itself_is_no_guess(model: Path, tmp_path: Path) -> None:
    body = [layers.Rescaling(1 / 255), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((16, 16, 3)), *body]).save(tmp_path / "own.keras")
    (tmp_path / "p.tif").write_bytes(tiff(DEEP))
    (entry,) = explained(tmp_path / "own.keras", tmp_path / "p.tif", tmp_path / "out")["pictures"]  # type: ignore[misc]
    assert entry["preprocessing"] is None
