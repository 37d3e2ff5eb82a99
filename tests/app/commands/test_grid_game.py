"""`python -m app grid-game` from a folder of pictures to its table and file."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.commands.grid_game import grid_game_table
from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(8):
        (folder / NAMES[seed % 4]).mkdir(exist_ok=True)
        pixels = np.round(draw_colour_patches(seed, NAMES[seed % 4]).image * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / NAMES[seed % 4] / f"{seed}.png")
    return folder


def test_each_colour_is_found_in_its_part_more_often_than_by_chance(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "game.json"
    words = ["--model", "glass_box", "--methods", "grad_cam", "integrated_gradients", "--mosaics", "2", "--seed", "3"]
    assert main(["grid-game", "--pictures", str(pictures), *words, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "| Grad-CAM | " in said
    assert "| chance | 0.250 |" in said
    found = json.loads(out.read_text())
    assert (found["chance"], found["mosaics"], found["side"], found["settings"]["seed"]) == (0.25, 2, 2, 3)
    assert [row["method"] for row in found["methods"]] == ["grad_cam", "integrated_gradients"]
    for row in found["methods"]:
        assert row["parts"] == 8
        assert 0.5 < row["share"] <= 1
        assert 0 < row["standard_error"] < 0.2
    assert main(["grid-game", "--pictures", str(pictures), *words, "--out", str(out)]) == 2
    assert "which exists; name another file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--pictures", "nowhere"], "--pictures is nowhere, which is no folder"),
        (["--side", "1"], "--side is 1; it must lie from 2 to 5."),
        (["--methods", "magic"], "There is no method 'magic'"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], sentence: str, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grid-game", "--model", "glass_box", "--pictures", str(pictures), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_pictures_of_one_class_are_refused_and_unreadable_ones_are_reported(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes((pictures / NAMES[0] / "0.png").read_bytes())
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert main(["grid-game", "--model", "glass_box", "--pictures", str(tmp_path), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "b.png: This file is not a picture" in said
    assert "of these 1 it does so for 1 classes" in said


def test_unknown_values_are_left_empty() -> None:
    row = {"title": "m", "share": None, "standard_error": None, "parts": 3, "without_evidence": 3}
    assert grid_game_table([row], 1 / 9).splitlines()[2:] == ["| m |  |  | 3 | 3 |", "| chance | 0.111 |  |  |  |"]
