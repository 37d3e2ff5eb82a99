"""The program's icon, and the picture that stands for a shared link to its page, drawn as PNG files."""

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont

PREVIEW_SIZE = (1200, 630)
ICON_SIDE, PANEL_SIDE = 180, 252
MARGIN, GAP = 60, 24
"""Pixels, as all sizes here."""
DARK, WARM, COOL, PALE = "#0b0d11", "#f08214", "#35b4ea", "#c9ccd3"


@lru_cache(maxsize=1)
def icon_png() -> bytes:
    """Two discs, warm and cool, that share a place, on a dark square with round corners."""
    return _png(_icon(ICON_SIDE))


def draw_preview(title: str, lines: Sequence[str], panels: Sequence[NDArray[np.uint8]]) -> bytes:
    """A PNG of PREVIEW_SIZE: the icon and the title, two lines, and up to four panels of (PANEL_SIDE, PANEL_SIDE, 3) side by side."""
    width, height = PREVIEW_SIZE
    canvas = Image.new("RGB", PREVIEW_SIZE, DARK)
    icon = _icon(96)
    canvas.paste(icon, (MARGIN, 56), icon)
    draw = ImageDraw.Draw(canvas)
    draw.text((180, 104), title, "white", _fitting_font(title, width - 180 - MARGIN), anchor="lm")
    for number, line in enumerate(lines):
        draw.text((MARGIN, 196 + 50 * number), line, PALE, _font(38))
    for number, pixels in enumerate(panels):
        canvas.paste(Image.fromarray(pixels), (MARGIN + number * (PANEL_SIDE + GAP), height - PANEL_SIDE - 56))
    return _png(canvas)


def _icon(side: int) -> Image.Image:
    """Drawn four times as large and made smaller, which smooths its edges."""
    large = 4 * side
    discs, covered = [], Image.new("L", (large, large))
    for left, colour in ((0.1, WARM), (0.35, COOL)):
        disc, place = Image.new("RGB", (large, large)), [left * large, 0.225 * large, (left + 0.55) * large, 0.775 * large]
        ImageDraw.Draw(disc).ellipse(place, fill=colour)
        ImageDraw.Draw(covered).ellipse(place, fill=255)
        discs.append(disc)
    mask = Image.new("L", (large, large))
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, large - 1, large - 1], large // 4, fill=255)
    icon = Image.new("RGB", (large, large), DARK)
    icon.paste(ImageChops.screen(*discs), mask=covered)
    icon.putalpha(mask)
    return icon.resize((side, side), Image.Resampling.LANCZOS)


def _fitting_font(text: str, width: int) -> ImageFont.FreeTypeFont:
    """The largest in which the text is no wider than so many pixels."""
    return next((font for size in range(84, 24, -4) if (font := _font(size, True)).getlength(text) <= width), _font(24, True))


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
