"""Layouts are read as published, say what they leave out, and refuse another layout in one sentence."""

from pathlib import Path

import pytest

from errors import UserError
from models.cards.card import ClassLabel
from models.cards.metadata import CategoryField, NumberField
from models.datasets import layouts
from models.datasets.metadata_encoding import fit_metadata_encoding
from models.datasets.picture_collection import CollectionRow, PictureCollection
from tests.data import data_folder
from tests.models.picture_folders import chest_xray, csv, filled, ham10000, isic2019


def named(collection: PictureCollection) -> dict[str, tuple[str, str, str]]:
    return {row.path.name: (collection.labels[row.label].name, row.group, row.split) for row in collection.rows}


def test_ham10000_groups_by_lesion_and_says_what_does_not_match(tmp_path: Path) -> None:
    read = layouts.read_picture_collection("ham10000", ham10000(tmp_path))
    assert named(read)["I1.png"] == ("mel", "L1", "")
    assert named(read)["I4.png"] == ("nv", "L3", "")
    assert len(read.rows) == 6  # the mask is no picture of the collection
    assert read.counts() == {"akiec": 0, "bcc": 1, "bkl": 0, "df": 0, "mel": 2, "nv": 3, "vasc": 0}
    assert dict(read.rows[0].metadata) == {"age": 80.0, "sex": "male", "site": "scalp"}
    assert dict(read.rows[2].metadata) == {"age": None, "sex": None, "site": None}
    assert [remark[:30] for remark in read.remarks] == ["Left out: 1 picture (I7) named", "Left out: 1 picture (I9) in th"]
    assert "NC" in read.licence


def test_fields_are_learnt_from_the_training_pictures(tmp_path: Path) -> None:
    read = layouts.read_picture_collection("ham10000", ham10000(tmp_path))
    age, sex, site = fit_metadata_encoding(read, read.rows[:4], ("age", "sex", "site"))  # ages 80, 80, unknown and 35
    assert isinstance(age, NumberField)
    assert (age.mean, age.deviation, age.unit) == (65.0, pytest.approx(450**0.5, abs=1e-4), "years")
    assert sex == CategoryField("sex", ("female", "male"))
    assert site == CategoryField("site", ("back", "face", "scalp"))  # face is on no training picture
    [age] = fit_metadata_encoding(read, read.rows[:2], ("age",))  # 80 and 80
    assert isinstance(age, NumberField)
    assert (age.mean, age.deviation) == (80.0, 1.0)
    for name, training in (("age", read.rows[2:3]), ("weight", read.rows)):
        with pytest.raises(UserError, match=f"None of the {len(training)} training pictures has the metadata '{name}'; leave out"):
            fit_metadata_encoding(read, training, (name,))


def test_isic2019_reads_its_tables_and_its_test_part(tmp_path: Path) -> None:
    read = layouts.read_picture_collection("isic2019", isic2019(tmp_path))
    assert named(read) == {
        "T1.jpg": ("MEL", "BCN_1", "train"),
        "T2.jpg": ("MEL", "BCN_1", "train"),
        "T3.jpg": ("SCC", "T3", "train"),
        "E1.jpg": ("NV", "E1", "test"),
        "E2.jpg": ("UNK", "E2", "test"),
    }
    assert [label.name for label in read.labels] == ["MEL", "NV", "SCC", "UNK"]
    assert read.remarks == ("Only the test part shows 2 labels (NV, UNK): that cannot be learnt and counts as mistakes.",)
    assert dict(read.rows[1].metadata) == {"age": 70.0, "sex": "male", "site": None}


def test_isic2019_without_a_test_part_leaves_the_split_open(tmp_path: Path) -> None:
    read = layouts.read_picture_collection("isic2019", isic2019(tmp_path, test=False))
    assert {row.split for row in read.rows} == {""}
    assert [label.name for label in read.labels] == ["MEL", "SCC"]


def test_isic2019_refuses_a_row_of_two_classes(tmp_path: Path) -> None:
    isic2019(tmp_path, test=False)
    names = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    csv(tmp_path / "ISIC_2019_Training_GroundTruth.csv", [{"image": "T1", **{name: int(name in "MEL NV") for name in names}}])
    with pytest.raises(UserError, match="T1 has 2 classes marked 1"):
        layouts.read_picture_collection("isic2019", tmp_path)


def test_chest_xray_groups_by_person_within_a_series(tmp_path: Path) -> None:
    read = layouts.read_picture_collection("chest_xray", chest_xray(tmp_path))
    found = named(read)
    assert read.counts() == {"normal": 5, "pneumonia": 7}
    assert found["person1_bacteria_1.jpeg"] == found["person1_bacteria_2.jpeg"] == ("pneumonia", "bacteria 1", "train")
    assert found["person1_virus_7.jpeg"][1] == "virus 1"
    assert found["IM-0115-0001.jpeg"] == ("normal", "IM 115", "train")
    assert found["NORMAL2-IM-0115-0001.jpeg"][1] == found["NORMAL2-IM-0115-0001-0002.jpeg"][1] == "NORMAL2-IM 115"
    assert found["NORMAL2-IM-1427-0001.jpeg"][2] == "train"  # the 16 pictures of val/ go back where they came from
    assert sorted(name for name, (_, _, part) in found.items() if part == "test") == [
        "IM-0001-0001.jpeg",
        "person100_bacteria_475.jpeg",
        "person8_virus_30.jpeg",
    ]
    assert read.remarks == ("Left out: 1 file (notes.txt) not named as a picture.",)


def test_chest_xray_takes_the_cause_from_the_name(tmp_path: Path) -> None:
    chest_xray(tmp_path)
    read = layouts.read_picture_collection("chest_xray_causes", tmp_path)
    assert read.counts() == {"normal": 5, "bacterial": 4, "viral": 3}
    filled(tmp_path, ["train/PNEUMONIA/unnamed.png"])
    with pytest.raises(UserError, match=r"unnamed\.png does not say its cause"):
        layouts.read_picture_collection("chest_xray_causes", tmp_path)


def test_covid_xray_reads_the_radiography_layout_without_its_masks(tmp_path: Path) -> None:
    filled(tmp_path, ["COVID/images/COVID-1.png", "COVID/masks/COVID-1.png", "Normal/images/Normal-1.png"])
    filled(tmp_path, ["Viral Pneumonia/images/Viral Pneumonia-1.png", "Extra/a.png"], 5)
    read = layouts.read_picture_collection("covid_xray", tmp_path)
    assert [label.name for label in read.labels] == ["covid", "normal", "pneumonia"]
    assert {row.path.name: row.label for row in read.rows} == {"COVID-1.png": 0, "Normal-1.png": 1, "Viral Pneumonia-1.png": 2}
    assert read.remarks == ("Left out: 1 folder (Extra) of no known class.",)


def test_covid_xray_reads_class_folders_inside_parts(tmp_path: Path) -> None:
    filled(tmp_path, ["train/COVID19/a.jpg", "train/NORMAL/b.jpg", "test/COVID19/c.jpg", "test/NORMAL/d.jpg"])
    read = layouts.read_picture_collection("covid_xray", tmp_path)
    assert {row.path.name: (row.label, row.split) for row in read.rows} == {
        "a.jpg": (0, "train"),
        "b.jpg": (1, "train"),
        "c.jpg": (0, "test"),
        "d.jpg": (1, "test"),
    }


def test_any_folder_of_class_folders(tmp_path: Path) -> None:
    filled(tmp_path, ["train/dog/a.png", "train/cat/deep/b.PNG", "valid/cat/c.png", "valid/dog/d.png"])
    filled(tmp_path, ["train/.hidden/e.png", "train/loose.png"])
    (tmp_path / "train" / "dog" / "list.csv").write_text("a")
    read = layouts.read_picture_collection("folder", tmp_path)
    assert [label.name for label in read.labels] == ["cat", "dog"]
    assert named(read)["b.PNG"] == ("cat", "train/cat/deep/b.PNG", "train")
    assert named(read)["d.png"][2] == "validation"
    assert read.remarks == ("Left out: 2 files (loose.png, list.csv) in no class folder or not named as a picture.",)


@pytest.mark.parametrize(("layout", "ill", "well"), [("folder", "cat", "dog"), ("covid_xray", "COVID", "NORMAL")])
def test_pictures_can_be_grouped_by_their_names_where_the_layout_says_nothing(layout: str, ill: str, well: str, tmp_path: Path) -> None:
    filled(tmp_path, [f"{ill}/p1_a.png", f"{ill}/p1_b.png", f"{well}/p2_a.png"])
    read = layouts.read_picture_collection(layout, tmp_path, r"(p\d+)_")
    assert [row.group for row in read.rows] == ["p1", "p1", "p2"]
    assert read.remarks == ("2 groups by what '(p\\\\d+)_' finds in the names of 3 pictures.",)
    assert [row.group for row in layouts.detect_folder_layout(tmp_path, r"p\d").rows] == ["p1", "p1", "p2"]
    for pattern, said in (
        ("patient", r"finds nothing in p1_a\.png"),
        ("(x)?", r"finds nothing in p1_a\.png"),
        ("(", "no regular expression"),
    ):
        with pytest.raises(UserError, match=said):
            layouts.read_picture_collection(layout, tmp_path, pattern)


def test_a_layout_that_groups_by_itself_takes_no_pattern(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="but ham10000 says itself which pictures belong together; leave it out"):
        layouts.detect_folder_layout(ham10000(tmp_path), "I")


@pytest.mark.parametrize("layout", list(layouts.LAYOUTS))
def test_another_layout_is_answered_with_what_was_found_and_what_is_expected(layout: str, tmp_path: Path) -> None:
    filled(tmp_path, ["some/a.png", "b.png"])
    with pytest.raises(
        UserError, match=r"holds 1 folder \(some\) and 1 file \(b\.png\); expected is .*(metadata|ISIC|NORMAL|COVID|classes)"
    ):
        layouts.read_picture_collection(layout, tmp_path)


def test_what_lies_beside_the_parts_is_named(tmp_path: Path) -> None:
    filled(tmp_path, ["train/a/1.png", "train/b/2.png", "more/c/3.png"])
    read = layouts.read_picture_collection("folder", tmp_path)
    assert len(read.rows) == 2
    assert read.remarks == ("Left out: 1 folder (more) beside the parts.",)


def test_class_folders_that_read_alike_are_refused(tmp_path: Path) -> None:
    filled(tmp_path, ["Blue Veil/1.png", "blue_veil/2.png", "dots/3.png"])
    with pytest.raises(UserError, match="has the folders Blue Veil and blue_veil, which read as the same name"):
        layouts.read_picture_collection("folder", tmp_path)


def test_a_third_class_makes_chest_x_rays_another_collection(tmp_path: Path) -> None:
    filled(tmp_path, ["COVID/1.png", "NORMAL/2.png", "PNEUMONIA/3.png"])
    assert layouts.detect_folder_layout(tmp_path).name == "covid_xray"


def test_a_recognised_layout_with_a_mistake_in_it_is_not_read_as_another(tmp_path: Path) -> None:
    filled(tmp_path, ["images/I1.png", "masks/I1.png"])
    csv(tmp_path / "metadata.csv", [{"image_id": "I1", "dx": "nv"}])
    with pytest.raises(UserError, match="must also have lesion_id"):
        layouts.detect_folder_layout(tmp_path)


def test_the_training_part_says_which_classes_there_are(tmp_path: Path) -> None:
    filled(tmp_path, ["test/a/1.png", "train/A/2.png", "train/b/3.png", "train/c/4.png", "val/b/5.png", "val/c/6.png"])
    read = layouts.read_picture_collection("folder", tmp_path)
    assert [label.name for label in read.labels] == ["A", "b", "c"]
    assert {row.path.name: (row.label, row.split) for row in read.rows if row.split != "train"} == {
        "1.png": (0, "test"),
        "5.png": (1, "validation"),
        "6.png": (2, "validation"),
    }
    filled(tmp_path, ["test/d/7.png"])
    with pytest.raises(UserError, match=r"test has the 1 class folder \(d\) that .*train lacks, so that none can be learnt"):
        layouts.read_picture_collection("folder", tmp_path)


def test_a_class_may_be_called_as_a_part_is(tmp_path: Path) -> None:
    filled(tmp_path, ["bus/1.png", "car/2.png", "train/3.png"])
    read = layouts.read_picture_collection("folder", tmp_path)
    assert named(read) == {"1.png": ("bus", "bus/1.png", ""), "2.png": ("car", "car/2.png", ""), "3.png": ("train", "train/3.png", "")}
    assert not read.remarks
    filled(tmp_path, ["train/steam/4.png", "train/electric/5.png"])
    assert layouts.read_picture_collection("folder", tmp_path).remarks == (
        "Left out: 1 file (3.png) in no class folder or not named as a picture.",
        "Left out: 2 folders (bus, car) beside the parts.",
    )


def test_parts_without_class_folders_are_no_classes(tmp_path: Path) -> None:
    filled(tmp_path, ["train/1.png", "test/2.png"])
    with pytest.raises(UserError, match=r"holds 1 file \(2\.png\); expected is a folder of pictures for each"):
        layouts.read_picture_collection("folder", tmp_path)


def test_a_table_without_its_columns_says_which(tmp_path: Path) -> None:
    filled(tmp_path, ["images/I1.png"])
    csv(tmp_path / "metadata.csv", [{"image_id": "I1", "dx": "nv"}])
    with pytest.raises(UserError, match="has the columns image_id, dx; it must also have lesion_id, age, sex, localization"):
        layouts.read_picture_collection("ham10000", tmp_path)


def test_what_is_no_folder_or_no_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        layouts.read_picture_collection("folder", tmp_path / "none")
    with pytest.raises(UserError, match="There is no layout 'x'; the layouts are ham10000"):
        layouts.read_picture_collection("x", tmp_path)
    with pytest.raises(UserError, match="holds no picture"):
        PictureCollection("empty", (ClassLabel("a"), ClassLabel("b")), (), "", "")
    with pytest.raises(UserError, match="of class 2; the collection odd has classes 0 to 1"):
        PictureCollection("odd", (ClassLabel("a"), ClassLabel("b")), (CollectionRow(tmp_path, 2, ""),), "", "")


@pytest.mark.parametrize(("made", "name"), [(ham10000, "ham10000"), (isic2019, "isic2019"), (chest_xray, "chest_xray")])
def test_a_layout_is_recognised(made: object, name: str, tmp_path: Path) -> None:
    assert callable(made)
    assert layouts.detect_folder_layout(made(tmp_path)).name == name


def test_real_ham10000() -> None:
    where = data_folder() / "ham10000"
    if not where.is_dir():
        pytest.skip("HAM10000 is not there; CROSSCHECK_DATA names the folder that holds it")
    read = layouts.read_picture_collection("ham10000", where)
    assert read.counts() == {"akiec": 282, "bcc": 435, "bkl": 943, "df": 101, "mel": 935, "nv": 5702, "vasc": 118}
    assert len(read.rows) == 8516
    assert len({row.group for row in read.rows}) == 6350
    assert not read.remarks


def test_real_chest_xray() -> None:
    where = data_folder() / "chest_xray"
    if not where.is_dir():
        pytest.skip("the chest X-rays are not there; CROSSCHECK_DATA names the folder that holds them")
    read = layouts.read_picture_collection("chest_xray", where)
    parts = {part: [row.label for row in read.rows if row.split == part] for part in ("train", "test")}
    assert (len(parts["train"]), sum(parts["train"]), len(parts["test"]), sum(parts["test"])) == (5216, 3875, 312, 195)
    people = {part: {row.group for row in read.rows if row.split == part} for part in parts}
    assert not people["train"] & people["test"]
