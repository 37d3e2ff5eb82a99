"""What the decoder refuses, in which words, and that no picture costs more memory than it may."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from errors import UserError
from models.images import decoder
from models.images.decoder import decode_picture
from tests.models.picture_files import NOISE, RNG, bomb, png, raw_png, saved

ROOT = Path(__file__).resolve().parents[3]


def test_a_large_png_cut_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(RNG.integers(0, 256, (1000, 2000, 3), np.uint8))
    monkeypatch.setattr(decoder, "_AT_ONCE", 0)
    for tenth in range(1, 10):
        with pytest.raises(UserError, match="damaged or cut short"):
            decode_picture(data[: len(data) * tenth // 10])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_file_cut_short_is_refused_wherever_it_ends(kind: str) -> None:
    data = saved(Image.fromarray(RNG.integers(0, 256, (64, 80, 3), np.uint8)), kind)
    for tenth in range(1, 10):
        with pytest.raises(UserError, match=r"damaged or cut short|not a picture"):
            decode_picture(data[: len(data) * tenth // 10])


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
        decode_picture(data)
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
        decode_picture(raw_png(np.zeros((1, 1), np.uint8), 8, 0, size=size))


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = saved(Image.fromarray(NOISE), "JPEG", progressive=True)
    with pytest.raises(UserError, match="scans"):
        decode_picture(data[:-2] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 300 + b"\xff\xd9")


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(UserError, match="101 MB; 100 MB is the most"):
        decode_picture(bytes(101_000_000))


MEASURE = """
import io, os, resource, sys
sys.path.insert(0, ".")
from errors import UserError
from models.images.decoder import decode_picture
decode_picture(open(sys.argv[1], "rb").read())
data = open(sys.argv[2], "rb").read()
open("/proc/self/clear_refs", "w").write("5")
status = lambda name: next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) / 1024
before = status("VmRSS")
try:
    decode_picture(data)
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
