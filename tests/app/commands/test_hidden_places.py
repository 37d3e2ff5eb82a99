"""`explain --hide`: what the words stand for, what is refused, and what the manifest holds."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.commands.explain import explain_pictures
from app.commands.hidden_places import check_hidden_places
from app.options import ExplainOptions
from app.rendering import encode_png
from errors import UserError
from explainers.methods.grad_cam import GradCAM
from explainers.metrics.agreement.consensus import CONSENSUS
from models.datasets.synthetic import glass_box
from models.loading import load_classifier


def test_the_manifest_holds_every_place_hidden_in_three_ways(tmp_path: Path) -> None:
    picture = glass_box.draw_colour_patches(3, glass_box.NAMES[3 % len(glass_box.NAMES)])
    (tmp_path / "p.png").write_bytes(encode_png(np.round(picture.image * 255).astype(np.uint8)))
    cv2.imwrite(str(tmp_path / "p_mask.png"), 255 * picture.evidence.astype(np.uint8))
    (tmp_path / "masks").mkdir()
    (tmp_path / "p_mask.png").rename(tmp_path / "masks" / "p_mask.png")
    hidden = ("consensus", "grad_cam", str(tmp_path / "masks"))
    options = ExplainOptions((tmp_path / "p.png",), "glass_box", tmp_path / "out", ("grad_cam", "lime"), hide=hidden, preset="Fast")
    assert explain_pictures(options, lambda: load_classifier("glass_box")) == 0
    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_text())["pictures"]
    found = entry["measures"]["hidden"]
    assert [(each["title"], each["fill"]) for each in found] == [
        (CONSENSUS, "blur"),
        *((title, fill) for title in (CONSENSUS, "Grad-CAM", "masks") for fill in ("blur", "mean colour", "inpainting")),
    ]
    assert found[0] == found[1], "what runs by itself is the same as what was asked for"
    by_mask = [each for each in found if each["title"] == "masks"]
    assert all(each["area"] == pytest.approx(picture.evidence.mean(), abs=0.01) for each in by_mask)
    assert {each["more_than"] for each in by_mask} == {20}, "the glass box goes by its patches, and nothing else counts as much"


@pytest.mark.parametrize("word", ["lime", "nowhere.png", "grad-cam"])
def test_a_word_that_is_no_place_is_refused(word: str) -> None:
    with pytest.raises(UserError, match="give consensus, a mask's file or folder, or a method that runs: grad_cam"):
        check_hidden_places([word], [GradCAM()], 1)


def test_one_mask_for_several_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").touch()
    with pytest.raises(UserError, match="one mask"):
        check_hidden_places([str(tmp_path / "mask.png")], [GradCAM()], 2)
