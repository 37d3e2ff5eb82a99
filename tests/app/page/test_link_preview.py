"""What a shared link, a browser's tab and a phone's home screen show of the page: its own tags, pictures and title, safely escaped."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from PIL import Image

from app.page.assets import escape_template
from app.page.link_preview import DESCRIPTION, preview_png, preview_tags, with_preview_tags
from app.service.cached_answer import CLASSIFIER
from app.service.example_gallery import ExampleGallery
from tests.serving import Server, serving

TITLE = 'Class 9b\'s "<check>" ${1+1} {{x}} & more'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--title", TITLE, "--no-download") as server:
        yield server


class Head(HTMLParser):
    """The tags of a document, read by an independent parser."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.metas: list[tuple[str, str]] = []
        self.links: dict[str, str] = {}
        self.title, self._in_title = "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "meta" and (name := found.get("property") or found.get("name")):
            self.metas.append((name, found.get("content") or ""))
        if tag == "link":
            self.links[found.get("rel") or ""] = found.get("href") or ""
        self._in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


def test_the_page_carries_its_own_tags_and_none_of_gradios(server: Server) -> None:
    status, headers, body = server.ask("GET", "/", headers={"Host": "class.example:8080", "X-Forwarded-Proto": "https"})
    assert status == 200
    head = Head(body.decode())
    shown = dict(head.metas)
    assert len(head.metas) == len(shown), "no tag twice"
    assert head.title.strip() == shown["og:title"] == shown["twitter:title"] == TITLE
    assert shown["description"] == shown["og:description"] == shown["twitter:description"] == DESCRIPTION
    assert shown["og:image"] == shown["twitter:image"] == "https://class.example:8080/crosscheck/preview.png"
    assert shown["og:url"] == "https://class.example:8080/"
    assert shown["twitter:card"] == "summary_large_image"
    assert "twitter:creator" not in shown
    assert head.links["icon"] == head.links["apple-touch-icon"] == "./crosscheck/icon.png"
    assert b"Click to try out" not in body
    assert b"raw.githubusercontent" not in body
    assert b"<gradio-app" in body, "the page itself is whole"
    assert "Host" in headers["vary"]
    assert int(headers["content-length"]) == len(body)


def test_the_page_travels_packed_and_is_the_same(server: Server) -> None:
    plain = server.ask("GET", "/")
    status, headers, body = server.ask("GET", "/", headers={"Accept-Encoding": "br, gzip"})
    assert (status, headers["content-encoding"]) == (200, "gzip")
    unpacked = gzip.decompress(body)
    assert len(body) < len(unpacked) / 2
    assert Head(unpacked.decode()).metas == Head(plain[2].decode()).metas
    assert server.ask("HEAD", "/")[2] == b""


def test_its_pictures_are_its_own(server: Server) -> None:
    preview = server.ask("GET", "/crosscheck/preview.png")
    assert (preview[0], preview[1]["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(preview[2])).size == (1200, 630)
    assert len(preview[2]) < 300_000
    icon = server.ask("GET", "/crosscheck/icon.png")[2]
    assert icon == server.ask("GET", "/favicon.ico")[2]
    pixels = np.asarray(Image.open(io.BytesIO(icon)))
    assert pixels.shape == (180, 180, 4)
    assert pixels[90, 45].tolist() == [0xF0, 0x82, 0x14, 255], "the warm disc on the left"
    assert pixels[90, 135].tolist() == [0x35, 0xB4, 0xEA, 255], "the cool one on the right"
    assert pixels[0, 0, 3] == 0, "round corners"


def test_the_preview_shows_the_stored_first_answer() -> None:
    """Each map is bright where the picture's evidence is known to lie, and dark far from it."""
    pixels = np.asarray(Image.open(io.BytesIO(preview_png("Crosscheck"))).convert("RGB"), np.float32)
    panels = [pixels[322:574, 60 + 276 * number : 312 + 276 * number] for number in range(4)]
    evidence = ExampleGallery(None).of(CLASSIFIER)[0].evidence
    assert evidence is not None
    inside = cv2.resize(evidence.astype(np.float32), (252, 252), interpolation=cv2.INTER_AREA) > 0.5
    for panel in panels[1:]:
        light = panel.mean(-1)
        assert np.abs(panel - panels[0]).mean() > 1, "it is another picture than the first"
        assert light[inside].mean() > 1.3 * light[~inside].mean()


def test_the_home_screen_has_the_title(server: Server) -> None:
    manifest = json.loads(server.ask("GET", "/manifest.json")[2])
    assert manifest["name"] == TITLE
    assert [icon["src"] for icon in manifest["icons"]] == ["./crosscheck/icon.png"]


def test_the_wordmark_is_the_title_as_text(server: Server) -> None:
    config = json.loads(server.ask("GET", "/config")[2])
    assert config["title"].startswith(TITLE)
    markup = "".join(str(component["props"].get("html_template", "")) for component in config["components"])
    heading = re.search(r"<h1>(.*?)</h1>", markup)
    assert heading
    assert not re.search(r"[<>\"{}$`\\]", heading[1])
    parser = HTMLParser()
    seen: list[str] = []
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.feed(heading[0])
    parser.close()
    assert "".join(seen) == TITLE


def test_no_text_becomes_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    assert "<script" not in preview_tags(hostile, "")
    assert "<script" not in escape_template(hostile)
    assert escape_template("${x} {{y}} `z` \\") == "&#36;&#123;x&#125; &#123;&#123;y&#125;&#125; &#96;z&#96; &#92;"


def test_a_title_with_a_replacement_pattern_stays_text() -> None:
    page = b'<head><meta charset="utf-8" /><meta property="og:title" content="Gradio" /></head>'
    assert rb"\1 \g&lt;0&gt;" in with_preview_tags(page, r"\1 \g<0>", "http://a")
    assert b"Gradio" not in with_preview_tags(page, "x", "http://a")


def test_a_page_for_this_machine_alone_has_no_address_for_others(server: Server) -> None:
    status, _, body = server.ask("GET", "/crosscheck/address.svg")
    assert status == 404
    assert "--host 0.0.0.0" in json.loads(body)["error"]
    assert not any("On this network" in line for line in server.log)
