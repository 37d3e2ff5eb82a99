"""A host's folder of examples: masks beside pictures are known evidence, and never offered as pictures."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.service.example_gallery import ExampleGallery, mask_files_by_picture


def write(folder: Path, name: str, size: tuple[int, int] = (40, 30), bright: bool = False) -> None:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 2, : size[0] // 4] = 255 if bright else 40
    Image.fromarray(pixels).save(folder / name)


def own(folder: Path) -> dict[str, np.ndarray | None]:
    return {each.picture.name: each.evidence for each in ExampleGallery(folder).of("no such classifier")}


def test_a_mask_is_its_picture_s_evidence(tmp_path: Path) -> None:
    write(tmp_path, "cat.jpg")
    write(tmp_path, "cat_mask.png", (80, 60), bright=True)  # of another resolution
    write(tmp_path, "Dog.png")
    write(tmp_path, "dog_Segmentation.PNG", bright=True)
    write(tmp_path, "owl.png")
    write(tmp_path, "ruby_mask.png")  # of no picture here: a picture of a mask
    found = own(tmp_path)
    assert set(found) == {"cat.jpg", "Dog.png", "owl.png", "ruby_mask.png"}
    assert found["owl.png"] is found["ruby_mask.png"] is None
    expected = np.zeros((30, 40), bool)
    expected[:15, :10] = True
    for name in ("cat.jpg", "Dog.png"):
        np.testing.assert_array_equal(found[name], expected)


def test_what_has_a_mask_itself_is_a_picture() -> None:
    files = [Path(name) for name in ("bird.jpg", "bird_segmentation.jpg", "bird_segmentation_mask.png")]
    assert mask_files_by_picture(files) == {files[1]: (files[2],)}


def test_a_mask_that_cannot_be_used_is_logged_and_not_offered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "cat.jpg")
    write(tmp_path, "cat_mask.png", (90, 30), bright=True)
    write(tmp_path, "dog.jpg")
    write(tmp_path, "dog_mask.png")  # dark all over
    write(tmp_path, "owl.jpg")
    write(tmp_path, "owl_mask.png", bright=True)
    write(tmp_path, "owl_evidence.png", bright=True)
    with caplog.at_level(logging.WARNING):
        found = own(tmp_path)
    assert found == {"cat.jpg": None, "dog.jpg": None, "owl.jpg": None}
    messages = [record.getMessage() for record in caplog.records]
    assert "has another shape than the picture" in messages[0]
    assert "is empty: no pixel of it is bright" in messages[1]
    assert "owl.jpg has 2 masks (owl_mask.png, owl_evidence.png), so none is used" in messages[2]
