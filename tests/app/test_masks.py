"""Masks: found by name, laid as the picture is, refused in a sentence; and what `explain --mask` writes of them."""

import io
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.masks import decode_mask, find_mask_file, fit_mask_to_input, load_region_mask
from errors import UserError
from explainers.metrics.localisation.evidence_overlap import energy_inside_mask
from models.datasets.synthetic.glass_box import draw_colour_patches
from models.images.decoder import fit_to_size


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, kind)
    return held.getvalue()


def spot(height: int = 60, width: int = 80) -> np.ndarray:
    """White in the right half of the upper third."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[: height // 3, width // 2 :] = 255
    return pixels


@pytest.mark.parametrize("size", [(60, 80), (30, 40), (300, 400)])
def test_a_mask_of_any_resolution_lies_as_the_letterboxed_picture(size) -> None:
    """80 x 60 on 32 x 32: 24 rows from row 4 on; the upper third is rows 4 to 11, the right half columns 16 to 31."""
    expected = np.zeros((32, 32), bool)
    expected[4:12, 16:] = True
    mask = decode_mask(encoded(spot(*size)), "m.png", (60, 80))
    np.testing.assert_array_equal(
        fit_mask_to_input(mask, (60, 80), partial(fit_to_size, size=(32, 32), how="letterbox"), "m.png"), expected
    )


def test_cropped_and_stretched_as_the_picture() -> None:
    mask = decode_mask(encoded(spot()), "m.png", (60, 80))
    cropped = fit_mask_to_input(mask, (60, 80), partial(fit_to_size, size=(30, 30), how="crop"), "m.png")
    stretched = fit_mask_to_input(mask, (60, 80), partial(fit_to_size, size=(30, 30), how="stretch"), "m.png")
    for found in (cropped, stretched):
        assert found[:10, 15:].all()
        assert found.sum() == 150
    left = np.zeros((60, 80), np.uint8)
    left[:, :8] = 255
    with pytest.raises(UserError, match=r"At the classifier's size the mask m.png is empty"):
        fit_mask_to_input(decode_mask(encoded(left), "m.png", (60, 80)), (60, 80), partial(fit_to_size, size=(30, 30), how="crop"), "m.png")


def test_the_rim_of_a_jpeg_is_no_grey() -> None:
    mask = decode_mask(encoded(spot(), "JPEG"), "m.jpg", (60, 80))
    np.testing.assert_array_equal(mask, spot() > 0)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (encoded(spot(80, 60)), "has another shape than the picture: it is 60 x 80 pixels and the picture 80 x 60"),
        (encoded(np.zeros((60, 80), np.uint8)), "is empty: no pixel of it is bright; a mask is white where the evidence lies"),
        (encoded(np.ones((60, 80), np.uint8)), "is empty"),
        (encoded(np.full((60, 80), 255, np.uint8)), "is full: every pixel of it is bright"),
        (encoded(np.tile(np.arange(80, dtype=np.uint8) * 3, (60, 1))), "is grey: 5[0-9]% of its pixels are neither dark nor bright"),
        (b"<html>", "cannot be read: This file is a web page"),
        (b"", "cannot be read: The file is empty"),
    ],
)
def test_what_is_no_mask_of_the_picture_is_refused_in_a_sentence(data, sentence) -> None:
    with pytest.raises(UserError, match=sentence):
        decode_mask(data, "m.png", (60, 80))


def test_a_folder_is_searched_by_the_pictures_name(tmp_path: Path) -> None:
    for name in ("mole.jpg", "mole_segmentation.png", "other.png", "other_mask.png", "other_evidence.png"):
        (tmp_path / name).write_bytes(b"x")
    assert find_mask_file(tmp_path, tmp_path / "mole.jpg").name == "mole_segmentation.png"
    assert find_mask_file(tmp_path, Path("elsewhere/MOLE_SEGMENTATION.png")).name == "mole_segmentation.png"
    assert find_mask_file(tmp_path / "other.png", Path("mole.jpg")).name == "other.png"
    with pytest.raises(UserError, match=r"holds no mask of eye.png; it would be called eye.png or eye_mask.png"):
        find_mask_file(tmp_path, Path("eye.png"))
    with pytest.raises(UserError, match=r"holds 2 masks of other.png \(other_evidence.png, other_mask.png\); leave one"):
        find_mask_file(tmp_path, tmp_path / "other.png")
    with pytest.raises(UserError, match="cannot be read"):
        load_region_mask(tmp_path / "gone.png", Path("mole.jpg"), (60, 80), partial(fit_to_size, size=(30, 30), how="crop"))


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of patches of colour with their evidence, and a third without."""
    folder = tmp_path_factory.mktemp("boxes")
    for seed, name in enumerate(("red", "green", "blue")):
        found = draw_colour_patches(seed, name)
        Image.fromarray(np.round(found.image * 255).astype(np.uint8)).save(folder / f"{name}.png")
        if name != "blue":
            Image.fromarray(found.evidence.astype(np.uint8) * 255).save(folder / f"{name}_evidence.png")
    return folder


WORDS = ["--model", "glass_box", "--methods", "grad_cam", "occlusion", "--preset", "fast"]


def test_explain_writes_where_every_map_points(boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = [str(boxes / f"{name}.png") for name in ("red", "green", "blue")]
    words = [*WORDS, "--mask", str(boxes), "--measures", "none", "--out", str(tmp_path / "out")]
    assert main(["explain", *pictures, *words]) == 1, "the third picture has no mask"
    said = capsys.readouterr()
    assert "holds no mask of blue.png" in said.err
    assert said.out.count("| Grad-CAM | ") == 2
    entries = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
    assert "holds no mask" in entries[2]["error"]
    found = entries[0]["measures"]["localisation"]
    assert found["mask"] == "red_evidence.png"
    truth = draw_colour_patches(0, "red").evidence
    assert found["area"] == pytest.approx(truth.mean(), abs=1e-4)
    assert found["tolerance"] == len(truth) / 16
    titles = [row["title"] for row in found["maps"]]
    assert titles == ["Grad-CAM", "Occlusion (smoothed)", "consensus of the families", "the area", "the centre", "a centred Gaussian"]
    rows = dict(zip(titles, found["maps"], strict=True))
    with np.load(tmp_path / "out" / "maps.npz") as maps:
        assert rows["Grad-CAM"]["energy"] == pytest.approx(energy_inside_mask(maps["red/grad_cam/full"], truth), abs=1e-4)
    assert rows["Grad-CAM"]["energy"] > 0.9 > rows["the area"]["energy"]


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        ("green_evidence.png", None),
        ("red.png", "The mask red.png is grey"),
        ("nowhere.png", "which does not exist; give a mask"),
    ],
)
def test_one_mask_for_one_picture(mask: str, sentence: str | None, boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--mask", str(boxes / mask), "--quiet", "--out", str(tmp_path / "out")]
    assert main(["explain", str(boxes / "green.png"), *words]) == (2 if sentence else 0)
    said = capsys.readouterr()
    assert not said.out
    if sentence:
        assert sentence in said.err
        assert not list(tmp_path.iterdir())
    else:
        (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
        assert set(entry["measures"]) == {"agreement", "conclusion", "hidden", "evaluations", "left_out", "localisation"}
        for pair in entry["measures"]["agreement"]["pairs"]:
            assert set(pair["raw"]) == {"spearman", "ssim", "pearson", "overlap", "by_chance"}
            assert set(pair["raw"]["by_chance"]) == {"spearman", "ssim", "pearson", "overlap"}


def test_one_mask_for_two_pictures_is_refused(boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--mask", str(boxes / "red_evidence.png"), "--out", str(tmp_path / "out")]
    assert main(["explain", str(boxes / "red.png"), str(boxes / "green.png"), *words]) == 2
    assert "--mask is one file for 2 pictures; give a folder of masks" in capsys.readouterr().err
