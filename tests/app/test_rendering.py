"""Colour and scale by final pixel value."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from app.rendering import (
    AGAINST,
    BRIGHT,
    BRIGHT_SIGNED,
    DIVERGING,
    FOR,
    SEQUENTIAL,
    colour_lookup_table,
    encode_png,
    normalise_by_maximum,
    overlay_map,
    quantise_map,
)

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
    for name in SEQUENTIAL[1:]:
        np.testing.assert_array_equal(colour_lookup_table(name), np.round(mpl.colormaps[name](np.arange(256))[:, :3] * 255))
    for name in DIVERGING[1:]:
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
    painted = overlay_map(GREY, values, signed=False, opacity=1, colours="inferno")
    np.testing.assert_array_equal(painted[:, :2], 128)
    np.testing.assert_array_equal(painted[:, 2:], np.broadcast_to(colour_lookup_table("inferno")[255], (4, 2, 3)))
    half = overlay_map(GREY, values, signed=False, opacity=0.5, colours="inferno")
    np.testing.assert_allclose(half[0, 3], (127.5 + colour_lookup_table("inferno")[255].astype(float)) / 2, atol=0.51)
    against = overlay_map(GREY, -values, signed=True, opacity=1, colours="RdBu_r")
    np.testing.assert_array_equal(against[0, 3], colour_lookup_table("RdBu_r")[1])
    np.testing.assert_array_equal(against[0, 0], 128)


def test_the_hottest_place_has_the_hottest_colour() -> None:
    values = np.linspace(0, 1, 49).reshape(7, 7)
    painted = overlay_map(np.zeros((56, 56, 3), np.float32), values, signed=False, opacity=1, colours="inferno")
    brightness = painted.astype(int) @ [299, 587, 114]
    assert min(np.unravel_index(brightness.argmax(), brightness.shape)) >= 48  # the last cell
    assert painted[-1, -1].tolist() == colour_lookup_table("inferno")[255].tolist()


def test_colour_fades_in_up_to_half_of_the_strongest() -> None:
    painted = overlay_map(np.ones((1, 4, 3), np.float32), np.array([[0.0, 0.25, 0.5, 1.0]]), signed=False, opacity=1, colours="inferno")
    quarter = 255 * 0.5 + colour_lookup_table("inferno")[64].astype(float) * 0.5
    np.testing.assert_allclose(painted[0, 1], quarter, atol=0.51)
    np.testing.assert_array_equal(painted[0, 2], colour_lookup_table("inferno")[128])


def lightness(colours: np.ndarray) -> np.ndarray:
    """L* (CIE 1976, D65) of RGB bytes (..., 3)."""
    linear = np.where(colours / 255 <= 0.04045, colours / 255 / 12.92, ((colours / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
COLOUR_BLIND = {
    "none": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_bright_means_strong_for_every_eye(kind: str) -> None:
    for table in (colour_lookup_table(BRIGHT), colour_lookup_table(BRIGHT_SIGNED)[128:], colour_lookup_table(BRIGHT_SIGNED)[128:0:-1]):
        linear = np.where(table / 255 <= 0.04045, table / 255 / 12.92, ((table / 255 + 0.055) / 1.055) ** 2.4)
        seen = np.clip(linear @ COLOUR_BLIND[kind].T, 0, 1)
        back = 255 * np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
        rises = np.diff(lightness(back)[::4])
        assert (rises > 0).all()


def test_both_signs_are_equally_light_and_the_ramps_pass_their_points() -> None:
    table = colour_lookup_table(BRIGHT_SIGNED)
    assert np.abs(lightness(table[129:].astype(float)) - lightness(table[127:0:-1].astype(float))).max() < 1.5
    assert bytes(colour_lookup_table(BRIGHT)[255]).hex() == FOR[-1][1:] == bytes(table[255]).hex()
    assert bytes(colour_lookup_table(BRIGHT)[51]).hex() == FOR[1][1:]
    assert bytes(table[1]).hex() == bytes(table[0]).hex() == AGAINST[-1][1:]


def test_the_default_overlay_gives_these_pixels() -> None:
    """By hand: a grey photograph of 0.5 keeps 0.36 of its brightness; at full strength 0.94 of the colour, times 0.95, covers it."""
    values = np.repeat(np.repeat(np.array([[0.0, 1.0]]), 4, 0), 2, 1)
    painted = overlay_map(GREY, values, signed=False)
    np.testing.assert_array_equal(painted[:, :2], 46)
    full = np.array([0xFF, 0xE7, 0xC5]) * 0.95 * 0.94 + 255 * 0.18 * 0.06
    np.testing.assert_allclose(painted[0, 3], full, atol=0.51)
    red = np.zeros((1, 1, 3), np.float32)
    red[..., 0] = 1
    dimmed = overlay_map(np.repeat(red, 2, 1), np.array([[0.0, 1.0]]), signed=False)[0, 0]
    light = 0.299
    np.testing.assert_allclose(dimmed, 255 * 0.36 * (light + 0.45 * (np.array([1, 0, 0]) - light)), atol=0.51)


def test_evidence_against_is_hatched_and_evidence_for_is_not() -> None:
    values = np.full((14, 14), -1.0)
    against = overlay_map(np.full((14, 14, 3), 0.5, np.float32), values, signed=True).astype(int)
    lines = np.add.outer(np.arange(14), np.arange(14)) % 7 < 2
    assert len(np.unique(against[lines], axis=0)) == len(np.unique(against[~lines], axis=0)) == 1
    assert against[lines][0].sum() < against[~lines][0].sum() - 100
    favour = overlay_map(np.full((14, 14, 3), 0.5, np.float32), -values, signed=True)
    assert len(np.unique(favour.reshape(-1, 3), axis=0)) == 1


def test_strength_darkens_no_photograph() -> None:
    """Over any grey photograph lightness rises with strength, but for a fall that no eye sees."""
    for grey in (0.05, 0.3, 0.6, 0.95):
        row = np.full((1, 256, 3), grey, np.float32)
        painted = overlay_map(row, np.linspace(0, 1, 256)[None], signed=False)[0].astype(float)
        light = lightness(painted)
        assert (np.maximum.accumulate(light) - light).max() < 3


def test_png_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)
