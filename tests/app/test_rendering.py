"""Colour and scale by final pixel value."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from app.rendering import DIVERGING, SEQUENTIAL, colour_lookup_table, encode_png, normalise_by_maximum, overlay_map, quantise_map

GREY = np.full((4, 4, 3), 0.5, np.float32)


def test_signed_codes_keep_zero_at_128_whatever_the_balance() -> None:
    np.testing.assert_array_equal(quantise_map(np.array([[-2.0, -1, 0, 1]]), signed=True), [[1, 64, 128, 192]])
    np.testing.assert_array_equal(quantise_map(np.array([[0.0, 3]]), signed=True), [[128, 255]])
    np.testing.assert_array_equal(quantise_map(np.array([[0.0, -3]]), signed=True), [[128, 1]])


def test_unsigned_codes_keep_zero_at_0() -> None:
    np.testing.assert_array_equal(quantise_map(np.array([[0.0, 1, 2, 4]]), signed=False), [[0, 64, 128, 255]])
    np.testing.assert_array_equal(quantise_map(np.array([[2.0, 4]]), signed=False), [[128, 255]])  # not stretched from its own least
    np.testing.assert_array_equal(quantise_map(np.array([[-4.0, 1]]), signed=False), [[0, 255]])


@pytest.mark.parametrize("signed", [True, False])
def test_codes_do_not_depend_on_the_unit(signed: bool) -> None:
    values = np.random.default_rng(0).normal(size=(14, 14))
    for factor in (1e-30, 1e-6, 1e6, 1e30):
        np.testing.assert_array_equal(quantise_map(values * factor, signed), quantise_map(values, signed))


def test_one_wild_pixel_does_not_hide_the_rest_of_a_fine_map() -> None:
    values = np.ones((100, 100))
    values[0, 0] = 1e6
    np.testing.assert_array_equal(quantise_map(values, signed=False), 255)
    assert normalise_by_maximum(np.eye(7), signed=False).max() == 1
    np.testing.assert_array_equal(quantise_map(np.diag([1.0, 2.0, 4.0]), signed=False).diagonal(), [64, 128, 255])


@pytest.mark.parametrize("values", [np.zeros((3, 3)), np.full((3, 3), -1.0), np.full((3, 3), np.nan), np.array([[1.0, np.inf]])])
def test_a_blank_map_is_not_stretched_and_gives_the_plain_picture(values: np.ndarray) -> None:
    assert not quantise_map(values, signed=False).any()
    np.testing.assert_array_equal(overlay_map(GREY, values, signed=False, opacity=1), 128)


def test_a_blank_signed_map_is_zero_everywhere() -> None:
    np.testing.assert_array_equal(quantise_map(np.zeros((3, 3)), signed=True), 128)
    np.testing.assert_array_equal(overlay_map(GREY, np.zeros((3, 3)), signed=True, opacity=1), 128)


def test_tables() -> None:
    for name in SEQUENTIAL:
        np.testing.assert_array_equal(colour_lookup_table(name), np.round(mpl.colormaps[name](np.arange(256))[:, :3] * 255))
    for name in DIVERGING:
        table = colour_lookup_table(name).astype(int)
        assert table.shape == (256, 3)
        assert np.ptp(table[128]) <= 3  # grey or white: neither side's colour
        ends = np.round(np.array([mpl.colormaps[name](0.0), mpl.colormaps[name](1.0)])[:, :3] * 255)
        np.testing.assert_array_equal(table[[1, 255]], ends)
        brightness = table @ [0.299, 0.587, 0.114]
        assert abs(brightness[1] - brightness[255]) < 60  # of 255: neither sign looks much stronger
        assert brightness[128] == pytest.approx(brightness.max(), abs=1)
    red, blue = colour_lookup_table("RdBu_r")[255].astype(int), colour_lookup_table("RdBu_r")[1].astype(int)
    assert red[0] > red[2] + 60
    assert blue[2] > blue[0] + 60


def test_overlay_gives_these_pixels() -> None:
    values = np.repeat(np.repeat(np.array([[0.0, 1.0]]), 4, 0), 2, 1)  # columns 0 0 1 1
    painted = overlay_map(GREY, values, signed=False, opacity=1)
    np.testing.assert_array_equal(painted[:, :2], 128)
    np.testing.assert_array_equal(painted[:, 2:], np.broadcast_to(colour_lookup_table("inferno")[255], (4, 2, 3)))
    half = overlay_map(GREY, values, signed=False, opacity=0.5)
    np.testing.assert_allclose(half[0, 3], (127.5 + colour_lookup_table("inferno")[255].astype(float)) / 2, atol=0.51)
    against = overlay_map(GREY, -values, signed=True, opacity=1)
    np.testing.assert_array_equal(against[0, 3], colour_lookup_table("RdBu_r")[1])
    np.testing.assert_array_equal(against[0, 0], 128)


def test_the_hottest_place_has_the_hottest_colour() -> None:
    values = np.linspace(0, 1, 49).reshape(7, 7)
    painted = overlay_map(np.zeros((56, 56, 3), np.float32), values, signed=False, opacity=1)
    brightness = painted.astype(int) @ [299, 587, 114]
    assert min(np.unravel_index(brightness.argmax(), brightness.shape)) >= 48  # the last cell
    assert painted[-1, -1].tolist() == colour_lookup_table("inferno")[255].tolist()


def test_colour_fades_in_up_to_half_of_the_strongest() -> None:
    painted = overlay_map(np.ones((1, 4, 3), np.float32), np.array([[0.0, 0.25, 0.5, 1.0]]), signed=False, opacity=1)
    quarter = 255 * 0.5 + colour_lookup_table("inferno")[64].astype(float) * 0.5
    np.testing.assert_allclose(painted[0, 1], quarter, atol=0.51)
    np.testing.assert_array_equal(painted[0, 2], colour_lookup_table("inferno")[128])


def test_png_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)
