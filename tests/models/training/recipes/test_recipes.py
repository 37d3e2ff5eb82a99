"""Every recipe that learns from pictures, run for real on a few of them with the smallest network."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.cards.card import Card
from models.evaluate import main as evaluate
from models.loading import load_classifier
from models.results import main as results
from models.train import main
from models.training import checkpoint
from models.training.recipes import RECIPES
from tests.models import picture_folders
from tests.models.picture_folders import filled

QUICK = ["--size", "32", "--backbone", "small_cnn", "--epochs", "1", "--batch", "4"]


def covid(root: Path) -> Path:
    return filled(root, [f"{kind}/images/{kind}-{n}.png" for kind in ("COVID", "Normal", "Viral Pneumonia") for n in range(1, 9)])


def chest(root: Path) -> Path:
    people = [("train", number) for number in range(9)] + [("test", number) for number in range(9, 12)]
    names = [f"{part}/NORMAL/IM-{n:04}-0001.jpeg" for part, n in people]
    return filled(root, names + [f"{part}/PNEUMONIA/person{n}_{cause}_{n}.jpeg" for part, n in people for cause in ("bacteria", "virus")])


def classes(root: Path) -> Path:
    return filled(root, [f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(8)])


def lesions(root: Path) -> Path:
    """HAM10000's layout with thirty lesions of three classes."""
    rows = [
        {
            "lesion_id": f"L{n // 2}",
            "image_id": f"I{n}",
            "dx": ("mel", "nv", "bcc")[n // 2 % 3],
            "age": 40.0 + n if n % 5 else "",
            "sex": ("male", "female")[n % 2],
            "localization": "back",
        }
        for n in range(60)
    ]
    filled(root / "images", [f"I{n}.png" for n in range(60)])
    picture_folders.csv(root / "metadata.csv", rows)
    return root


def isic(root: Path) -> Path:
    """ISIC 2019's layout with thirty lesions of the first three of its nine columns."""
    names = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    images = [f"T{n}" for n in range(60)]
    filled(root / "ISIC_2019_Training_Input", [f"{image}.jpg" for image in images])
    truth = [{"image": image, **{name: float(place == n // 2 % 3) for place, name in enumerate(names)}} for n, image in enumerate(images)]
    about = [{"image": f"T{n}", "age_approx": 50.0, "anatom_site_general": "", "lesion_id": f"L{n // 2}", "sex": "male"} for n in range(60)]
    picture_folders.csv(root / "ISIC_2019_Training_GroundTruth.csv", truth)
    picture_folders.csv(root / "ISIC_2019_Training_Metadata.csv", about)
    return root


@pytest.mark.parametrize(
    ("recipe", "made", "words", "head", "labels"),
    [
        ("chest_xray", chest, ["--classes", "causes"], "softmax", ("normal", "bacterial", "viral")),
        ("covid_xray", covid, ["--loss", "focal", "--schedule", "plateau", "--balance", "logits"], "softmax", None),
        ("dermoscopy", lesions, ["--metadata"], "softmax", None),
        ("dermoscopy", isic, ["--layout", "isic2019", "--balance", "none"], "softmax", None),
    ],
)
def test_a_recipe_writes_a_classifier_that_opens_with_an_honest_card(
    recipe: str,
    made: Callable[[Path], Path],
    words: list[str],
    head: str,
    labels: tuple[str, ...] | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, out = made(tmp_path / "data"), tmp_path / "out"
    assert main([recipe, "--data", str(data), "--out", str(out), *QUICK, *words]) == 0
    kept = out / recipe / "v1"
    card = Card.read(kept / f"{recipe}.json")
    assert card.head == head
    assert labels is None or tuple(label.name for label in card.labels) == labels
    assert card.accuracy is not None
    assert card.calibration_error is not None
    assert ("by lesion or person" if made in (lesions, isic) else "each picture by itself") in card.measured_on
    assert "--out" not in card.made_by
    assert card.made_by.startswith(f"python -m models.train {recipe} --data")
    files = {f"{recipe}.keras", f"{recipe}.json", "split.csv", "history.json", "evaluation.json", "evaluation.html"}
    assert files <= {file.name for file in kept.iterdir()}
    assert not (out / checkpoint.NAME).exists()
    assert results([str(out / recipe)]) == 0
    assert f"| `{recipe} --data" in capsys.readouterr().out
    asked = load_classifier(out / recipe)
    assert asked.default_layers[0].grid == (2, 2)
    assert [field.name for field in card.metadata] == (["age", "sex", "site"] if "--metadata" in words else [])


@pytest.mark.parametrize("recipe", ["folder", "covid_xray"])
def test_pictures_of_one_person_stay_in_one_part(recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{kind}/p{n // 3:02}_{n}.png" for kind in ("COVID", "Normal") for n in range(24)]
    asked = [recipe, "--data", str(filled(tmp_path / "data", names)), "--out", str(tmp_path / "out"), "--name", "Mine_2", *QUICK]
    assert main([*asked, "--group", "p("]) == 2
    assert "--group is 'p(', which is no regular expression" in capsys.readouterr().err
    assert main([*asked, "--group", r"(p\d+)_"]) == 0
    assert "8 groups by what" in capsys.readouterr().out
    kept = tmp_path / "out" / "Mine_2" / "v1"
    assert Card.read(kept / "Mine_2.json").name == load_classifier(kept).card.name == "Mine_2"
    parts: dict[str, set[str]] = {}
    with (kept / "split.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            parts.setdefault(row["path"].partition("/")[2].partition("_")[0], set()).add(row["part"])
    assert len(parts) == 8
    assert sorted(next(iter(found)) for found in parts.values()) == ["test", *["train"] * 6, "validation"]
    assert all(len(found) == 1 for found in parts.values())
    assert json.loads((kept / "evaluation.json").read_text())["groups"] == 1
    judged = ["--model", str(kept), "--data", str(tmp_path / "data"), "--layout", recipe, "--split", str(kept / "split.csv")]
    for words, status in ((["--group", r"(p\d+)_"], 0), ([], 2)):
        assert evaluate([*judged, "--out", str(tmp_path / "judged"), "--resamples", "20", *words]) == status
    assert "Give the --group that it was made with" in capsys.readouterr().err


def test_a_wrong_layout_says_what_was_found_and_what_is_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = classes(tmp_path / "data")
    for recipe in sorted(RECIPES.keys() & {"dermoscopy", "chest_xray", "covid_xray"}):
        assert main([recipe, "--data", str(data), "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert "2 folders (cat, dog)" in said
        assert "expected is" in said
        assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--backbone", "ResNet51"], "There is no backbone 'ResNet51'; choose one of MobileNetV2"),
        (["--backbone", "small_cnn", "--size", "33"], "--size is 33 x 33; small_cnn takes multiples of 16"),
        (["--backbone", "small_cnn", "--weights", "imagenet"], "There are no 'imagenet' weights of small_cnn"),
        (["--epochs", "0"], "A stage of training has 0 epochs; give 1 to 1000."),
        (["--features", "2"], "--features computes the frozen layers once, but all layers learn"),
        (["--name", "../mine"], "--name is '../mine'; give at most 64 of a to z"),
        (["--size", "1", "2", "3"], "--size is 1 2 3; give a side, or height and width"),
    ],
)
def test_a_wrong_wish_is_one_sentence(words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["folder", "--data", str(classes(tmp_path / "data")), "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_run_with_other_settings_is_not_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = classes(tmp_path / "data"), tmp_path / "out"
    out.mkdir()
    checkpoint.write_checkpoint(checkpoint.TrainingState({"epochs": 7}), out)
    assert main(["folder", "--data", str(data), "--out", str(out), *QUICK]) == 2
    assert "epochs was 7, is 1" in capsys.readouterr().err


def test_a_stopped_run_says_how_to_go_on_and_does_not_with_other_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = classes(tmp_path / "data"), tmp_path / "out"
    asked = ["folder", "--data", str(data), "--out", str(out), *QUICK]

    def stopped(*_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.save_model_version", stopped)
    assert main([*asked, "--fresh"]) == 130
    said = capsys.readouterr().err
    assert f"goes on from the last whole epoch: python -m models.train {' '.join(asked)}\n" in said
    filled(data, ["cat/new.png"])
    assert main(asked) == 2
    assert "pictures was " in (said := capsys.readouterr().err)
    assert "--fresh" in said
    checkpoint.remove_checkpoint(out)
    monkeypatch.setattr("models.training.recipes.image_training_recipe.train_image_classifier", stopped)
    assert main(asked) == 130
    assert "begins again" in capsys.readouterr().err


def test_a_test_picture_that_cannot_be_read_stops_the_run_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    filled(data, [f"{part}/{kind}/{part}{n}.png" for part in ("train", "test") for kind in ("cat", "dog") for n in range(6)])
    (data / "test" / "cat" / "broken.png").write_bytes(b"no picture")
    assert main(["folder", "--data", str(data), "--out", str(out), *QUICK]) == 2
    assert "broken.png" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_without_an_evaluation_has_no_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert results([str(tmp_path)]) == 2
    assert "evaluation.json cannot be read" in capsys.readouterr().err
