"""Mosaics of pictures that a classifier is sure of."""

import numpy as np
import pytest

from errors import UserError
from explainers.case import Case, Settings
from explainers.measures.grid_game import Mosaic, mosaics, share_in_part
from explainers.methods.grad_cam import GradCAM


def test_parts_cover_the_picture_once() -> None:
    mosaic = Mosaic(np.zeros((9, 7, 3), np.float32), (0, 1, 2, 3), 2)
    assert sum(mosaic.part(number).astype(int) for number in range(4)).tolist() == np.ones((9, 7)).tolist()
    assert mosaic.part(1)[0].tolist() == [False] * 4 + [True] * 3
    assert mosaic.chance == 1 / 4


def test_shares_by_hand() -> None:
    mosaic = Mosaic(np.zeros((4, 4, 3), np.float32), (0, 1, 2, 3), 2)
    values = np.zeros((4, 4), np.float32)
    values[0, 0], values[3, 3], values[0, 3] = 3, 1, -9
    assert share_in_part(values, mosaic, 0) == pytest.approx(3 / 4)
    assert share_in_part(np.ones((2, 2), np.float32), mosaic, 2) == pytest.approx(1 / 4)
    assert share_in_part(-np.ones((4, 4), np.float32), mosaic, 0) is None


def test_grad_cam_finds_each_colour_in_its_part_of_the_glass_boxs_mosaics() -> None:
    from models.datasets.glass_box import NAMES, patches
    from models.loading import load
    from models.score import Score

    classifier = load("glass_box")
    pictures = [patches(seed, NAMES[seed % 4]).image for seed in range(12)]
    shares = []
    for mosaic in mosaics(classifier, pictures, count=3):
        assert sorted(mosaic.targets) == [0, 1, 2, 3]
        for number, target in enumerate(mosaic.targets):
            (attribution,) = GradCAM()(Case(classifier, mosaic.image, Score(target), Settings()))
            shares.append(share_in_part(attribution.values, mosaic, number))
    assert np.mean(shares) > 0.6


def test_too_few_classes_are_refused() -> None:
    from models.datasets.glass_box import patches
    from models.loading import load

    with pytest.raises(UserError, match="confident pictures of 4 classes; these show 1"):
        mosaics(load("glass_box"), [patches(seed, "red").image for seed in range(3)])
