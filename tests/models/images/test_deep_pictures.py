"""Pictures of more than 8 bits per sample, by pixel value: TIFF in every usual arrangement, PNG, and what is black and white in them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from errors import UserError
from models.images.decoder import decode_picture, read_picture
from tests.models.picture_files import RNG, chunk, filtered_png, raw_png, saved, tiff

GREY = RNG.integers(0, 65_536, (40, 50)).astype(np.uint16)
COLOUR = RNG.integers(0, 65_536, (40, 50, 3)).astype(np.uint16)
FLOATS = RNG.random((40, 50, 3)).astype(np.float32)
TWELVE = RNG.integers(0, 4096, (40, 50)).astype(np.uint16)
TWELVE[0, 0] = 4095


def directory(tags: dict[int, int | tuple[int, ...]], pixels: bytes) -> bytes:
    """A little-endian TIFF of one page, written by hand: the pixels at byte 8, then its tags."""
    entries, behind = b"", b""
    start = 8 + len(pixels)
    outside = start + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        each = values if isinstance(values, tuple) else (values,)
        packed = struct.pack(f"<{len(each)}I", *each)
        place = packed if len(each) == 1 else struct.pack("<I", outside + len(behind))
        behind += packed if len(each) > 1 else b""
        entries += struct.pack("<HHI", tag, 4, len(each)) + place
    return b"II*\0" + struct.pack("<I", start) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4) + behind


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, 2)


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"compression": "zlib"}, {"tile": (32, 32)}])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("values", [COLOUR, FLOATS], ids=["16 bits", "floats"])
def test_colour_pixel_by_pixel_and_plane_by_plane(values: np.ndarray, planar: str, options: dict[str, object]) -> None:
    stored = np.moveaxis(values, -1, 0) if planar == "separate" else values
    picture = read_picture(tiff(stored, photometric="rgb", planarconfig=planar, **options))
    np.testing.assert_allclose(picture.pixels, values / (65_535 if values.dtype == np.uint16 else 1), atol=1e-6)
    assert not picture.notes


def test_planes_with_differences_between_pixels() -> None:
    data = tiff(np.moveaxis(COLOUR, -1, 0), photometric="rgb", planarconfig="separate", compression="zlib", predictor=2)
    np.testing.assert_allclose(decode_picture(data), COLOUR / 65_535, atol=1e-6)


def test_planes_written_by_hand() -> None:
    planes = [COLOUR[..., number].astype("<u2").tobytes() for number in range(3)]
    packed = [zlib.compress(plane) for plane in planes]
    for parts, compression in ((planes, 1), (packed, 8)):
        places = tuple(8 + sum(map(len, parts[:number])) for number in range(3))
        tags = {
            256: 50,
            257: 40,
            258: (16,) * 3,
            259: compression,
            262: 2,
            273: places,
            277: 3,
            278: 40,
            279: tuple(map(len, parts)),
            284: 2,
        }
        np.testing.assert_allclose(decode_picture(directory(tags, b"".join(parts))), COLOUR / 65_535, atol=1e-6)


def test_white_is_zero_and_transparency() -> None:
    np.testing.assert_allclose(decode_picture(tiff(GREY, photometric="miniswhite")), grey(1 - GREY / 65_535), atol=1e-6)
    alpha = RNG.integers(0, 65_536, (40, 50, 1)).astype(np.uint16)
    share = alpha / 65_535
    wanted = COLOUR / 65_535 * share + 1 - share
    for planar in ("contig", "separate"):
        both = np.concatenate([COLOUR, alpha], 2)
        stored = np.moveaxis(both, -1, 0) if planar == "separate" else both
        data = tiff(stored, photometric="rgb", extrasamples=["unassalpha"], planarconfig=planar)
        np.testing.assert_allclose(decode_picture(data), wanted, atol=1e-6)
    multiplied = np.concatenate([(COLOUR * share).astype(np.uint16), alpha], 2)
    np.testing.assert_allclose(decode_picture(tiff(multiplied, photometric="rgb", extrasamples=["assocalpha"])), wanted, atol=3e-5)
    both = np.concatenate([GREY[..., None], alpha], 2)
    data = tiff(both, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"])
    np.testing.assert_allclose(decode_picture(data), grey(GREY / 65_535 * share[..., 0] + 1 - share[..., 0]), atol=1e-6)


def test_sixteen_bit_inks() -> None:
    inks = RNG.integers(0, 65_536, (40, 50, 4)).astype(np.uint16)
    share = inks / 65_535
    np.testing.assert_allclose(decode_picture(tiff(inks, photometric="separated")), (1 - share[..., :3]) * (1 - share[..., 3:]), atol=1e-6)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_samples_packed_without_gaps(bits: int) -> None:
    values = RNG.integers(0, 2**bits, (40, 52)).astype(np.uint16)
    single = ((values[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
    packed = np.packbits(single.reshape(40, -1), axis=1).tobytes()
    data = directory({256: 52, 257: 40, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: len(packed)}, packed)
    picture = read_picture(data)
    np.testing.assert_allclose(picture.pixels, grey(values / (2**bits - 1)), atol=1e-6)
    assert f"{bits} of 16 bits" in picture.notes[0]


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_fewer_bits_in_sixteen_are_stretched_and_it_is_said(bits: int) -> None:
    values = (GREY >> (16 - bits)).astype(np.uint16)
    values[3, 3] = 2**bits - 2
    for data in (tiff(values), saved(Image.fromarray(values), "PNG")):
        picture = read_picture(data)
        np.testing.assert_allclose(picture.pixels, grey(values / (2**bits - 1)), atol=1e-6)
        assert f"{bits} bits are assumed" in picture.notes[0]
        assert f"{int(values.max()):,}" in picture.notes[0]
    colour = (COLOUR >> (16 - bits)).astype(np.uint16)
    np.testing.assert_allclose(decode_picture(tiff(colour, photometric="rgb")), colour / (2**bits - 1), atol=1e-6)
    rows = colour.astype(">u2").reshape(40, -1).view(np.uint8)
    np.testing.assert_allclose(decode_picture(raw_png(rows, 16, 2)), colour / (2**bits - 1), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"extratags": [(281, "H", 1, 4095, True)]},
        {"description": "ImageJ=1.53t\nimages=1\nmin=0.0\nmax=4095.0\n", "metadata": None},
        {"description": '<?xml version="1.0"?><OME><Pixels SignificantBits="12"/></OME>', "metadata": None},
    ],
)
def test_what_the_file_says_of_its_bits_decides(options: dict[str, object]) -> None:
    dark = (TWELVE // 8).astype(np.uint16)  # its values alone would be taken for 10 bits
    picture = read_picture(tiff(dark, **options))
    np.testing.assert_allclose(picture.pixels, grey(dark / 4095), atol=1e-6)
    assert "The file says that 12 of 16 bits are used" in picture.notes[0]


def test_significant_bits_of_a_png() -> None:
    dark = (TWELVE // 8).astype(np.uint16)
    data = saved(Image.fromarray(dark), "PNG")
    said = data[:33] + chunk(b"sBIT", b"\x0c") + data[33:]
    np.testing.assert_allclose(decode_picture(said), grey(dark / 4095), atol=1e-6)


def test_a_full_range_is_left_as_it_is() -> None:
    for data in (tiff(GREY), saved(Image.fromarray(GREY), "PNG")):
        assert not read_picture(data).notes
    assert not read_picture(tiff(np.zeros((20, 20), np.uint16))).notes


def test_sixteen_bit_colour_of_a_png_keeps_its_bits() -> None:
    rows = COLOUR.astype(">u2").reshape(40, -1).view(np.uint8)
    np.testing.assert_allclose(decode_picture(raw_png(rows, 16, 2)), COLOUR / 65_535, atol=1e-6)
    stored = np.random.default_rng(3).integers(0, 256, (40, 50 * 8), np.uint8)
    unfiltered = raw_png(stored, 16, 6)
    values = stored.view(">u2").reshape(40, 50, 4) / 65_535
    np.testing.assert_allclose(decode_picture(unfiltered), values[..., :3] * values[..., 3:] + 1 - values[..., 3:], atol=1e-6)
    assert decode_picture(filtered_png(stored, 16, 6)).shape == (40, 50, 3)


def test_signed_half_double_and_long_samples() -> None:
    signed = (GREY.astype(np.int32) - 32_768).astype(np.int16)
    picture = read_picture(tiff(signed))
    low, high = int(signed.min()), int(signed.max())
    np.testing.assert_allclose(picture.pixels, grey((signed - float(low)) / (high - low)), atol=1e-6)
    assert f"from {low:,} to {high:,}" in picture.notes[0]
    positive = (GREY >> 1).astype(np.int16)
    np.testing.assert_allclose(decode_picture(tiff(positive)), grey(positive / 32_767), atol=1e-6)
    half = FLOATS[..., 0].astype(np.float16)
    np.testing.assert_allclose(decode_picture(tiff(half)), grey(half.astype(np.float32)), atol=1e-6)
    np.testing.assert_allclose(decode_picture(tiff(FLOATS.astype(np.float64), photometric="rgb")), FLOATS, atol=1e-6)
    long = GREY.astype(np.uint32) << 16
    np.testing.assert_allclose(decode_picture(tiff(long)), grey(long / (2**32 - 1)), atol=1e-6)


def test_floats_slightly_over_one_are_no_bytes() -> None:
    values = FLOATS * np.float32(1.04 / FLOATS.max())
    picture = read_picture(tiff(values, photometric="rgb"))
    np.testing.assert_allclose(picture.pixels, values / values.max(), atol=1e-6)
    assert "floats from 0 to 1.04" in picture.notes[0]


def test_the_page_of_a_stack_is_chosen_and_said() -> None:
    stack = np.stack([np.zeros_like(TWELVE), TWELVE, TWELVE[::-1]])
    for data in (tiff(stack, photometric="minisblack"), tiff(stack, photometric="minisblack", metadata={"axes": "ZYX"}, bigtiff=True)):
        first, second, third = (read_picture(data, page) for page in (1, 2, 3))
        assert (first.page, first.pages) == (1, 3)
        assert first.notes[0] == "This is page 1 of 3. It is of one shade throughout; choose another page."
        assert second.notes[0] == "This is page 2 of 3."
        np.testing.assert_allclose(second.pixels, grey(TWELVE / 4095), atol=1e-6)
        np.testing.assert_allclose(third.pixels, grey(TWELVE[::-1] / 4095), atol=1e-6)
        for page in (0, 4, -1):
            with pytest.raises(UserError, match=rf"has 3 pages and no page {page}; choose one from 1 to 3"):
                read_picture(data, page)
    red, blue = (Image.new("RGB", (12, 10), colour) for colour in ("red", "blue"))
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {}), ("AVIF", {"quality": 100})):
        picture = read_picture(saved(red, kind, save_all=True, append_images=[blue], **options), 2)
        np.testing.assert_allclose(picture.pixels[5, 5], [0, 0, 1], atol=0.02)
        assert picture.pages == 2
    with pytest.raises(UserError, match=r"has 1 frame and no frame 2"):
        read_picture(saved(red, "JPEG"), 2)


def test_a_thumbnail_is_no_page() -> None:
    file = io.BytesIO()
    Image.fromarray(GREY >> 8).save(file, "TIFF", save_all=True, append_images=[Image.new("L", (10, 10))], tiffinfo={254: 0})
    data = bytearray(file.getvalue())
    second = struct.unpack_from("<I", data, 4)[0]
    second = struct.unpack_from("<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0])[0]
    for entry in range(struct.unpack_from("<H", data, second)[0]):
        if struct.unpack_from("<H", data, second + 2 + 12 * entry)[0] == 254:
            struct.pack_into("<HHII", data, second + 2 + 12 * entry, 254, 4, 1, 1)
            assert read_picture(bytes(data)).pages == 1


def test_a_large_deep_picture_is_averaged() -> None:
    block = np.array([[0, 20_000], [20_000, 40_000]], np.uint16)
    for values in (np.tile(block, (1250, 20)), np.tile(block, (20, 1250))):
        for data in (
            tiff(values),
            saved(Image.fromarray(values), "PNG"),
            tiff(np.stack([values] * 3), photometric="rgb", planarconfig="separate"),
        ):
            picture = read_picture(data)
            assert picture.pixels.shape[:2] == (values.shape[0] // 2, values.shape[1] // 2)
            assert picture.size == values.shape
            np.testing.assert_allclose(picture.pixels, 20_000 / 65_535, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tiff(RNG.integers(0, 255, (40, 50, 5)).astype(np.uint8), photometric="minisblack", planarconfig="contig"), "5 channels"),
        (tiff(COLOUR[..., :2], photometric="minisblack", planarconfig="contig"), "2 channels"),
        (tiff(COLOUR, photometric="cielab"), "Lab"),
        (directory({256: 50, 257: 40, 258: 24, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: 6000}, bytes(6000)), "24 bits"),
        (directory({256: 50, 257: 40, 258: 16, 259: 34712, 262: 1, 273: 8, 277: 1, 278: 40, 279: 40}, bytes(40)), "34712"),
        (directory({256: 60_000, 257: 60_000, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 40}, bytes(40)), "3600 megapixels"),
        (directory({256: 7000, 257: 7000, 258: 32, 259: 1, 262: 1, 273: 8, 277: 1, 278: 7000, 279: 40}, bytes(40)), "49 megapixels"),
        (directory({256: 50, 257: 40, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: 40, 279: 4000}, bytes(40)), "damaged"),
        (directory({256: 50, 257: 40, 258: 16, 259: 1, 262: 1, 273: 2**31, 277: 1, 278: 40, 279: 4000}, bytes(40)), "damaged"),
        (directory({256: 50, 257: 40, 258: 16, 259: 1, 262: 1, 273: (8,), 277: 60_000, 278: 40, 279: 40, 284: 2}, bytes(40)), "channels"),
        (b"II*\0" + struct.pack("<I", 2**31), "damaged"),
        (b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0) + struct.pack("<I", 8), "damaged|each side"),
        (b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 2**40), "damaged"),
    ],
)
def test_what_is_not_read_is_said(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        decode_picture(data)
    assert len(str(refused.value)) < 250


def test_numbers_that_are_none_are_refused_in_every_channel() -> None:
    for place in np.ndindex(3):
        values = FLOATS.copy()
        values[5, 6, place] = np.nan
        with pytest.raises(UserError, match="no numbers"):
            decode_picture(tiff(values, photometric="rgb"))


def test_case_13_microscopes_and_detectors() -> None:
    """A bright disc on mid-grey, kept in the ways of microscopes and X-ray detectors."""
    y, x = np.mgrid[:256, :320]
    scene = np.where((x - 200) ** 2 + (y - 100) ** 2 < 50**2, 0.9, 0.4).astype(np.float32)
    scene += np.random.default_rng(0).normal(0, 0.01, scene.shape).astype(np.float32)
    twelve = np.clip(scene * 4095, 0, 4095).astype(np.uint16)
    colour = np.stack([scene, scene * 0.8, scene * 0.6], -1)
    deep = np.clip(colour * 65_535, 0, 65_535).astype(np.uint16)
    files = {
        "12 bits in 16": (tiff(twelve), 1, grey(twelve / 4095)),
        "12 bits in a PNG": (saved(Image.fromarray(twelve), "PNG"), 1, grey(twelve / 4095)),
        "colour": (tiff(deep, photometric="rgb"), 1, deep / 65_535),
        "float": (tiff(colour.astype(np.float32), photometric="rgb"), 1, colour),
        "planes": (tiff(np.moveaxis(deep, -1, 0), photometric="rgb", planarconfig="separate"), 1, deep / 65_535),
        "stack": (
            tiff(np.stack([np.zeros_like(twelve), twelve, twelve]), photometric="minisblack", metadata={"axes": "ZYX"}),
            2,
            grey(twelve / 4095),
        ),
    }
    for name, (data, page, wanted) in files.items():
        np.testing.assert_allclose(read_picture(data, page).pixels, wanted, atol=1e-6, err_msg=name)
