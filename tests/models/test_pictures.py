"""The decoder by pixel value: what each kind of file comes out as, and what is refused in which words."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from errors import UserError
from models import pictures
from models.pictures import decode

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (20, 30, 3), np.uint8)
HALVES = np.repeat(np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 16, 0), 16, 1)  # left red, right blue


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(values: np.ndarray, **options: Any) -> bytes:
    return saved(Image.fromarray(values), "PNG", **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(values: np.ndarray, bits: int, colour: int, interlaced: bool = False, size: tuple[int, int] | None = None) -> bytes:
    """A PNG that Pillow cannot write: values is the rows' bytes (rows, bytes), or nothing but a header of `size`."""
    height, width = size or (len(values), values.shape[1] * 8 // bits // {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour])
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]
)
def test_lossless_formats_give_the_stored_numbers(kind: str, options: dict[str, Any]) -> None:
    picture = decode(saved(Image.fromarray(NOISE), kind, **options))
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(picture, NOISE.astype(np.float32) / 255)


@pytest.mark.parametrize("options", [{"quality": 100, "subsampling": 0}, {"quality": 100, "subsampling": 0, "progressive": True}])
def test_jpeg_gives_the_stored_numbers_within_its_rounding(options: dict[str, Any]) -> None:
    assert np.abs(decode(saved(Image.fromarray(NOISE), "JPEG", **options)) * 255 - NOISE).max() <= 4


def test_gif_and_animations_give_their_first_frame() -> None:
    red, blue = (Image.new("RGB", (12, 10), colour) for colour in ("red", "blue"))
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        picture = decode(saved(red, kind, save_all=True, append_images=[blue], **options))
        np.testing.assert_array_equal(picture, np.broadcast_to(np.float32([1, 0, 0]), (10, 12, 3)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(kind: str, orientation: int) -> None:
    values = np.zeros((16, 32, 3), np.uint8)
    values[:8, :8], values[8:, 24:] = (255, 0, 0), (0, 255, 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(values), kind, exif=exif)
    picture = decode(data)
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(picture, wanted, atol=1 / 255)
    # By hand: where the stored top left corner must be seen (row, column; 0 the first, -1 the last).
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[orientation]
    assert picture.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    assert picture[corner][0] > 0.8
    assert picture[corner][1] < 0.2


def test_exif_behind_the_pixels_of_a_png_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    end = chunk(b"IEND", b"")
    data = png(HALVES).removesuffix(end) + chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + end
    np.testing.assert_array_equal(decode(data)[0, 0], [0, 0, 1])


def test_a_damaged_exif_block_does_not_hide_the_pixels() -> None:
    picture = decode(saved(Image.fromarray(HALVES), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    np.testing.assert_array_equal(picture[0, 0], [1, 0, 0])


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65_535, 400).astype(np.uint16).reshape(20, 20)
    for kind in ("PNG", "TIFF"):
        picture = decode(saved(Image.fromarray(values), kind))
        np.testing.assert_allclose(picture, np.repeat(values[..., None] / 65_535, 3, 2), atol=1e-6)


def test_sixteen_bit_colour_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65_535, 10 * 12 * 3).astype(np.uint16).reshape(10, 12, 3)
    data = raw_png(values.astype(">u2").reshape(10, -1).view(np.uint8), 16, 2)
    np.testing.assert_allclose(decode(data), values / 65_535, atol=1 / 255)


@pytest.mark.parametrize(("high", "white"), [(1, 1), (0.4, 1), (200, 255), (255, 255), (300, 65_535), (65_535, 65_535)])
def test_float_tiff_is_scaled_by_the_smallest_ceiling_that_holds_it(high: float, white: float) -> None:
    values = np.linspace(0, high, 100, dtype=np.float32).reshape(10, 10)
    np.testing.assert_allclose(decode(saved(Image.fromarray(values), "TIFF"))[..., 0], values / white, atol=1e-6)


def test_float_tiff_with_negative_values_is_stretched() -> None:
    values = np.linspace(-1000, 3000, 100, dtype=np.float32).reshape(10, 10)
    np.testing.assert_allclose(decode(saved(Image.fromarray(values), "TIFF"))[..., 0], (values + 1000) / 4000, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    values = np.ones((10, 10), np.float32)
    values[3, 4] = value
    with pytest.raises(UserError, match="no numbers"):
        decode(saved(Image.fromarray(values), "TIFF"))


def test_grey_and_one_bit_become_three_equal_channels() -> None:
    grey = NOISE[..., 0]
    np.testing.assert_array_equal(decode(png(grey)), np.repeat(grey[..., None], 3, 2).astype(np.float32) / 255)
    bits = Image.fromarray(grey).point(lambda value: 255 * (value > 99), "1")
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode(saved(bits, kind))[..., 1], (grey > 99).astype(np.float32))


def test_transparency_is_laid_over_white_and_hidden_colour_stays_hidden() -> None:
    values = np.zeros((10, 10, 4), np.uint8)
    values[..., 0], values[:5, :, 3], values[5:, :, 3] = 255, 0, 51
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        picture = decode(saved(Image.fromarray(values), kind, **options))
        np.testing.assert_allclose(picture[0, 0], [1, 1, 1])
        np.testing.assert_allclose(picture[9, 9], [1, 0.8, 0.8], atol=1 / 255)


def test_palette_with_transparency() -> None:
    image = Image.fromarray(np.tile(np.uint8([0, 1, 2, 1]), (8, 4)), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(decode(saved(image, kind))[0, :3], np.eye(3))
        np.testing.assert_array_equal(decode(saved(image, kind, transparency=1))[0, :3], [[1, 0, 0], [1, 1, 1], [0, 0, 1]])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8], inks[:, 8:] = (0, 255, 255, 0), (0, 0, 0, 127)  # red, and black ink at half
    picture = decode(saved(Image.fromarray(inks, "CMYK"), kind))
    np.testing.assert_allclose(picture[8, 2], [1, 0, 0], atol=0.02)
    np.testing.assert_allclose(picture[8, 13], [0.5, 0.5, 0.5], atol=0.02)


def test_an_icc_profile_is_turned_into_srgb() -> None:
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped = swapped.replace(b"sRGB", b"test").replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    tags = {bytes(swapped[at : at + 4]): at + 4 for at in range(132, 132 + 12 * struct.unpack_from(">I", swapped, 128)[0], 12)}
    red, blue = (bytes(swapped[tags[name] : tags[name] + 8]) for name in (b"rXYZ", b"bXYZ"))
    swapped[tags[b"rXYZ"] : tags[b"rXYZ"] + 8], swapped[tags[b"bXYZ"] : tags[b"bXYZ"] + 8] = blue, red
    for kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        picture = decode(saved(Image.fromarray(HALVES), kind, icc_profile=bytes(swapped)))
        np.testing.assert_allclose(picture[8, 4], [0, 0, 1], atol=0.08)
    plain = decode(png(NOISE, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))
    np.testing.assert_array_equal(plain, NOISE.astype(np.float32) / 255)
    np.testing.assert_array_equal(decode(png(NOISE, icc_profile=b"no profile")), NOISE.astype(np.float32) / 255)


def test_a_large_picture_comes_reduced_by_averaging() -> None:
    values = np.tile(np.uint8([[0, 100], [100, 200]]), (1500, 1000))  # 3000 x 2000, every 2 x 2 block has mean 100
    picture = decode(png(values))
    assert picture.shape == (1500, 1000, 3)
    np.testing.assert_allclose(picture, 100 / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("bits", "colour"), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6), (1, 3), (4, 3), (8, 3)]
)
def test_png_in_strips_equals_png_at_once(bits: int, colour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = np.random.default_rng(bits).integers(0, 256, (300, 4096 * channels * bits // 8), np.uint8)
    data = filtered_png(rows, bits, colour)
    whole = decode(data)
    monkeypatch.setattr(pictures, "_AT_ONCE", 0)
    np.testing.assert_array_equal(decode(data), whole)


def filtered_png(rows: np.ndarray, bits: int, colour: int) -> bytes:
    """A PNG whose rows take the five filters in turn; the bytes given are what is stored, so any bytes are valid."""
    stored = b"".join(bytes([number % 5]) + row.tobytes() for number, row in enumerate(rows))
    data = raw_png(rows, bits, colour)
    palette = chunk(b"PLTE", np.random.default_rng(1).integers(0, 256, 3 * 2**bits, np.uint8).tobytes()) if colour == 3 else b""
    see_through = chunk(b"tRNS", b"\0") if colour == 3 else b""
    body = chunk(b"IDAT", zlib.compress(stored)[:1000]) + chunk(b"IDAT", zlib.compress(stored)[1000:])
    return data[:33] + palette + see_through + body + chunk(b"IEND", b"")


def test_a_large_png_cut_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(RNG.integers(0, 256, (1000, 2000, 3), np.uint8))
    monkeypatch.setattr(pictures, "_AT_ONCE", 0)
    for tenth in range(1, 10):
        with pytest.raises(UserError, match="damaged or cut short"):
            decode(data[: len(data) * tenth // 10])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_file_cut_short_is_refused_wherever_it_ends(kind: str) -> None:
    data = saved(Image.fromarray(RNG.integers(0, 256, (64, 80, 3), np.uint8)), kind)
    for tenth in range(1, 10):
        with pytest.raises(UserError, match=r"damaged or cut short|not a picture"):
            decode(data[: len(data) * tenth // 10])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html></html>", "a web page"),
        (b"%PDF-1.7", "a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (RNG.bytes(5000), "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        decode(data)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((7, 100), "100 x 7 pixels"),
        ((100, 70_000), "70000 x 100"),
        ((7_100, 7_100), "50 megapixels"),
        ((9_000, 9_900), "89 megap"),
        ((60_000, 60_000), "3600"),
    ],
)
def test_the_size_is_looked_at_before_decoding(size: tuple[int, int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        decode(raw_png(np.zeros((1, 1), np.uint8), 8, 0, size=size))


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = saved(Image.fromarray(NOISE), "JPEG", progressive=True)
    with pytest.raises(UserError, match="scans"):
        decode(data[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 300 + b"\xff\xd9")


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(UserError, match="101 MB; 100 MB is the most"):
        decode(bytes(101_000_000))


MEASURE = """
import io, os, resource, sys
sys.path.insert(0, ".")
from errors import UserError
from models.pictures import decode
decode(open(sys.argv[1], "rb").read())
data = open(sys.argv[2], "rb").read()
open("/proc/self/clear_refs", "w").write("5")
status = lambda name: next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1024
before = status("VmRSS")
try:
    decode(data)
    print("decoded", end=" ")
except UserError as refused:
    print("refused", end=" ")
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured through Linux' /proc")
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("png 8", "decoded"),
        ("png 16", "decoded"),
        ("png interlaced", "refused"),
        ("jpeg", "decoded"),
        ("jpeg progressive", "refused"),
        ("gif", "decoded"),
        ("webp", "refused"),
        ("tiff", "refused"),
        ("tiff grey", "decoded"),
        ("bmp", "refused"),
        ("png 169", "refused"),
    ],
)
def test_no_picture_costs_more_than_150_megabytes(name: str, answer: str, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(png(NOISE))
    large.write_bytes(bomb(name))
    printed = subprocess.run(
        [sys.executable, "-c", MEASURE, small, large], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert printed[0] == answer
    assert float(printed[1]) < 150


def bomb(name: str) -> bytes:
    """Small files of 50 megapixels, and one of 169."""
    if name == "png 169":
        return solid_png(13_000, 13_000, 8, 2)
    if name == "png 16":
        return solid_png(8_000, 6_200, 16, 6)
    if name == "png interlaced":
        return solid_png(8_000, 6_200, 8, 2, interlaced=True)
    kind, _, how = name.partition(" ")
    options: dict[str, dict[str, Any]] = {
        "png 8": {"compress_level": 1},
        "jpeg progressive": {"progressive": True},
        "webp": {"lossless": True, "quality": 0, "method": 0},
        "tiff": {"compression": "tiff_adobe_deflate"},
        "tiff grey": {"compression": "tiff_adobe_deflate"},
    }
    mode = "L" if kind == "gif" or how == "grey" else "RGB"
    data = saved(
        Image.new(mode, (8_000, 6_200) if kind != "bmp" else (6_000, 5_000), 90 if mode == "L" else (90, 10, 20)),
        kind.upper(),
        **options.get(name, {}),
    )
    assert name == "bmp" or len(data) < 2_000_000
    return data


def solid_png(width: int, height: int, bits: int, colour: int, interlaced: bool = False) -> bytes:
    row = bytes(1 + width * bits * {2: 3, 6: 4}[colour] // 8)
    press = zlib.compressobj(1)
    body = b"".join(press.compress(row) for _ in range(height)) + press.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
