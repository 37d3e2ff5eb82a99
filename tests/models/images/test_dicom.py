"""DICOM pictures by pixel value, from files written byte by byte, and pydicom's own files."""

import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from errors import UserError
from models.images.decoder import decode_picture, read_picture
from tests.models.dicom_files import (
    DEEP,
    DICOM_JPEG,
    DICOM_JPEG_2000,
    DICOM_PALETTE,
    DICOM_RUN_LENGTHS,
    HOSTILE_DICOM,
    JPEG_LS,
    SECRET,
    SMOOTH,
    WINDOW,
    Elements,
    deflated,
    dicom,
    element,
    item,
    with_meta,
)

ROOT = Path(__file__).resolve().parents[3]
PYDICOM = Path(pydicom.__file__).parent / "data" / "test_files"
MONOCHROME1: Elements = {"photometric": (0x28, 0x04, "CS", "MONOCHROME1")}
TWELVE: Elements = {"stored": (0x28, 0x101, "US", 12), "high": (0x28, 0x102, "US", 11)}


def window(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, as it stands there."""
    shown = ((values - (centre - 0.5)) / (width - 1) + 0.5) * 1.0
    return np.where(values <= centre - 0.5 - (width - 1) / 2, 0, np.where(values > centre - 0.5 + (width - 1) / 2, 1, shown))


def grey(data: bytes, page: int = 1) -> np.ndarray:
    found = read_picture(data, page).pixels
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    return found[..., 0]


def test_window_rescale_and_inversion() -> None:
    np.testing.assert_allclose(grey(dicom(DEEP, WINDOW)), window(DEEP, 2000, 3000), atol=1e-6)
    rescaled: Elements = {**WINDOW, "intercept": (0x28, 0x1052, "DS", "-1024"), "slope": (0x28, 0x1053, "DS", "1.5")}
    np.testing.assert_allclose(grey(dicom(DEEP, rescaled)), window(DEEP * 1.5 - 1024, 2000, 3000), atol=1e-6)
    np.testing.assert_allclose(grey(dicom(DEEP, {**WINDOW, **MONOCHROME1})), 1 - window(DEEP, 2000, 3000), atol=1e-6)
    notes = read_picture(dicom(DEEP, {**WINDOW, **MONOCHROME1})).notes
    assert notes[0] == "Shown with the file's window: centre 2000, width 3000."
    assert "MONOCHROME1" in notes[1]


def test_the_other_functions_of_a_window_and_several_windows() -> None:
    exact: Elements = {**WINDOW, "function": (0x28, 0x1056, "CS", "LINEAR_EXACT")}
    np.testing.assert_allclose(grey(dicom(DEEP, exact)), np.clip((DEEP - 2000.0) / 3000 + 0.5, 0, 1), atol=1e-6)
    sigmoid: Elements = {**WINDOW, "function": (0x28, 0x1056, "CS", "SIGMOID")}
    np.testing.assert_allclose(grey(dicom(DEEP, sigmoid)), 1 / (1 + np.exp(-4 * (DEEP - 2000.0) / 3000)), atol=1e-6)
    several: Elements = {"centre": (0x28, 0x1050, "DS", "500\\2000"), "width": (0x28, 0x1051, "DS", "400\\3000")}
    np.testing.assert_allclose(grey(dicom(DEEP, several)), window(DEEP, 500, 400), atol=1e-6)
    assert "the first of 2" in read_picture(dicom(DEEP, several)).notes[0]
    single: Elements = {"centre": (0x28, 0x1050, "DS", "2000"), "width": (0x28, 0x1051, "DS", "1")}
    np.testing.assert_array_equal(grey(dicom(DEEP, single)), (DEEP > 1999.5).astype(np.float32))


@pytest.mark.parametrize(("centre", "width"), [("x", "3000"), ("2000", "0"), ("2000", "-5"), ("", ""), ("nan", "inf")])
def test_without_a_window_all_values_are_shown_and_it_is_said(centre: str, width: str) -> None:
    senseless: Elements = {"centre": (0x28, 0x1050, "DS", centre), "width": (0x28, 0x1051, "DS", width)}
    for extra in (senseless, {}):
        low, high = int(DEEP.min()), int(DEEP.max())
        np.testing.assert_allclose(grey(dicom(DEEP, extra)), (DEEP - float(low)) / (high - low), atol=1e-6)
        assert f"{low:,} and {high:,}" in read_picture(dicom(DEEP, extra)).notes[0]
    np.testing.assert_allclose(grey(dicom(SMOOTH[..., 0])), SMOOTH[..., 0] / 255, atol=1e-6)  # 8 bits need none


def test_tables_of_values() -> None:
    table = (np.arange(4096) // 2).astype("<u2")[::-1]
    sequence = item(element(0x28, 0x3002, "US", struct.pack("<3H", 4096, 0, 12)), element(0x28, 0x3006, "OW", table.tobytes()))
    voi: Elements = {**WINDOW, "table": (0x28, 0x3010, "SQ", sequence)}
    np.testing.assert_allclose(grey(dicom(DEEP, {**voi, **TWELVE})), table[DEEP] / 4095, atol=1e-6)
    modality: Elements = {**WINDOW, **TWELVE, "table": (0x28, 0x3000, "SQ", sequence)}
    np.testing.assert_allclose(grey(dicom(DEEP, modality)), window(table[DEEP].astype(float), 2000, 3000), atol=1e-6)


def test_padding_is_black() -> None:
    values = DEEP.copy()
    values[:4] = 4095
    padded: Elements = {**MONOCHROME1, "padding": (0x28, 0x120, "US", 4095)}
    found = grey(dicom(values, padded))
    np.testing.assert_array_equal(found[:4], 0)
    rest = values[values != 4095]
    np.testing.assert_allclose(found[4:][values[4:] != 4095], 1 - (rest - float(rest.min())) / (rest.max() - rest.min()), atol=1e-6)


def test_signed_and_shifted_samples_and_an_overlay_in_unused_bits() -> None:
    signed = DEEP.astype(np.int16) // 2 - 1000
    np.testing.assert_allclose(grey(dicom(signed, {**WINDOW, **TWELVE})), window(signed, 2000, 3000), atol=1e-6)
    shifted: Elements = {**WINDOW, "stored": (0x28, 0x101, "US", 12), "high": (0x28, 0x102, "US", 15)}
    np.testing.assert_allclose(grey(dicom((DEEP << 4).astype(np.uint16), shifted)), window(DEEP, 2000, 3000), atol=1e-6)
    overlaid = DEEP | (np.arange(DEEP.size).reshape(DEEP.shape) % 3 == 0).astype(np.uint16) << 15
    position: Elements = {"overlay": (0x6000, 0x102, "US", 15)}
    np.testing.assert_allclose(grey(dicom(overlaid, {**WINDOW, **TWELVE, **position})), window(DEEP, 2000, 3000), atol=1e-6)


def test_more_bits_than_the_file_says_are_kept() -> None:
    """As exports of competitions: 12 bits are stated, 14 are there."""
    values = np.linspace(0, 16_383, 600).astype(np.uint16).reshape(20, 30)
    np.testing.assert_allclose(grey(dicom(values, TWELVE)), values / 16_383, atol=1e-6)


def test_frames_are_chosen_and_each_has_its_own_window() -> None:
    frames = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]])
    data = dicom(frames, WINDOW)
    for page in (1, 2, 3):
        np.testing.assert_allclose(grey(data, page), window(frames[page - 1], 2000, 3000), atol=1e-6)
        assert read_picture(data, page).notes[0] == f"This is frame {page} of 3."
    with pytest.raises(UserError, match=r"has 3 frames and no frame 4; choose one from 1 to 3"):
        read_picture(data, 4)
    groups = [
        item(element(0x28, 0x9132, "SQ", item(element(0x28, 0x1050, "DS", f"{centre}"), element(0x28, 0x1051, "DS", "500"))))
        for centre in (1000, 2000, 3000)
    ]
    shared = item(element(0x28, 0x9145, "SQ", item(element(0x28, 0x1052, "DS", "-10"), element(0x28, 0x1053, "DS", "2"))))
    enhanced: Elements = {"shared": (0x5200, 0x9229, "SQ", shared), "frame": (0x5200, 0x9230, "SQ", b"".join(groups))}
    data = dicom(frames, enhanced)
    for page, centre in enumerate((1000, 2000, 3000), 1):
        np.testing.assert_allclose(grey(data, page), window(frames[page - 1] * 2.0 - 10, centre, 500), atol=1e-6)


def test_colours_palettes_and_planes() -> None:
    np.testing.assert_allclose(decode_picture(dicom(SMOOTH)), SMOOTH / 255, atol=1e-6)
    stored = np.moveaxis(SMOOTH, -1, 0).reshape(SMOOTH.shape)
    np.testing.assert_allclose(decode_picture(dicom(stored, {"planar": (0x28, 0x06, "US", 1)})), SMOOTH / 255, atol=1e-6)
    level = SMOOTH[..., :1] / 255
    np.testing.assert_allclose(decode_picture(DICOM_PALETTE), np.concatenate([level, 1 - level, level * 0], 2), atol=1e-6)


def test_compressed_pixels() -> None:
    np.testing.assert_allclose(grey(DICOM_RUN_LENGTHS), window(DEEP, 2000, 3000), atol=1e-6)
    assert np.abs(decode_picture(DICOM_JPEG) - SMOOTH / 255).max() < 0.04
    assert np.abs(grey(DICOM_JPEG_2000) - SMOOTH[..., 0] / 255).max() < 0.01
    np.testing.assert_allclose(grey(deflated(dicom(DEEP, WINDOW))), window(DEEP, 2000, 3000), atol=1e-6)


def test_files_without_preamble() -> None:
    bare = dicom(DEEP, WINDOW)
    bare = bare[bare.index(struct.pack("<HH", 0x08, 0x60)) :]
    np.testing.assert_allclose(grey(bare), window(DEEP, 2000, 3000), atol=1e-6)


def test_a_large_one_is_averaged_after_its_window() -> None:
    values = np.tile(np.array([[0, 4000], [4000, 4000]], np.uint16), (1250, 20))
    np.testing.assert_allclose(grey(dicom(values, WINDOW)), window(np.array([0, 4000, 4000, 4000]), 2000, 3000).mean(), atol=1e-6)


def test_text_that_is_burnt_in() -> None:
    for said, words in (("YES", "says that text is burnt"), ("NO", ""), (None, "does not say whether text is burnt")):
        extra: Elements = {**WINDOW, **({"burnt": (0x28, 0x301, "CS", said)} if said else {})}
        notes = read_picture(dicom(DEEP, extra)).notes
        assert any(words in note for note in notes[1:]) if words else len(notes) == 1


def test_nothing_of_the_patient_leaves_the_decoder() -> None:
    identifying: Elements = {
        **WINDOW,
        "id": (0x10, 0x20, "LO", "PID-4711"),
        "born": (0x10, 0x30, "DA", "19620517"),
        "institution": (0x08, 0x80, "LO", "St. Elsewhere"),
        "comment": (0x20, 0x4000, "LT", "left by Jane"),
    }
    picture = read_picture(dicom(DEEP, identifying))
    said = repr(picture.notes)
    for secret in (SECRET, "PID-4711", "19620517", "St. Elsewhere", "Jane"):
        assert secret not in said
    np.testing.assert_array_equal(picture.pixels, read_picture(dicom(DEEP, WINDOW)).pixels)
    with pytest.raises(UserError) as refused:
        read_picture(with_meta(element(0x08, 0x60, "CS", "DX") + element(0x10, 0x10, "PN", SECRET)))
    assert "Doe" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dicom of more rows than there are", "damaged or cut short"),
        ("dicom of 65535 x 65535", "4295 megapixels; 50 is the most"),
        ("dicom of frames too large", "damaged or cut short"),
        ("dicom with a larger jpeg", "says 30 x 20 pixels, and its frame 60 x 40"),
        ("dicom that unfolds", "unfolds to more than 200 MB"),
        ("dicom of sequences in sequences", "damaged or cut short"),
        ("dicom cut short", "damaged or cut short"),
        ("dicom of no pixels", "holds no picture"),
        ("dicom of lossless jpeg", r"only decoders under the GPL read. Convert it with .*dcmdjpeg"),
        ("dicom of 12 bit jpeg", "only decoders under the GPL read"),
        ("dicom video", "a video, and videos are not explained"),
        ("dicom of run lengths that end early", "damaged or cut short"),
        ("dicom of no known syntax", "not read here. Convert it"),
    ],
)
def test_what_lies_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        decode_picture(HOSTILE_DICOM[name])
    assert len(str(refused.value)) < 260


def test_every_hostile_file_has_its_words() -> None:
    marks = [each for each in test_what_lies_is_refused.pytestmark if each.name == "parametrize"]  # type: ignore[attr-defined]
    assert {name for name, _ in marks[0].args[1]} == set(HOSTILE_DICOM)


def test_jpeg_ls_says_what_to_install() -> None:
    data = dicom(SMOOTH[..., 0], None, JPEG_LS, b"")
    with pytest.raises(UserError, match=r"pyjpegls is installed\. Convert it with .*dcmdjpls|damaged"):
        decode_picture(data)


@pytest.mark.parametrize(
    "name",
    [
        *("SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_rle_32bit.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_jpeg_dcmtk.dcm"),
        *("SC_rgb_gdcm_KY.dcm", "SC_ybr_full_422_uncompressed.dcm"),
    ],
)
def test_the_colours_of_the_bars_of_a_test_picture(name: str) -> None:
    """Ten bars, whose colours its makers state: red, pale red, green, ..., white."""
    bars = [(255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255), (128, 128, 255)]
    bars += [(0, 0, 0), (64, 64, 64), (192, 192, 192), (255, 255, 255)]
    found = decode_picture((PYDICOM / name).read_bytes())[5::10, 50] * 255
    np.testing.assert_allclose(found, bars, atol=5)


def test_the_server_s_process_imports_no_pydicom() -> None:
    program = "import sys, app.service.services; print('pydicom' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "False"


def test_case_14_a_chest_x_ray() -> None:
    """12 bits, white is 0, with a window: the picture as a viewer shows it, with dark lungs."""
    y, x = np.mgrid[:512, :448]
    lungs = ((x - 140) / 70) ** 2 + ((y - 240) / 150) ** 2 < 1
    lungs |= ((x - 308) / 70) ** 2 + ((y - 240) / 150) ** 2 < 1
    values = np.where(lungs, 3000, 900).astype(np.uint16)
    picture = read_picture(dicom(values, {**WINDOW, **MONOCHROME1, **TWELVE}))
    np.testing.assert_allclose(picture.pixels[..., 1], 1 - window(values, 2000, 3000), atol=1e-6)
    assert picture.pixels[240, 140, 0] < picture.pixels[10, 10, 0]
    assert hashlib.sha256(SECRET.encode()).hexdigest() not in repr(picture.notes)
    assert Image.fromarray((picture.pixels * 255).astype(np.uint8)).size == (448, 512)
