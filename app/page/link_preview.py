"""What others show of the page: its icon, its title, and the picture and sentence of a shared link. Gradio's own are taken out."""

import gzip
import html
import json
import re
from functools import lru_cache

import numpy as np
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.page.page_address import page_address_of_request
from app.preview_image import ICON_SIDE, PANEL_SIDE, PREVIEW_SIZE, draw_preview
from app.rendering import overlay_map, to_uint8
from app.service.cached_answer import read_cached_answer
from models.images.decoder import fit_to_size

DESCRIPTION = "Where did the classifier look, and should you believe it? Explanation methods side by side, and a test of what they share."
PREVIEW_PATH, ICON_PATH = "/crosscheck/preview.png", "/crosscheck/icon.png"
LINES = ("Where did the classifier look,", "and should you believe it?")
SHOWN = ("Grad-CAM", "SHAP", "Integrated Gradients")
_GRADIOS = re.compile(rb"""<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>|<link\s+rel="(?:shortcut )?icon"[^>]*>""")
_PLACE = re.compile(rb"<meta\s+charset=[^>]*>")


class LinkPreviewMiddleware:
    """ASGI middleware. Puts the page's own tags into its HTML, for the address by which the visitor has reached it."""

    def __init__(self, app: ASGIApp, title: str, behind_proxy: bool) -> None:
        """behind_proxy: as of `page_address_of_request`."""
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
                content = with_preview_tags(content, self.title, page_address_of_request(scope, self.behind_proxy))
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
def preview_png(title: str) -> bytes:
    """The picture of a shared link: the title, and the page's first answer as three of its maps; without maps where none is stored."""
    report = read_cached_answer()
    if report is None or report.photo is None:
        return draw_preview(title, LINES, ())
    photo = np.asarray(report.photo, np.float32) / np.float32(255)
    shown = [result for result in report.results.values() if type(result.method).title in SHOWN and result.attribution is not None]
    maps = [overlay_map(photo, result.attribution.values, type(result.method).signed) for result in shown if result.attribution]
    size = (PANEL_SIDE, PANEL_SIDE)
    panels = [to_uint8(fit_to_size(np.asarray(each, np.float32) / np.float32(255), size, "crop")) for each in (report.photo, *maps)]
    return draw_preview(title, LINES, panels)
