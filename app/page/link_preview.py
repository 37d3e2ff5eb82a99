"""What others show of the page: its icon, its title, and the picture and sentence of a shared link. Gradio's own are taken out."""

import gzip
import html
import io
import json
import re
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFont
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.page.page_address import visited_address
from app.rendering import overlay_map, to_uint8
from app.service.cached_answer import read_cached_answer
from models.images.decoder import fit_to_size

DESCRIPTION = "Where did the classifier look, and should you believe it? Explanation methods side by side, and how far they agree."
PREVIEW_SIZE = (1200, 630)
ICON_SIDE = 180
PANEL_SIDE = 252
PREVIEW_PATH, ICON_PATH = "/crosscheck/preview.png", "/crosscheck/icon.png"
DARK, WARM, COOL = "#0b0d11", "#f08214", "#35b4ea"
SHOWN = ("Grad-CAM", "SHAP", "Integrated Gradients")
_GRADIOS = re.compile(rb"""<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>|<link\s+rel="(?:shortcut )?icon"[^>]*>""")
_PLACE = re.compile(rb"<meta\s+charset=[^>]*>")


class LinkPreviewMiddleware:
    """ASGI middleware. Puts the page's own tags into its HTML, for the address by which the visitor has reached it."""

    def __init__(self, app: ASGIApp, title: str, behind_proxy: bool) -> None:
        """behind_proxy: as of `visited_address`."""
        self.app, self.title, self.behind_proxy = app, title, behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        packed = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        plain = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]}
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = MutableHeaders(scope=start)
            content = bytes(body)
            if headers.get("content-type", "").startswith("text/html"):
                content = with_preview_tags(content, self.title, visited_address(scope, self.behind_proxy))
                headers["Vary"] = "Accept-Encoding, Host, X-Forwarded-Host, X-Forwarded-Proto"
                if packed:
                    content, headers["Content-Encoding"] = gzip.compress(content, 5), "gzip"
            if scope["method"] != "HEAD":
                headers["Content-Length"] = str(len(content))
            await send(start)
            await send({"type": "http.response.body", "body": content})

        await self.app(plain, receive, collect)


def with_preview_tags(page: bytes, title: str, address: str) -> bytes:
    """The page's HTML with its own tags in place of Gradio's. address: of the page, for the picture, which must have a whole URL."""
    tags = preview_tags(title, address).encode()
    return _PLACE.sub(lambda found: found[0] + tags, _GRADIOS.sub(b"", page), count=1)


def preview_tags(title: str, address: str) -> str:
    """HTML for the head, escaped."""
    named = {"description": DESCRIPTION, "twitter:card": "summary_large_image", "twitter:title": title, "twitter:description": DESCRIPTION}
    shared = {"og:type": "website", "og:site_name": title, "og:title": title, "og:description": DESCRIPTION}
    if address:
        picture = f"{address}{PREVIEW_PATH}"
        shared |= {"og:url": f"{address}/", "og:image": picture, "og:image:alt": "A picture, and where three methods saw its evidence"}
        shared |= {"og:image:width": str(PREVIEW_SIZE[0]), "og:image:height": str(PREVIEW_SIZE[1])}
        named["twitter:image"] = picture
    lines = [f"<title>{html.escape(title)}</title>", f'<link rel="icon" type="image/png" href=".{ICON_PATH}">']
    lines += [f'<link rel="apple-touch-icon" href=".{ICON_PATH}">']
    lines += [f'<meta property="{name}" content="{html.escape(text)}">' for name, text in shared.items()]
    lines += [f'<meta name="{name}" content="{html.escape(text)}">' for name, text in named.items()]
    return "\n" + "\n".join(lines)


def web_app_manifest(title: str) -> str:
    """The JSON by which a phone puts the page on its home screen."""
    icons = [{"src": f".{ICON_PATH}", "sizes": f"{ICON_SIDE}x{ICON_SIDE}", "type": "image/png"}]
    return json.dumps({"name": title, "short_name": title[:20], "start_url": "./", "display": "standalone", "icons": icons})


@lru_cache(maxsize=1)
def icon_png() -> bytes:
    """Two discs, warm and cool, that share a place, on a dark square with round corners."""
    return _png(_icon(ICON_SIDE))


@lru_cache(maxsize=1)
def preview_png(title: str) -> bytes:
    """The picture of a shared link: the title, and the page's first answer as three of its maps; without maps where none is stored."""
    width, height = PREVIEW_SIZE
    canvas = Image.new("RGB", PREVIEW_SIZE, DARK)
    icon = _icon(96)
    canvas.paste(icon, (60, 56), icon)
    draw = ImageDraw.Draw(canvas)
    draw.text((180, 104), title, "white", _fitting_font(title, width - 240), anchor="lm")
    for number, line in enumerate(("Where did the classifier look,", "and should you believe it?")):
        draw.text((60, 196 + 50 * number), line, "#c9ccd3", _font(38))
    for number, pixels in enumerate(_first_answer()):
        picture = Image.fromarray(pixels).resize((PANEL_SIDE, PANEL_SIDE), Image.Resampling.LANCZOS)
        canvas.paste(picture, (60 + number * (PANEL_SIDE + 24), height - PANEL_SIDE - 56))
    return _png(canvas)


def _first_answer() -> list[NDArray[np.uint8]]:
    """The picture, and its maps by SHOWN: (H, W, 3) each."""
    report = read_cached_answer()
    if report is None or report.image is None or report.photo is None:
        return []
    photo = np.asarray(report.photo, np.float32) / 255
    shown = [result for result in report.results.values() if type(result.method).title in SHOWN and result.attribution is not None]
    maps = [overlay_map(photo, result.attribution.values, type(result.method).signed) for result in shown if result.attribution]
    return [to_uint8(fit_to_size(np.asarray(each, np.float32) / 255, (PANEL_SIDE, PANEL_SIDE), "crop")) for each in (report.photo, *maps)]


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
