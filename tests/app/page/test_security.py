"""Replays against the real server what works on an ordinary Gradio page, and finds the doors closed."""

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from struct import pack

import numpy as np
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.page.assets import STATIC, load_static_files, static_files_digest
from app.page.security import SecurityMiddleware
from tests.models.picture_files import png
from tests.serving import Server, Visitor, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def visitor(server: Server) -> Visitor:
    return Visitor(server)


def test_the_page_answers(server: Server) -> None:
    assert server.ask("GET", "/")[0] == 200
    assert server.ask("GET", "/health")[2] == b"ok"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/run/explain",
        "/gradio_api/api/explain",
        "/gradio_api/call/explain",
        "/gradio_api/call/v2/explain",
        "/gradio_api/upload",
        "/gradio_api/cancel",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/run-history/connect",
        "/gradio_api/vibe-edit",
        "/login",
    ],
)
def test_nothing_but_the_queue_takes_calls(server: Server, path: str) -> None:
    assert server.ask("POST", path, "{}", {"Content-Type": "application/json"})[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/x",
        "/gradio_api/runs",
        "/gradio_api/openapi.json",
        "/gradio_api/stream/x/0/1/playlist.m3u8",
        "/monitoring",
        "/monitoring/summary",
        "/docs",
        "/openapi.json",
        "/static/../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
    ],
)
def test_no_files_no_relays_no_monitoring(server: Server, path: str) -> None:
    status, _, body = server.ask("GET", path)
    assert status in (403, 404)
    assert b"root:" not in body


def test_the_page_names_files_that_browsers_may_keep_for_ever(server: Server) -> None:
    addresses = re.findall(r"<(crosscheck/[^>]+)>", server.ask("GET", "/")[1]["link"])
    assert {address.split("/", 2)[2] for address in addresses} == set(load_static_files())
    for address in addresses:
        status, headers, body = server.ask("GET", f"/{address}")
        assert status == 200
        assert headers["cache-control"] == "max-age=31536000, immutable"
        assert headers["content-type"].startswith("text/css" if address.endswith(".css") else "text/javascript")
        packed = server.ask("GET", f"/{address}", headers={"Accept-Encoding": "gzip"})
        assert packed[1]["content-encoding"] == "gzip"
        assert gzip.decompress(packed[2]) == body == (STATIC / address.split("/", 2)[2]).read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "{digest}/nothing.js",
        "{digest}/types.d.ts",
        "{digest}/lib/",
        "{digest}/lib/dom.js/",
        "{digest}/../page.css",
        "{digest}/lib/../page.css",
        "{digest}/lib/%2e%2e/page.css",
        "{digest}/..%2f..%2flayout.py",
        "{digest}//etc/passwd",
        "000000000000/page.css",
        "page.css",
    ],
)
def test_only_the_files_of_this_version_are_served(server: Server, path: str) -> None:
    assert server.ask("GET", "/crosscheck/" + path.format(digest=static_files_digest()))[0] == 404


def test_a_proxy_that_calls_the_page_localhost_and_forwards_its_name_may_post(server: Server) -> None:
    """As docs/hosting.md sets nginx up."""
    headers = {"Host": "localhost", "Origin": "https://school.example"}
    assert server.ask("POST", "/crosscheck/picture?name=x", b"x", headers)[0] == 403
    assert server.ask("POST", "/crosscheck/picture?name=x", b"x", {**headers, "X-Forwarded-Host": "school.example"})[0] == 200
    assert server.ask("POST", "/crosscheck/picture?name=x", b"x", {"Host": "school.example", "Origin": "https://school.example"})[0] == 403


def test_no_component_takes_or_gives_files(visitor: Visitor) -> None:
    kinds = {component["type"] for component in visitor.config["components"]}
    assert not kinds & {"file", "image", "gallery", "video", "audio", "downloadbutton", "uploadbutton", "imageeditor", "textbox"}


def test_no_history_and_no_analytics_in_the_browser(visitor: Visitor) -> None:
    assert not visitor.config.get("run_history")
    assert not visitor.config.get("analytics_enabled")
    assert not visitor.config.get("footer_links")


def test_a_large_event_is_refused_whether_it_says_its_length_or_not(server: Server) -> None:
    large = json.dumps({"data": ["data:image/png;base64," + "A" * 200_000]}).encode()
    kind = {"Content-Type": "application/json"}
    assert server.ask("POST", "/gradio_api/queue/join", large, kind)[0] == 413
    pieces = (large[start : start + 10_000] for start in range(0, len(large), 10_000))
    assert server.ask("POST", "/gradio_api/queue/join", pieces, kind | {"Transfer-Encoding": "chunked"})[0] == 413
    assert server.ask("GET", "/health")[0] == 200


def test_a_large_picture_that_does_not_say_its_length_is_refused(server: Server) -> None:
    pieces = (bytes(1_000_000) for _ in range(61))
    status, _, body = server.ask("POST", "/crosscheck/picture", pieces, {"Transfer-Encoding": "chunked"})
    assert status == 413
    assert "60 MB is the most" in json.loads(body)["error"]
    assert "Traceback" not in "".join(server.log)


def test_a_large_picture_is_refused_before_it_is_read(server: Server) -> None:
    status, _, body = server.ask("POST", "/crosscheck/picture", b"", {"Content-Length": "70000000"})
    assert status == 413
    assert "60 MB is the most" in json.loads(body)["error"]


def test_other_sites_may_neither_read_nor_ask(server: Server) -> None:
    for origin in ("https://evil.example", "http://localhost:1", "null"):
        headers = server.ask("GET", "/config", headers={"Origin": origin})[1]
        assert "access-control-allow-origin" not in headers
        assert server.ask("POST", "/crosscheck/picture", b"x", {"Origin": origin})[0] == 403
        assert server.ask("POST", "/gradio_api/queue/join", b"{}", {"Origin": origin})[0] == 403
    assert server.ask("POST", "/crosscheck/picture", b"x", {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert server.ask("POST", "/crosscheck/picture", b"x", {"Origin": server.address})[0] == 200


def test_another_name_for_this_machine_may_not_ask(server: Server) -> None:
    port = server.address.rsplit(":", 1)[1]
    for name in ("evil.example", f"evil.example:{port}", "[", "127.0.0.1.evil.example"):
        headers = {"Host": name, "Origin": f"http://{name}"}
        assert server.ask("POST", "/crosscheck/picture", b"x", headers)[0] == 403
        assert server.ask("POST", "/gradio_api/queue/join", b"{}", headers)[0] == 403
    assert server.ask("POST", "/crosscheck/picture", b"x", {"Host": f"localhost:{port}"})[0] == 200


def test_sockets_are_closed_and_other_protocols_refused() -> None:
    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it got in")

    sent: list[Message] = []
    asyncio.run(SecurityMiddleware(app)({"type": "websocket", "path": "/"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
    with pytest.raises(NotImplementedError):
        asyncio.run(SecurityMiddleware(app)({"type": "mail"}, receive, send))


def test_a_file_name_is_decoded_once(server: Server) -> None:
    _, _, body = server.ask("POST", "/crosscheck/picture?name=50%2525%20dots.png", png(np.zeros((32, 32, 3), np.uint8)))
    shown = Visitor(server).do("picture", "pick", {"token": json.loads(body)["token"]})
    assert shown["verdict"]["facts"].startswith("50%25 dots.png \u00b7 ")


def test_what_gradio_itself_refuses_shows_no_traceback(server: Server) -> None:
    visitor = Visitor(server)
    visitor.do("page", "load")
    for event, inputs in ((("target", "input"), {"target": 99}), (("explain", "click"), {"preset": {"a": 1}})):
        answer = visitor.do(*event, None, **inputs)
        assert answer["success"] is False
        assert "Traceback" not in json.dumps(answer)
        assert ".py" not in json.dumps(answer)


def test_security_headers_on_every_answer(server: Server) -> None:
    for path in ("/", "/config", "/nothing"):
        headers = server.ask("GET", path)[1]
        assert "frame-ancestors 'self' https://huggingface.co" in headers["content-security-policy"]
        assert "connect-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_picture_can_be_taken_once_and_only_with_its_token(server: Server) -> None:
    one, two = Visitor(server), Visitor(server)
    token = one.upload(b"no picture at all")
    assert "not a picture" in one.do("picture", "pick", {"token": token})["picture"]["error"]
    assert "no longer here" in two.do("picture", "pick", {"token": token})["status"]["error"]
    assert "no longer here" in two.do("picture", "pick", {"token": ["../x"]})["status"]["error"]
    assert two.do("picture", "pick", {"token": {"path": "/etc/passwd"}})["success"] is False, "Gradio itself refuses paths"


@pytest.mark.parametrize(
    ("event", "data", "inputs", "words"),
    [
        (("picture", "pick"), {"file": "/etc/passwd"}, {}, "reload"),
        (("picture", "pick"), "x" * 5000, {}, "reload"),
        (("picture", "pick"), {"example": "../../../etc/passwd"}, {}, "no such example"),
        (("prediction", "target"), {"index": "__class__"}, {}, "no class number"),
        (("prediction", "target"), {"index": 10**9}, {}, "no class number"),
        (("prediction", "target"), {"index": True}, {}, "no class number"),
        (("grid", "parameters"), {"method": "__init__", "values": {}}, {}, "no such method"),
        (("grid", "parameters"), {"method": "Occlusion", "values": {"window": 10**8}}, {}, "window"),
        (("grid", "parameters"), {"method": "Occlusion", "values": {"window": "8"}}, {}, "window"),
        (("grid", "parameters"), {"method": "Occlusion", "values": {"__class__": 1}}, {}, "no parameter"),
        (("explain", "click"), None, {"methods": []}, "at least one"),
    ],
)
def test_every_handler_checks_what_it_is_given(
    server: Server, event: tuple[str, str], data: object, inputs: dict[str, object], words: str
) -> None:
    visitor = Visitor(server)
    visitor.do("page", "load")
    answer = visitor.do(*event, data, **inputs)
    assert words in answer["status"]["error"]
    assert "the page could not answer" not in "".join(server.log)


@pytest.mark.parametrize(
    "inputs", [{"classifier": "/etc/passwd"}, {"preset": "x" * 1000}, {"methods": ["../x"]}, {"methods": "GradCAM" * 999}]
)
def test_values_that_no_control_offers_are_refused(server: Server, inputs: dict[str, object]) -> None:
    answer = Visitor(server).do("explain", "click", None, **inputs)
    assert answer["success"] is False or answer["status"]["error"]


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that says it is side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_without_a_memory_peak(server: Server) -> None:
    visitor = Visitor(server)
    visitor.do("page", "load")
    data = bomb(16_000)
    assert len(data) < 60_000
    before = server.peak_memory()
    answer = visitor.do("picture", "pick", {"token": visitor.upload(data)})
    assert "256 megapixels" in answer["picture"]["error"]
    assert server.peak_memory() - before < 150
