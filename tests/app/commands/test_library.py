"""`python -m app library`: goes on where it was stopped, appears whole, and is what `explain` judges by."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import map_library
from app.cli import main
from app.commands.library import build_map_library
from app.explanation import FittedPicture
from app.model_files import map_library_path, read_map_library_of_model
from app.options import LibraryOptions
from errors import UserError
from explainers.methods import METHODS, SEVEN
from explainers.metrics.agreement.reference_library import image_digest, read_map_library, write_map_library
from models.cards.card import Card
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
from models.store import bundled_models


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(31):
        image = draw_colour_patches(seed, NAMES[seed % 4]).image
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(folder / f"{seed:02}.png")
    return folder


def test_a_stopped_library_goes_on_where_it_was(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "box.library.npz"
    options, read_file = LibraryOptions("glass_box", pictures, out, "Fast", quiet=True), map_library.fit_picture_to_input
    seen: list[int] = []

    def stopping(data: bytes, card: Card) -> FittedPicture:
        seen.append(len(data))
        if len(seen) == 20:
            raise KeyboardInterrupt
        return read_file(data, card)

    monkeypatch.setattr(map_library, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(map_library, "fit_picture_to_input", stopping)
    with pytest.raises(KeyboardInterrupt):
        build_map_library(options)
    assert [path.name for path in tmp_path.iterdir()] == [".box.library.npz.part"]
    studied: list[str] = []
    study = map_library.run_methods
    monkeypatch.setattr(map_library, "run_methods", lambda case, methods: studied.append(image_digest(case.image)) or study(case, methods))
    assert build_map_library(options) == 0
    assert len(set(studied)) == 12, "19 of 31 were known"
    assert [path.name for path in tmp_path.iterdir()] == ["box.library.npz"]
    found = read_map_library(out)
    assert found.too_few(), "31 pictures are just enough for maps that are never blank, and some are"
    said = capsys.readouterr().err
    assert all(f"only {count} gave a map of {title}, and chance needs more than 30" in said for title, count in found.too_few().items())
    assert len(found.pictures) == 31
    assert {method.title for method in METHODS} <= set(found.maps)
    assert found.made_with["preset"] == "Fast"
    studied.clear()
    assert build_map_library(options) == 0
    assert not studied, "what is there is not done again"
    with out.open("wb") as file:
        write_map_library(replace(found, classes=()), file)
    assert "earlier format" in read_map_library(out).outdated
    assert build_map_library(options) == 0
    assert (not studied, read_map_library(out).classes, read_map_library(out).outdated) == (True, found.classes, "")
    assert len(set(found.classes)) > 1


def test_too_few_pictures_or_no_folder_is_refused(tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "holds 0 pictures"), (tmp_path / "no", "is no folder")):
        with pytest.raises(UserError, match=words):
            build_map_library(LibraryOptions("glass_box", folder))


@pytest.mark.parametrize("name", list(bundled_models()))
def test_bundled_classifiers_carry_theirs(name: str) -> None:
    found = read_map_library_of_model(name)
    card = json.loads(bundled_models()[name].with_suffix(".json").read_text())
    assert found.made_with["model"] == card["sha256"]
    assert len(found.others("Grad-CAM").rows) >= 30
    assert not found.outdated
    assert {method.title for method in SEVEN} <= set(found.maps)


def test_it_lies_beside_the_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert map_library_path("phantoms").name == "phantoms.library.npz"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert map_library_path("imagenet:VGG16") == tmp_path / "models" / "VGG16.library.npz"
    assert read_map_library_of_model("imagenet:VGG16") is None
    assert read_map_library_of_model("no/such/model.keras") is None


@pytest.mark.parametrize("level", ["none", "agreement", "all"])
def test_explain_writes_the_measures_that_were_asked_for(level: str, pictures: Path, tmp_path: Path) -> None:
    words = ["--model", "glass_box", "--methods", "grad_cam", "lime", "--preset", "fast", "--quiet", "--measures", level]
    assert main(["explain", str(pictures / "00.png"), "--out", str(tmp_path / "out"), *words]) == 0
    (picture,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
    if level == "none":
        assert "measures" not in picture
        return
    found = picture["measures"]
    (pair,) = found["agreement"]["pairs"]
    assert pair["pair"] == ["Grad-CAM", "LIME"]
    assert pair["others"] >= 30, "the bundled library is used"
    assert -1 <= pair["kappa"] <= 1
    cam = found["agreement"]["stability"]["Grad-CAM"]
    if level == "agreement":
        assert (pair["self_agreement"], cam["reliability"], cam["converged"]) == ("taken as exact", None, None)
    else:
        assert pair["self_agreement"] == "measured"
        assert 0.9 < cam["reliability"] <= 1
    assert found["agreement"]["notes"] == ["The library of other pictures was made with preset Balanced."]
    assert ("faithfulness" in found) == ("sanity" in found) == ("sensitivity" in found) == (level == "all")
    if level == "all":
        assert len(found["faithfulness"]["curves"]) == (2 + 3) * 4
        assert len(found["sanity"]) == 2 * 5
        assert found["evaluations"] > 1000
