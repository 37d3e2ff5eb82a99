"""The sheet names what is wrong with a folder: planted copies, contradictions, leaks and broken files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from models import explore
from models.datasets import layouts, splits
from models.datasets.batch_decode import read_image
from models.datasets.near_duplicates import find_exact_copies, find_near_duplicates, fingerprint_picture
from models.datasets.quality_checks import DataWarning, find_data_warnings, fingerprint_collection, unreadable_picture_warnings
from tests.data import data_folder
from tests.models.picture_folders import filled, ham10000, painted


def found(warnings: list[DataWarning]) -> dict[str, set[frozenset[str]]]:
    return {each.kind: {frozenset(case) for case in each.cases} for each in warnings}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return filled(tmp_path / "pictures", [f"{kind}/{kind}{n}.png" for kind in ("cat", "dog") for n in range(12)])


def explored(folder: Path, split: Path | None = None) -> dict[str, set[frozenset[str]]]:
    collection = layouts.read_picture_collection("folder", folder)
    if split:
        collection = explore.mark_split_parts(collection, splits.read_data_split(split, collection))
    rows, prints, failed = fingerprint_collection(collection)
    return found([*unreadable_picture_warnings(failed), *find_data_warnings(collection, rows, prints)])


def test_a_clean_folder_has_no_warning(clean: Path) -> None:
    assert explored(clean) == {}


def test_copies_are_found_by_their_pixels(clean: Path) -> None:
    Image.open(clean / "cat" / "cat1.png").save(clean / "cat" / "again.bmp")
    assert explored(clean) == {
        "copies": {frozenset({"cat1.png", "again.bmp"})},
        "apart": {frozenset({"cat1.png", "again.bmp"})},
    }


def test_a_picture_under_two_classes_is_a_contradiction(clean: Path) -> None:
    shutil.copy(clean / "cat" / "cat1.png", clean / "dog" / "stray.png")
    assert explored(clean)["contradiction"] == {frozenset({"cat: cat1.png", "dog: stray.png"})}


@pytest.mark.parametrize("how", ["scaled", "brighter", "jpeg"])
def test_near_copies_are_found(clean: Path, how: str) -> None:
    original = Image.open(painted(clean / "dog" / "large.png", 99, (120, 160)))
    match how:
        case "scaled":
            original.resize((100, 75)).save(clean / "dog" / "near.png")
        case "brighter":
            ImageEnhance.Brightness(original).enhance(1.1).save(clean / "dog" / "near.png")
        case _:
            original.save(clean / "dog" / "near.jpg", quality=70)
    [pair] = explored(clean)["alike"]
    assert "large.png" in pair
    assert any(name.startswith("near") for name in pair)


def test_pictures_of_one_brightness_are_no_near_copies(clean: Path) -> None:
    for value in (50, 120, 200):
        Image.new("RGB", (30, 30), (value, value, value)).save(clean / "cat" / f"plain{value}.png")
    assert explored(clean) == {}


def test_a_copy_in_two_parts_is_a_leak(tmp_path: Path) -> None:
    folder = filled(
        tmp_path / "x", [f"{part}/{kind}/{n}{part}{kind}.png" for part in ("train", "test") for kind in "ab" for n in range(10)]
    )
    shutil.copy(folder / "train" / "a" / "1traina.png", folder / "test" / "a" / "copy.png")
    assert explored(folder)["leak"] == {frozenset({"train: 1traina.png", "test: copy.png"})}


def test_a_split_file_is_searched_for_torn_groups_and_leaks(clean: Path, tmp_path: Path) -> None:
    shutil.copy(clean / "cat" / "cat0.png", clean / "cat" / "copy.png")
    whole = layouts.read_picture_collection("folder", clean)
    made = splits.DataSplit(tuple(row for row in whole.rows if row.path.name != "copy.png"), (), (whole.rows[-13],))
    assert made.test[0].path.name == "copy.png"
    splits.write_split(made, tmp_path / "split.csv")
    assert explored(clean, tmp_path / "split.csv")["leak"] == {frozenset({"train: cat0.png", "test: copy.png"})}


def test_a_group_in_two_parts_of_a_layout_is_a_leak(tmp_path: Path) -> None:
    names = ["train/NORMAL/IM-0001-0001.jpeg", "train/PNEUMONIA/person1_virus_1.jpeg"]
    folder = filled(tmp_path / "x", [*names, "test/NORMAL/IM-0001-0002.jpeg", "test/PNEUMONIA/person2_virus_1.jpeg"])
    warnings = found(explore.explore_folder(folder, None, None, tmp_path / "sheet.png")[1])
    assert warnings["groups"] == {frozenset({"IM 1 in test and train"})}
    assert warnings["few"] == {frozenset({"normal: 2"}), frozenset({"pneumonia: 2"})}


def test_a_person_in_two_parts_is_a_leak_where_names_tell_whom_a_picture_is_of(tmp_path: Path) -> None:
    folder = filled(tmp_path / "x", [f"{part}/{kind}/p{kind}{n}.png" for part, n in (("train", 1), ("test", 1)) for kind in "ab"])
    asked = (folder, "folder", None, tmp_path / "sheet.png")
    assert "groups" not in found(explore.explore_folder(*asked)[1])
    assert found(explore.explore_folder(*asked, r"p(\w)\d")[1])["groups"] == {frozenset({f"{kind} in test and train"}) for kind in "ab"}


def test_unreadable_pictures_are_named(clean: Path) -> None:
    (clean / "cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    [case] = explored(clean)["unreadable"]
    assert "broken.jpg: This JPEG is damaged" in str(case)


def test_the_command_prints_and_draws(clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(clean / "cat" / "cat1.png", clean / "dog" / "<b>.png")
    sheet = tmp_path / "sheet.html"
    assert explore.main([str(clean), "--out", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert "25 pictures (cat 12, dog 13)" in said
    assert "The same picture under two classes: 1" in said
    assert "cat: cat1.png = dog: <b>.png" in said
    text = sheet.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 1
    assert "dog: &lt;b&gt;.png" in text
    assert "http" not in text
    drawing = tmp_path / "sheet.png"
    assert explore.main([str(clean), "--out", str(drawing)]) == 0
    pixels = np.asarray(Image.open(drawing).convert("RGB")).reshape(-1, 3)
    assert (pixels == (0x44, 0x63, 0xA6)).all(1).sum() > 1000  # the bars


def test_mistakes_are_answered_in_one_sentence(clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explore.main([str(tmp_path / "none")]) == 2
    assert explore.main([str(clean), "--out", str(tmp_path / "sheet.gif")]) == 2
    assert explore.main([str(clean), "--layout", "ham10000"]) == 2
    assert explore.main([str(clean), "--out", str(tmp_path / "no" / "such" / "sheet.html")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["There", "--out", str(clean), str(tmp_path / "no" / "such" / "sheet.html")]


def test_a_layout_with_classes_that_have_no_picture_is_drawn(tmp_path: Path) -> None:
    collection, warnings = explore.explore_folder(ham10000(tmp_path / "x"), None, None, tmp_path / "sheet.png")
    assert collection.name == "ham10000"
    assert frozenset({"akiec: 0"}) in found(warnings)["few"]


def test_real_pictures_are_told_apart_and_their_copies_recognised() -> None:
    where = data_folder() / "chest_xray" / "train"
    if not where.is_dir():
        pytest.skip("the chest X-rays are not there; CROSSCHECK_DATA names the folder that holds them")
    names = ["NORMAL/NORMAL2-IM-0587-0001-0001.jpeg", "NORMAL/NORMAL2-IM-0587-0001-0002.jpeg"]
    names += ["PNEUMONIA/person1069_virus_1772.jpeg", "PNEUMONIA/person506_virus_1018.jpeg"]
    names += [f"PNEUMONIA/{file.name}" for file in sorted((where / "PNEUMONIA").iterdir())[:60:2]]
    prints = [fingerprint_picture(read_image(where / name)) for name in names]
    assert find_exact_copies(prints) == [(0, 1)]
    assert find_near_duplicates(prints) == [(2, 3)]
