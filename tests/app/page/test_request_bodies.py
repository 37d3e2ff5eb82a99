"""Bodies under way share one budget, stalled ones end, and a visitor's address is only believed from proxies that are named."""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from app.page.request_bodies import LimitedRequestBody, ProxySettings, RequestBodyBudget, client_network
from app.page.security import SecurityMiddleware
from app.service import limits
from tests.patience import PATIENCE, until, until_then
from tests.serving import Server, serving


def scope_of(path: str = "/crosscheck/picture", client: str = "192.0.2.1", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": named, "client": (client, 1), "query_string": b""}


class Upload:
    """A visitor who sends parts when the test says so. answer: status and sentence once there is one."""

    def __init__(self, page: SecurityMiddleware, scope: Scope) -> None:
        self.parts: asyncio.Queue[Message] = asyncio.Queue()
        self.answer: tuple[int, str] | None = None
        self._status = 0
        self.task = asyncio.ensure_future(page(scope, self.parts.get, self._hear))

    def send(self, part: bytes, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": part, "more_body": more})

    async def _hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif not message.get("more_body"):
            self.answer = self._status, json.loads(message["body"]).get("error", "")


async def reads_everything(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps({"size": len(body)}).encode()})


def test_all_bodies_share_one_budget_and_one_address_never_takes_it_all() -> None:
    async def upload() -> None:
        page = SecurityMiddleware(reads_everything)
        page.budget = RequestBodyBudget(100, 60)
        one, two, third = Upload(page, scope_of()), Upload(page, scope_of()), Upload(page, scope_of(client="192.0.2.2"))
        one.send(bytes(50))
        await until_then(lambda: page.budget.held == 50)
        two.send(bytes(20))
        await two.task
        assert two.answer is not None
        assert two.answer[0] == 503, "its address would hold 70 of 60"
        assert "send it again in a minute" in two.answer[1]
        third.send(bytes(50))
        await until_then(lambda: page.budget.held == 100)
        fourth = Upload(page, scope_of(client="192.0.2.3"))
        fourth.send(b"x", more=False)
        await fourth.task
        assert fourth.answer is not None
        assert fourth.answer[0] == 503, "nobody has room"
        for each in (one, third):
            each.send(b"", more=False)
            await each.task
            assert each.answer == (200, "")
        assert page.budget.held == 0

    asyncio.run(upload())


def test_a_model_counts_only_as_far_as_it_is_in_memory() -> None:
    async def upload() -> None:
        budget = RequestBodyBudget(100, 100)
        parts: asyncio.Queue[Message] = asyncio.Queue()
        body = LimitedRequestBody(parts.get, 10_000, budget, "a", kept=False)
        for _ in range(50):
            parts.put_nowait({"type": "http.request", "body": bytes(80), "more_body": True})
            assert (await body())["type"] == "http.request"
        assert budget.held == 80

    asyncio.run(upload())


def test_a_body_that_stalls_is_ended_with_a_sentence_and_gives_its_share_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_IDLE_SECONDS", 0.05)

    async def upload() -> None:
        page = SecurityMiddleware(reads_everything)
        stalled = Upload(page, scope_of())
        stalled.send(bytes(1000))
        await asyncio.wait_for(stalled.task, PATIENCE)
        assert stalled.answer is not None
        assert stalled.answer[0] == 408
        assert "stalled" in stalled.answer[1]
        assert page.budget.held == 0

    asyncio.run(upload())


def test_a_trickle_ends_too_however_short_its_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)

    async def upload() -> None:
        page = SecurityMiddleware(reads_everything)
        slow = Upload(page, scope_of())
        while not slow.task.done():
            slow.send(b"x")
            await asyncio.sleep(0.01)
        assert slow.answer is not None
        assert slow.answer[0] == 408

    asyncio.run(upload())


def test_one_address_has_so_many_requests_under_way() -> None:
    async def ask() -> None:
        page = SecurityMiddleware(reads_everything)
        waiting = [Upload(page, scope_of()) for _ in range(limits.REQUESTS_PER_ADDRESS)]
        await asyncio.sleep(0)
        refused, other = Upload(page, scope_of()), Upload(page, scope_of(client="192.0.2.9"))
        other.send(b"x", more=False)
        await asyncio.gather(refused.task, other.task)
        assert refused.answer is not None
        assert refused.answer[0] == 503
        assert other.answer == (200, "")
        for each in waiting:
            each.parts.put_nowait({"type": "http.disconnect"})
        await asyncio.gather(*(each.task for each in waiting))
        assert not page._requests

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (ProxySettings(), "198.51.100.7", "192.0.2.1"),
        (ProxySettings(1), "198.51.100.7", "198.51.100.7"),
        (ProxySettings(1), "203.0.113.5, 198.51.100.7", "198.51.100.7"),
        (ProxySettings(2), "9.9.9.9, 203.0.113.5, 198.51.100.7", "203.0.113.5"),
        (ProxySettings(3), "203.0.113.5, 198.51.100.7", "192.0.2.1"),
        (ProxySettings(1), "<script>", "192.0.2.1"),
        (ProxySettings(1), "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (ProxySettings(1, "X-Real-IP"), "198.51.100.7", "192.0.2.1"),
    ],
)
def test_an_address_is_believed_from_named_proxies_alone(proxies: ProxySettings, forwarded: str, address: str) -> None:
    assert proxies.address(scope_of(x_forwarded_for=forwarded)) == address


def test_an_address_within_another_is_one_address() -> None:
    assert client_network("::ffff:192.0.2.1") == client_network("192.0.2.1") == "192.0.2.1"
    assert client_network("[2001:db8::1]") == client_network("2001:db8::2")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": [], "fn_index": 99_999, "session_hash": "a"}, 404),
        ({"data": [], "fn_index": -1, "session_hash": "a"}, 404),
        ({"data": [], "fn_index": 10**30, "session_hash": "a"}, 404),
        ({"data": [], "fn_index": True, "session_hash": "a"}, 400),
        ({"data": [], "session_hash": "a"}, 400),
        ({"data": [], "fn_index": "0", "session_hash": "a"}, 400),
        ({"data": {}, "fn_index": 0, "session_hash": "a"}, 400),
        ({"data": [], "fn_index": 0}, 400),
        ({"data": [], "fn_index": 0, "session_hash": ["a"]}, 400),
        ({"data": [], "fn_index": 0, "session_hash": "a" * 10_000}, 400),
        ({"data": [], "fn_index": 0, "session_hash": "a", "trigger_id": "x"}, 400),
        ([], 400),
        (None, 400),
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b'{"data":' + b"[" * 40_000 + b"]" * 40_000 + b',"fn_index":0,"session_hash":"a"}', 400),
    ],
)
def test_a_malformed_event_gets_a_sentence_and_never_an_error_of_the_server(server: Server, body: object, status: int) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    found, _, answer = server.ask("POST", "/gradio_api/queue/join", sent, {"Content-Type": "application/json"})
    assert found == status
    assert json.loads(answer)["error"].endswith(".")
    assert "Traceback" not in "".join(server.log)


@pytest.mark.parametrize("path", ["/gradio_api/reset", "/gradio_api/queue/join"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_other_shapes_of_requests_are_no_errors_of_the_server_either(server: Server, path: str, method: str) -> None:
    for body, kind in ((b"[1]", "application/json"), (b"x=1", "application/x-www-form-urlencoded"), (b"", "text/plain"), (b"{}", "\xff")):
        assert server.ask(method, path, body, {"Content-Type": kind})[0] < 500


def test_two_hundred_stalled_uploads_cost_little_and_others_are_served(server: Server) -> None:
    def memory() -> float:
        lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    host, port = urlsplit(server.address).hostname, urlsplit(server.address).port
    before, open_uploads, block = memory(), [], bytes(1_000_000)
    try:
        for _ in range(180):
            sender = socket.create_connection((host, port), timeout=PATIENCE)
            open_uploads.append(sender)
            try:
                sender.sendall(b"POST /crosscheck/picture?name=a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 59000000\r\n\r\n")
                for _ in range(4):
                    sender.sendall(block)
            except OSError:
                continue  # refused: there is no room
        assert memory() - before < 300
        assert server.ask("GET", "/health")[0] == 200
    finally:
        for sender in open_uploads:
            sender.close()
    until(lambda: server.ask("POST", "/crosscheck/picture?name=b", bytes(1000))[0] == 200)
