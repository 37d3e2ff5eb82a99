"""`python -m app inspect`: what it prints, what it writes after a yes, and what it refuses."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.commands.picture_sample import MAX_PICTURES, sample_picture_files
from errors import UserError
from models.cards.card import Card
from models.inspection.card_writer import writable_card_path, write_card
from models.loading import load_classifier
from tests.models.inspection.example_models import carded, meter, shades


@pytest.fixture(autouse=True)
def speaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.silence_tensorflow", lambda: None)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen dark and bright pictures in test/, and in train/ others that are swapped."""
    folder = tmp_path_factory.mktemp("shades")
    for number, each in enumerate(shades(16)):
        for part, name in (("test", each.label), ("train", "dark" if each.label == "bright" else "bright")):
            file = folder / part / str(name) / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.round(each.picture * 255).astype(np.uint8)).save(file)
    return folder


def test_a_wrong_card_is_found_and_fixed_after_a_yes(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = carded(meter(tmp_path / "m.keras", 127, 10), licence="mine")
    before = path.with_suffix(".json").read_bytes()
    asked = ["inspect", str(path), "--pictures", str(pictures), "--trust", "--fix"]
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main(asked) == 0
    said = capsys.readouterr()
    assert "It wants pictures as 0..255 RGB, where it is right on 100%" in " ".join(said.out.split())
    assert "calls everything dark" in " ".join(said.out.split())
    assert "Write m.json in place of the one that is there? [y/N] Nothing is written." in said.err
    assert path.with_suffix(".json").read_bytes() == before
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(asked) == 0
    assert "The card that was there is m.json.bak now" in capsys.readouterr().err
    assert (tmp_path / "m.json.bak").read_bytes() == before
    mended = load_classifier(path).card
    assert (mended.scaling, mended.licence, bool(mended.sha256)) == ("0..255", "mine", True)
    assert main([*asked, "--yes"]) == 0
    assert "Nothing is written: the report" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m.json", "m.json.bak", "m.keras"]


def test_json_is_the_whole_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(carded(meter(tmp_path / "m.keras", 0.5, 0.04))), "--json", "--trust"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["layers"] == [{"name": "mean", "grid": [22, 22], "channels": 1, "receptive_field": [3, 3], "used": True}]
    assert report["card"]["scaling"] == "0..1"
    assert report["candidates"] == []


def test_a_table_says_what_pictures_in_one_folder_show(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{file.parent.name}/{file.name},{file.parent.name}" for file in sorted((pictures / "test").rglob("*.png"))]
    (tmp_path / "classes.csv").write_text("\n".join(["file,class", *rows]))
    path = carded(meter(tmp_path / "m.keras", 127, 10))
    given = ["inspect", str(path), "--trust", "--pictures", str(pictures / "test"), "--labels", str(tmp_path / "classes.csv"), "--json"]
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out)["classes_known"] == 16
    (tmp_path / "classes.csv").write_text("file,class\nmissing.png,dark\n")
    assert main(given) == 2
    assert "names missing.png" in capsys.readouterr().err


def test_the_names_of_the_classes_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = meter(tmp_path / "m.keras", 0.5, 0.04)
    (tmp_path / "names.txt").write_text("0 night\n1 day\n")
    assert main(["inspect", str(path), "--labels", str(tmp_path / "names.txt"), "--fix", "--yes", "--trust"]) == 0
    assert "2 classes: night, day." in capsys.readouterr().out
    assert load_classifier(path).labels == ("night", "day")


def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.keras").write_bytes(b"<!DOCTYPE html>")
    assert main(["inspect", str(tmp_path / "m.keras"), "--trust"]) == 2
    said = capsys.readouterr()
    assert "a web page" in said.err
    assert said.err.count("\n") == 1
    assert main(["inspect", str(tmp_path / "m.keras"), "--trust", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["findings"][0]["level"] == "refused"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--pictures", "nowhere"], "which is no folder"),
        (["--pictures", "."], "holds no picture"),
        (["--labels", "nowhere.txt"], "which is no file"),
        (["--labels", "a.csv"], "there is no --pictures"),
    ],
)
def test_wrong_flags(
    flags: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("file,class\n")
    assert main(["inspect", "phantoms", *flags]) == 2
    assert words in capsys.readouterr().err


def test_pictures_are_drawn_evenly_from_the_test_part_and_always_the_same(pictures: Path, tmp_path: Path) -> None:
    found = sample_picture_files(pictures, None)
    assert sorted(name for _, name in found) == ["bright"] * 8 + ["dark"] * 8
    assert {file.parent.parent.name for file, _ in found} == {"test"}
    assert sample_picture_files(pictures, None) == found
    for name, count in (("many", 90), ("few", 5)):
        (tmp_path / name).mkdir()
        for number in range(count):
            (tmp_path / name / f"{number}.png").touch()
    drawn = [name for _, name in sample_picture_files(tmp_path, None)]
    assert (drawn.count("few"), len(drawn)) == (5, MAX_PICTURES)


def test_masks_of_pictures_are_no_pictures(tmp_path: Path) -> None:
    for name in ("dog.jpg", "dog_mask.png", "gas_mask.jpg"):
        (tmp_path / name).touch()
    assert sorted(file.name for file, _ in sample_picture_files(tmp_path, None)) == ["dog.jpg", "gas_mask.jpg"]


def test_no_card_is_lost_and_none_is_written_where_it_does_not_belong(tmp_path: Path) -> None:
    path = carded(meter(tmp_path / "m.keras", 0.5, 0.04), notes=("first",))
    file = writable_card_path(str(path))
    card = Card.read(file)
    kept = [write_card(file, card), write_card(file, card)]
    assert [each.name for each in kept if each] == ["m.json.bak", "m.json.bak2"]
    for name in ("phantoms", "imagenet:VGG16", "hf://a/b"):
        with pytest.raises(UserError, match="not yours to fix"):
            writable_card_path(name)
    file.write_text('{"class_name": "Sequential", "config": {}}')
    with pytest.raises(UserError, match="architecture"):
        writable_card_path(str(path))
