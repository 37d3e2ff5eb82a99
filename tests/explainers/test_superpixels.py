"""Superpixels are connected, contiguous, near the count asked for, and there are always two."""

import numpy as np
import pytest
from skimage.measure import label

from errors import UserError
from explainers.superpixels import _merged, rectangular_segments, segment_areas, segment_superpixels
from tests.explainers.toy_classifiers import picture


@pytest.mark.parametrize("count", [4, 9, 16, 40])
def test_labels_run_from_zero_and_are_near_the_count(count: int) -> None:
    found = segment_superpixels(picture((96, 128)), count)
    assert found.shape == (96, 128)
    assert set(np.unique(found)) == set(range(found.max() + 1))
    assert abs(found.max() + 1 - count) <= max(2, 0.2 * count)


def test_every_segment_is_one_connected_patch() -> None:
    found = segment_superpixels(picture((64, 64), seed=4), 20)
    assert all(label(found == s, connectivity=1).max() == 1 for s in range(found.max() + 1))


def test_no_segment_crosses_a_strong_edge() -> None:
    board = np.zeros((64, 64, 3), np.float32)
    board[:, 23:] = (0.9, 0.6, 0.1)
    found = segment_superpixels(board, 12)
    assert not set(np.unique(found[:, :21])) & set(np.unique(found[:, 25:]))


def test_bars_that_fitting_left_are_one_segment_each() -> None:
    boxed = np.full((96, 96, 3), 0.5, np.float32)
    boxed[20:80] = picture((60, 96))
    found = segment_superpixels(boxed, 16)
    assert np.unique(found[:20]).tolist() == [0]
    assert np.unique(found[80:]).tolist() == [1]
    assert found[20:80].min() == 2
    assert abs(found.max() + 1 - 16) <= 3


@pytest.mark.parametrize("sides", [(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 1), (0, 0, 2, 1), (30, 30, 1, 1)])
def test_no_segment_is_a_sliver(sides: tuple[int, int, int, int]) -> None:
    """Letterbox bars and frames of a pixel or two join what they border on; the bars of 30 pixels stay."""
    top, bottom, left, right = sides
    boxed = np.full((224, 224, 3), 0.5, np.float32)
    boxed[top : 224 - bottom, left : 224 - right] = picture((224 - top - bottom, 224 - left - right))
    found = segment_superpixels(boxed, 20)
    assert set(np.unique(found)) == set(range(found.max() + 1))
    assert segment_areas(found).min() >= 224 * 224 / 20 / 4
    assert abs(found.max() + 1 - 20) <= 4
    assert all(label(found == s, connectivity=1).max() == 1 for s in range(found.max() + 1))
    assert (np.unique(found[:30]).tolist() == [0]) == (top == 30)


def test_small_patches_join_the_neighbour_with_the_longest_border() -> None:
    labels = np.zeros((6, 6), np.int64)
    labels[:, 3:] = 1
    labels[5, 2] = 2
    labels[4, 2] = 2
    labels[:2, 5] = 3
    joined = np.zeros((6, 6), np.int64)
    joined[:, 3:] = 1
    np.testing.assert_array_equal(_merged(labels, 3), joined)
    assert len(np.unique(_merged(labels, 1000))) == 2


def test_the_same_picture_gives_the_same_segments() -> None:
    np.testing.assert_array_equal(segment_superpixels(picture((60, 80)), 12), segment_superpixels(picture((60, 80)), 12))


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (3, 3), (1, 50), (64, 64)])
def test_flat_and_tiny_pictures_have_at_least_two_segments(size: tuple[int, int]) -> None:
    for count in (2, 16):
        found = segment_superpixels(np.full((*size, 3), 0.5, np.float32), count)
        assert 2 <= found.max() + 1 <= size[0] * size[1]
        assert set(np.unique(found)) == set(range(found.max() + 1))


def test_an_even_grid_has_rectangles_of_like_area() -> None:
    assert segment_areas(rectangular_segments((60, 80), 12)).tolist() == [400.0] * 12


def test_what_cannot_be_cut_is_refused_with_its_size() -> None:
    with pytest.raises(UserError, match="1 x 1 pixels"):
        segment_superpixels(np.zeros((1, 1, 3), np.float32), 8)
    with pytest.raises(UserError, match="is 1; explaining by segments needs at least 2"):
        segment_superpixels(np.zeros((8, 8, 3), np.float32), 1)
