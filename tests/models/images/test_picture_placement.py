"""Fitting a picture to a classifier's size, by value."""

import numpy as np
import pytest

from models.images.picture_placement import PADDING, PicturePlacement, compute_placement, fit_to_size, letterbox_content_box


def columns(*values: float, height: int = 4) -> np.ndarray:
    return np.repeat(np.tile(np.float32(values), (height, 1))[..., None], 3, axis=2)


def test_letterbox_keeps_the_whole_picture_between_grey_bars() -> None:
    picture = np.ones((10, 20, 3), np.float32)
    framed = fit_to_size(picture, (40, 40), "letterbox")
    assert framed.shape == (40, 40, 3)
    assert letterbox_content_box((10, 20), (40, 40)) == (10, 0, 20, 40)
    np.testing.assert_array_equal(framed[10:30], 1)
    np.testing.assert_array_equal(framed[:10], PADDING)
    np.testing.assert_array_equal(framed[30:], PADDING)


def test_crop_keeps_the_middle_and_stretch_keeps_all() -> None:
    picture = columns(0, 0.25, 0.5, 1, 0.5, 0.25, 0, 0)
    np.testing.assert_array_equal(fit_to_size(picture, (4, 4), "crop"), picture[:, 2:6])
    np.testing.assert_allclose(fit_to_size(picture, (4, 4), "stretch"), columns(0.125, 0.75, 0.375, 0), atol=1e-6)


@pytest.mark.parametrize(("how", "shape"), [("letterbox", (30, 50)), ("crop", (30, 50)), ("crop", (61, 40)), ("stretch", (30, 50))])
def test_the_placement_says_where_a_spot_of_the_picture_went(how: str, shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.float32)
    spot = np.array(shape) // 2 + (3, -4)
    picture[tuple(spot)] = 1
    framed = fit_to_size(picture, (24, 24), how)[..., 0]  # type: ignore[arg-type]
    inside = framed - (framed == PADDING) * PADDING
    found = np.indices(inside.shape).reshape(2, -1) @ inside.ravel() / inside.sum() + 0.5
    place = compute_placement(shape, (24, 24), how)  # type: ignore[arg-type]
    back = (found - place.content[:2]) / place.content[2:] * place.source[2:] + place.source[:2]
    assert np.abs(back - spot - 0.5).max() < max(place.source[2] / place.content[2], place.source[3] / place.content[3]) / 2
    assert compute_placement((20, 10), (40, 40), "letterbox") == PicturePlacement((0, 10, 40, 20), (0, 0, 20, 10))


def test_shrinking_averages_areas_also_where_the_other_side_grows() -> None:
    fine = np.tile(np.float32([0, 1]), (8, 64))[..., None].repeat(3, axis=2)  # (8, 128), finer than the result can show
    np.testing.assert_allclose(fit_to_size(fine, (32, 32), "stretch"), 0.5, atol=1e-6)


def test_enlarging_is_half_pixel_bilinear() -> None:
    np.testing.assert_allclose(fit_to_size(columns(0, 1, height=2), (4, 4), "stretch")[0, :, 0], [0, 0.25, 0.75, 1], atol=1e-6)


@pytest.mark.parametrize("how", ["letterbox", "crop", "stretch"])
@pytest.mark.parametrize("shape", [(8, 2048), (2048, 8), (1, 2048), (8, 8), (2048, 2048), (224, 224), (223, 225)])
def test_any_shape_fits(how: str, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*shape, 3), np.float32)
    fitted = fit_to_size(picture, (224, 160), how)
    assert fitted.shape == (224, 160, 3)
    assert fitted.dtype == np.float32
    assert fitted.min() >= 0
    assert fitted.max() <= 1
    top, left, height, width = letterbox_content_box(shape, (224, 160))
    assert min(height, width) >= 1
    assert top + height <= 224
    assert left + width <= 160


def test_a_fitting_picture_is_untouched() -> None:
    picture = np.random.default_rng(0).random((224, 224, 3), np.float32)
    for how in ("letterbox", "crop", "stretch"):
        np.testing.assert_array_equal(fit_to_size(picture, (224, 224), how), picture)
