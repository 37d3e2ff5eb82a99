"""The example pictures: all there, credited, known, and as their script paints them."""

from pathlib import Path

import numpy as np
import pytest

from errors import UserError
from examples import FOLDER, Example, all_examples, examples_for
from examples.remake import main
from models.datasets.synthetic import glass_box, phantoms
from models.images.decoder import decode_picture

CREDITS = (FOLDER / "CREDITS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", all_examples(), ids=lambda example: example.name)
def test_an_example_opens_and_is_credited(example: Example) -> None:
    picture = decode_picture(example.data())
    mask = example.evidence()
    assert picture.ndim == 3
    assert mask is None or (mask.shape == picture.shape[:2] and 0.005 < mask.mean() < 0.2)
    assert example.credit
    assert example.caption.endswith((".", "?"))
    assert example.name in CREDITS or f"{example.name.split('_')[0]}_*" in CREDITS


def test_there_are_enough_of_each_kind() -> None:
    lesions = examples_for("phantoms")
    assert len(lesions) >= 12
    assert {example.label for example in lesions} == set(phantoms.NAMES)
    assert sum("ruler" in example.name for example in lesions) >= 4
    assert examples_for("phantoms_shortcut") == lesions
    assert {example.label for example in examples_for("glass_box")} == set(glass_box.NAMES)
    assert [example.name for example in examples_for("imagenet:ResNet50")] == ["chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png"]
    assert examples_for("some/model.keras") == ()


def test_only_the_plain_ones_lack_evidence() -> None:
    for example in (*examples_for("phantoms"), *examples_for("glass_box")):
        assert (example.evidence() is None) == (example.label == "plain")


def test_the_script_paints_them_again(tmp_path: Path) -> None:
    main(tmp_path)
    assert (tmp_path / "index.json").read_text() == (FOLDER / "index.json").read_text()
    made = sorted(path.name for path in tmp_path.glob("*.png"))
    assert made == sorted(path.name for path in FOLDER.glob("*.png"))
    for name in made:
        again, kept = (decode_picture((folder / name).read_bytes()) for folder in (tmp_path, FOLDER))
        assert np.abs(again - kept).mean() < 0.002, name  # other processors round a little differently


def test_an_example_is_the_phantom_itself() -> None:
    example = examples_for("phantoms")[0]
    drawn = phantoms.draw_phantom(16, "blue veil", False)
    assert np.abs(decode_picture(example.data()) - drawn.image).max() < 0.02
    assert np.array_equal(example.evidence(), drawn.evidence)


def test_a_missing_picture_is_one_sentence() -> None:
    gone = Example("Gone", "Gone.", "gone.png", ("phantoms",), "plain", "", "nobody")
    with pytest.raises(UserError, match=r"gone\.png"):
        gone.data()
