"""The decoder by pixel value: what each kind of file comes out as."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from errors import UserError
from models.images import decoder
from models.images.decoder import decode_picture, read_picture
from tests.models.picture_files import HALVES, NOISE, chunk, filtered_png, png, raw_png, saved


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]
)
def test_lossless_formats_give_the_stored_numbers(kind: str, options: dict[str, Any]) -> None:
    picture = decode_picture(saved(Image.fromarray(NOISE), kind, **options))
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(picture, NOISE.astype(np.float32) / 255)


@pytest.mark.parametrize("options", [{"quality": 100, "subsampling": 0}, {"quality": 100, "subsampling": 0, "progressive": True}])
def test_jpeg_gives_the_stored_numbers_within_its_rounding(options: dict[str, Any]) -> None:
    assert np.abs(decode_picture(saved(Image.fromarray(NOISE), "JPEG", **options)) * 255 - NOISE).max() <= 4


def test_gif_and_animations_give_their_first_frame() -> None:
    red, blue = (Image.new("RGB", (12, 10), colour) for colour in ("red", "blue"))
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        picture = decode_picture(saved(red, kind, save_all=True, append_images=[blue], **options))
        np.testing.assert_array_equal(picture, np.broadcast_to(np.float32([1, 0, 0]), (10, 12, 3)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(kind: str, orientation: int) -> None:
    values = np.zeros((16, 32, 3), np.uint8)
    values[:8, :8], values[8:, 24:] = (255, 0, 0), (0, 255, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(values), kind, exif=exif)
    picture = decode_picture(data)
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(picture, wanted, atol=1 / 255)
    # By hand: where the stored top left corner must be seen (row, column; 0 the first, -1 the last).
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[orientation]
    assert picture.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    assert read_picture(data).size == picture.shape[:2]
    assert picture[corner][0] > 0.8
    assert picture[corner][1] < 0.2


def test_exif_behind_the_pixels_of_a_png_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    end = chunk(b"IEND", b"")
    data = png(HALVES).removesuffix(end) + chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + end
    np.testing.assert_array_equal(decode_picture(data)[0, 0], [0, 0, 1])


def test_a_damaged_exif_block_does_not_hide_the_pixels() -> None:
    picture = decode_picture(saved(Image.fromarray(HALVES), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    np.testing.assert_array_equal(picture[0, 0], [1, 0, 0])


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65_535, 400).astype(np.uint16).reshape(20, 20)
    for kind in ("PNG", "TIFF"):
        picture = decode_picture(saved(Image.fromarray(values), kind))
        np.testing.assert_allclose(picture, np.repeat(values[..., None] / 65_535, 3, 2), atol=1e-6)


def test_sixteen_bit_colour_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65_535, 10 * 12 * 3).astype(np.uint16).reshape(10, 12, 3)
    data = raw_png(values.astype(">u2").reshape(10, -1).view(np.uint8), 16, 2)
    np.testing.assert_allclose(decode_picture(data), values / 65_535, atol=1 / 255)


@pytest.mark.parametrize(
    ("high", "white"), [(1, 1), (0.4, 1), (200, 255), (255, 255), (300, 1023), (1.5, 1.5), (4000, 4095), (65_535, 65_535)]
)
def test_float_tiff_is_scaled_by_the_smallest_ceiling_that_holds_it(high: float, white: float) -> None:
    values = np.linspace(0, high, 100, dtype=np.float32).reshape(10, 10)
    np.testing.assert_allclose(decode_picture(saved(Image.fromarray(values), "TIFF"))[..., 0], values / white, atol=1e-6)


def test_float_tiff_with_negative_values_is_stretched() -> None:
    values = np.linspace(-1000, 3000, 100, dtype=np.float32).reshape(10, 10)
    np.testing.assert_allclose(decode_picture(saved(Image.fromarray(values), "TIFF"))[..., 0], (values + 1000) / 4000, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    values = np.ones((10, 10), np.float32)
    values[3, 4] = value
    with pytest.raises(UserError, match="no numbers"):
        decode_picture(saved(Image.fromarray(values), "TIFF"))


def test_grey_and_one_bit_become_three_equal_channels() -> None:
    grey = NOISE[..., 0]
    np.testing.assert_array_equal(decode_picture(png(grey)), np.repeat(grey[..., None], 3, 2).astype(np.float32) / 255)
    bits = Image.fromarray(grey).point(lambda value: 255 * (value > 99), "1")
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode_picture(saved(bits, kind))[..., 1], (grey > 99).astype(np.float32))


def test_transparency_is_laid_over_white_and_hidden_colour_stays_hidden() -> None:
    values = np.zeros((10, 10, 4), np.uint8)
    values[..., 0], values[:5, :, 3], values[5:, :, 3] = 255, 0, 51
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        picture = decode_picture(saved(Image.fromarray(values), kind, **options))
        np.testing.assert_allclose(picture[0, 0], [1, 1, 1])
        np.testing.assert_allclose(picture[9, 9], [1, 0.8, 0.8], atol=1 / 255)


def test_palette_with_transparency() -> None:
    image = Image.fromarray(np.tile(np.uint8([0, 1, 2, 1]), (8, 4)), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(decode_picture(saved(image, kind))[0, :3], np.eye(3))
        np.testing.assert_array_equal(decode_picture(saved(image, kind, transparency=1))[0, :3], [[1, 0, 0], [1, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8], inks[:, 8:] = (0, 255, 255, 0), (0, 0, 0, 127)  # red, and black ink at half
    picture = decode_picture(saved(Image.fromarray(inks, "CMYK"), kind))
    np.testing.assert_allclose(picture[8, 2], [1, 0, 0], atol=0.02)
    np.testing.assert_allclose(picture[8, 13], [0.5, 0.5, 0.5], atol=0.02)


def test_an_icc_profile_is_turned_into_srgb() -> None:
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped = swapped.replace(b"sRGB", b"test").replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    tags = {bytes(swapped[at : at + 4]): at + 4 for at in range(132, 132 + 12 * struct.unpack_from(">I", swapped, 128)[0], 12)}
    red, blue = (bytes(swapped[tags[name] : tags[name] + 8]) for name in (b"rXYZ", b"bXYZ"))
    swapped[tags[b"rXYZ"] : tags[b"rXYZ"] + 8], swapped[tags[b"bXYZ"] : tags[b"bXYZ"] + 8] = blue, red
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        picture = decode_picture(saved(Image.fromarray(HALVES), kind, icc_profile=bytes(swapped)))
        np.testing.assert_allclose(picture[8, 4], [0, 0, 1], atol=0.08)
    plain = decode_picture(png(NOISE, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))
    np.testing.assert_array_equal(plain, NOISE.astype(np.float32) / 255)
    np.testing.assert_array_equal(decode_picture(png(NOISE, icc_profile=b"no profile")), NOISE.astype(np.float32) / 255)


def test_a_large_picture_comes_reduced_by_averaging() -> None:
    values = np.tile(np.uint8([[0, 100], [100, 200]]), (1500, 1000))  # 3000 x 2000, every 2 x 2 block has mean 100
    picture = decode_picture(png(values))
    assert picture.shape == (1500, 1000, 3)
    np.testing.assert_allclose(picture, 100 / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("bits", "colour"), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6), (1, 3), (4, 3), (8, 3)]
)
def test_png_in_strips_equals_png_at_once(bits: int, colour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = np.random.default_rng(bits).integers(0, 256, (300, 4096 * channels * bits // 8), np.uint8)
    data = filtered_png(rows, bits, colour)
    whole = decode_picture(data)
    monkeypatch.setattr(decoder, "_AT_ONCE", 0)
    np.testing.assert_array_equal(decode_picture(data), whole)
