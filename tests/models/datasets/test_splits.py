"""Splits keep groups whole and classes in proportion, follow from their seed, and come back from their file."""

import dataclasses
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from models.cards.card import ClassLabel
from models.datasets import layouts, splits
from models.datasets.picture_collection import CollectionRow, PictureCollection
from models.datasets.splits import DataSplit
from tests.data import data_folder
from tests.models.picture_folders import filled

SHARES = (0.7, 0.15, 0.15)
LABELS = (ClassLabel("a"), ClassLabel("b"), ClassLabel("c"))


def collection(rows: list[CollectionRow]) -> PictureCollection:
    return PictureCollection("made", LABELS, tuple(rows), "none", "made")


def lesions(count: int = 300) -> list[CollectionRow]:
    """Lesions of 1 to 6 pictures in three classes, 10 : 3 : 1."""
    rng = np.random.default_rng(1)
    rows = []
    for lesion in range(count):
        label = int(rng.choice(3, p=[10 / 14, 3 / 14, 1 / 14]))
        rows += [CollectionRow(Path(f"/pictures/{label}/{lesion}_{n}.jpg"), label, f"L{lesion}") for n in range(rng.integers(1, 7))]
    return rows


def parts(made: DataSplit) -> dict[str, tuple[CollectionRow, ...]]:
    return {"train": made.train, "validation": made.validation, "test": made.test}


def check(made: DataSplit, whole: PictureCollection) -> None:
    """Every picture once, no group in two parts: written without a look at how the split is made."""
    rows = [row for part in parts(made).values() for row in part]
    assert sorted(row.path for row in rows) == sorted(row.path for row in whole.rows)
    groups = [{row.group for row in part} for part in parts(made).values()]
    assert not (groups[0] & groups[1])
    assert not (groups[0] & groups[2])
    assert not (groups[1] & groups[2])


def test_groups_stay_whole_and_classes_keep_their_shares() -> None:
    whole = collection(lesions())
    made = splits.split_collection(whole, SHARES, 0)
    check(made, whole)
    totals = np.bincount([row.label for row in whole.rows])
    for part, share in zip(parts(made).values(), SHARES, strict=True):
        np.testing.assert_allclose(np.bincount([row.label for row in part], minlength=3) / totals, share, atol=0.02)


def test_the_seed_decides_and_the_order_of_the_rows_does_not() -> None:
    whole = collection(lesions())
    assert (
        splits.split_collection(whole, SHARES, 3) == splits.split_collection(whole, SHARES, 3) != splits.split_collection(whole, SHARES, 4)
    )
    backwards = splits.split_collection(collection(list(whole.rows[::-1])), SHARES, 3)
    assert {row.path for row in backwards.test} == {row.path for row in splits.split_collection(whole, SHARES, 3).test}


def test_a_fixed_test_part_stays_and_the_rest_keeps_its_proportion() -> None:
    rows = [CollectionRow(Path(f"/x/{n}.png"), n % 2, f"g{n}", "train") for n in range(80)]
    fixed = [CollectionRow(Path(f"/x/t{n}.png"), n % 2, f"t{n}", "test") for n in range(10)]
    made = splits.split_collection(collection(rows + fixed), (0.6, 0.2, 0.2), 0)
    assert set(made.test) == set(fixed)
    assert (len(made.train), len(made.validation)) == (60, 20)


def test_fixed_validation_and_test_parts_leave_nothing_to_deal() -> None:
    rows = [CollectionRow(Path(f"/x/{n}.png"), 0, f"g{n}", part) for n, part in enumerate(("train", "train", "validation", "test"))]
    made = splits.split_collection(collection(rows), SHARES, 0)
    assert (made.train, made.validation, made.test) == (tuple(rows[:2]), (rows[2],), (rows[3],))


def test_a_picture_alone_in_its_class_is_trained_on() -> None:
    rows = [*lesions(40), CollectionRow(Path("/pictures/2/alone.jpg"), 2, "alone")]
    rare = [row for row in rows if row.label != 2 or row.group == "alone"]
    made = splits.split_collection(collection(rare), SHARES, 0)
    assert [row.group for row in made.train if row.label == 2] == ["alone"]


def test_a_group_in_two_fixed_parts_is_refused() -> None:
    rows = [
        CollectionRow(Path("/x/1.png"), 0, "p1", "train"),
        CollectionRow(Path("/x/2.png"), 1, "p2", "train"),
        CollectionRow(Path("/x/3.png"), 0, "p1", "test"),
    ]
    with pytest.raises(UserError, match="Pictures of p1 are in train and in test"):
        splits.split_collection(collection(rows), (1, 0, 0), 0)


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1), (0, 0.5, 0.5)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UserError, match="The shares are"):
        splits.split_collection(collection(lesions(5)), shares, 0)


def test_a_collection_of_test_pictures_alone_is_refused() -> None:
    with pytest.raises(UserError, match="has test pictures only"):
        splits.split_collection(collection([CollectionRow(Path("/x/1.png"), 0, "p1", "test")]), SHARES, 0)


def test_a_split_comes_back_from_its_file(tmp_path: Path) -> None:
    whole = collection(lesions())
    made = splits.split_collection(whole, SHARES, 0)
    file = tmp_path / "split.csv"
    splits.write_split(made, file)
    assert file.read_text().splitlines()[0] == "part,label,group,path"
    assert splits.read_data_split(file, whole) == made
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_does_not_fit_the_pictures_is_refused(tmp_path: Path) -> None:
    whole = collection(lesions())
    file = tmp_path / "split.csv"
    splits.write_split(splits.split_collection(whole, SHARES, 0), file)
    text = file.read_text()
    first = text.splitlines()[1]

    def refused(changed: str, match: str) -> None:
        file.write_text(changed)
        with pytest.raises(UserError, match=match):
            splits.read_data_split(file, whole)

    refused(text.replace(first + "\n", ""), "lacks 1 of the folder's pictures")
    refused(text + first + "\n", "or names it twice")
    refused(text.replace(first, first.replace(".jpg", ".png")), "does not hold")
    refused(text.replace(first, first.replace("train,0", "train,1")), "the folder says class 0")
    refused(text.replace(first, first.replace("train", "training")), "part 'training'")
    refused("picture,part\na,b\n", "it must also have label, group, path")
    several = {row.group for row, other in pairwise(whole.rows) if row.group == other.group}
    torn = next(row.group for row in splits.split_collection(whole, SHARES, 0).train if row.group in several)
    line = next(line for line in text.splitlines() if f",{torn}," in line)
    refused(text.replace(line, line.replace("train", "test")), "a lesion or patient may be in one part only")


def bitmaps(root: Path, first: int) -> PictureCollection:
    """Six bitmaps, which are all as large whatever they show, under the same names whatever the seeds."""
    return layouts.read_picture_collection("folder", filled(root, [f"{kind}/{n}.bmp" for kind in ("cat", "dog") for n in range(3)], first))


def test_a_fingerprint_tells_files_of_one_name_and_size_apart_and_survives_a_copy(tmp_path: Path) -> None:
    whole = bitmaps(tmp_path / "one", 0)
    made = splits.split_collection(whole, (1, 0, 0), 0)
    told = splits.split_fingerprint(made)
    assert told.startswith("6 + 0 + 0 (")
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    assert (
        splits.split_fingerprint(splits.split_collection(layouts.read_picture_collection("folder", tmp_path / "copy"), (1, 0, 0), 0))
        == told
    )
    other = bitmaps(tmp_path / "two", 6)
    assert [row.path.stat().st_size for row in other.rows] == [row.path.stat().st_size for row in whole.rows]
    assert splits.split_fingerprint(splits.split_collection(other, (1, 0, 0), 0)) != told
    aged = [dataclasses.replace(row, metadata=(("age", 50.0),)) for row in made.train]
    assert splits.split_fingerprint(DataSplit(tuple(aged), (), ())) != told
    data = bytearray((gone := made.train[0].path).read_bytes())
    data[-1] ^= 1
    gone.write_bytes(data)
    assert splits.split_fingerprint(made) != told
    gone.unlink()
    with pytest.raises(UserError, match=r"cannot be read any more \(No such file"):
        splits.split_fingerprint(made)


@pytest.mark.parametrize("name", ["ham10000", "chest_xray"])
def test_real_collections(name: str) -> None:
    where = data_folder() / name
    if not where.is_dir():
        pytest.skip(f"{name} is not there; CROSSCHECK_DATA names the folder that holds it")
    whole = layouts.read_picture_collection(name, where)
    made = splits.split_collection(whole, (0.8, 0.1, 0.1), 0)
    check(made, whole)
    rest = [row.label for row in (*made.train, *made.validation)]
    share = len(made.validation) / len(rest)
    assert share == pytest.approx(1 / 9, abs=0.001)
    kept = np.bincount([row.label for row in made.validation]) / np.bincount(rest)
    np.testing.assert_allclose(kept, share, atol=0.01)
    assert name != "chest_xray" or len(made.test) == 312
