"""Mosaics of pictures that a classifier is sure of."""

import numpy as np
import pytest

from errors import UserError
from explainers.explanation_case import Case, ExplanationSettings
from explainers.methods.grad_cam import GradCAM
from explainers.metrics.localisation.grid_pointing_game import GridGameMosaic, build_mosaics, share_in_mosaic_part


def test_parts_cover_the_picture_once() -> None:
    mosaic = GridGameMosaic(np.zeros((9, 7, 3), np.float32), (0, 1, 2, 3), 2)
    assert sum(mosaic.part(number).astype(int) for number in range(4)).tolist() == np.ones((9, 7)).tolist()
    assert mosaic.part(1)[0].tolist() == [False] * 4 + [True] * 3
    assert mosaic.chance == 1 / 4


def test_shares_by_hand() -> None:
    mosaic = GridGameMosaic(np.zeros((4, 4, 3), np.float32), (0, 1, 2, 3), 2)
    values = np.zeros((4, 4), np.float32)
    values[0, 0], values[3, 3], values[0, 3] = 3, 1, -9
    assert share_in_mosaic_part(values, mosaic, 0) == pytest.approx(3 / 4)
    assert share_in_mosaic_part(np.ones((2, 2), np.float32), mosaic, 2) == pytest.approx(1 / 4)
    assert share_in_mosaic_part(-np.ones((4, 4), np.float32), mosaic, 0) is None


def test_grad_cam_finds_each_colour_in_its_part_of_the_glass_boxs_mosaics() -> None:
    from models.classifiers.score import Score
    from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
    from models.loading import load_classifier

    classifier = load_classifier("glass_box")
    pictures = [draw_colour_patches(seed, NAMES[seed % 4]).image for seed in range(12)]
    shares = []
    for mosaic in build_mosaics(classifier, pictures, count=3):
        assert sorted(mosaic.targets) == [0, 1, 2, 3]
        for number, target in enumerate(mosaic.targets):
            (attribution,) = GradCAM()(Case(classifier, mosaic.image, Score(target), ExplanationSettings()))
            shares.append(share_in_mosaic_part(attribution.values, mosaic, number))
    assert np.mean(shares) > 0.6


def test_with_fewer_classes_than_parts_only_what_stands_alone_is_asked_for() -> None:
    """Of two classes one stands once and the other three times; of three, two stand once."""
    from models.datasets.synthetic.glass_box import NAMES, draw_colour_patches
    from models.loading import load_classifier

    classifier = load_classifier("glass_box")
    for classes in (2, 3):
        pictures = [draw_colour_patches(seed, NAMES[seed % classes]).image for seed in range(6)]
        for mosaic in build_mosaics(classifier, pictures, count=4):
            assert len(mosaic.targets) == 4
            assert len(set(mosaic.targets)) == classes
            assert len(mosaic.unique_parts) == classes - 1
            assert all(mosaic.targets.count(mosaic.targets[number]) == 1 for number in mosaic.unique_parts)
    assert len({mosaic.unique_parts for mosaic in build_mosaics(classifier, pictures[:2], count=12)}) > 1, "the place is drawn"


def test_one_class_alone_is_refused() -> None:
    from models.datasets.synthetic.glass_box import draw_colour_patches
    from models.loading import load_classifier

    with pytest.raises(UserError, match=r"gives 50%; of these 3 it does so for 1 classes\. Give more pictures"):
        build_mosaics(load_classifier("glass_box"), [draw_colour_patches(seed, "red").image for seed in range(3)])
