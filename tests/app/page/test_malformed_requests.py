"""What no page sends: every event with values of every wrong kind, and HTTP that is none. It is never an error of the server."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.patience import PATIENCE
from tests.serving import Server, Visitor, serving

JUNK: list[Any] = [
    *(None, True, -1, 1e308, 10**30, float("nan"), float("inf"), "\ud800", "../../etc/passwd", "x" * 5_000, [], [[None]] * 300, {}),
    *({"token": wrong} for wrong in (None, [], {}, "x")),
    *({"example": wrong} for wrong in ([], {}, "../x")),
    *({"index": wrong} for wrong in ([], -1, 10**50, 1e400, True)),
    *({"method": name, "values": values} for name in ([], {}, "LIME") for values in ([], {}, {"x": {}}, {"segments": float("nan")})),
    *({"kind": wrong} for wrong in ([], {}, "magic")),
    *({"pictures": wrong} for wrong in ({}, "x", [None], [{}] * 30, [{"token": [], "label": []}], [{"token": "x", "label": ""}])),
    *({"points": wrong} for wrong in ("x", [1, 2], [[float("nan"), 0]] * 4, [[{}, 0]] * 4, [[1e308, -1e308]] * 9, [[0, 0]] * 9_000)),
    *({"tokens": wrong} for wrong in ("x", [[]], [None] * 300)),
    *({"wish": wrong} for wrong in (float("nan"), "x", [])),
    *({"answered": True, "run": wrong} for wrong in ("x", [])),
]
EVERY = 4
"""Each event is sent a quarter of them, and neighbours different ones."""
HEAD = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
BROKEN = {
    "no such protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "negative length": b"POST /gradio_api/queue/join" + HEAD + b"Content-Length: -5\r\n\r\n",
    "length that is no ASCII digit": b"POST /crosscheck/picture" + HEAD + b"Content-Length: \xc2\xb2\r\n\r\n",
    "two lengths": b"POST /gradio_api/queue/join" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunks": b"POST /gradio_api/queue/join" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk of no size": b"POST /crosscheck/picture" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n\r\n",
    "long head": b"GET /" + HEAD + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
    "multipart that is none": b"POST /crosscheck/picture" + HEAD + b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\n--x",
    "many ranges": b"GET /favicon.ico" + HEAD + b"Range: bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(3_000)) + b"\r\n\r\n",
    "range beyond the end": b"GET /favicon.ico" + HEAD + b"Range: bytes=99999999999999999999-\r\n\r\n",
    "range that is none": b"GET /theme.css" + HEAD + b"Range: bytes=x\r\nIf-Range: \xff\r\n\r\n",
    "parent folders": b"GET /static/..%2f..%2f..%2f..%2fetc/passwd" + HEAD + b"\r\n",
    "plain parent folders": b"GET /assets/../../../../etc/passwd" + HEAD + b"\r\n",
    "absolute path": b"GET /static//etc/passwd" + HEAD + b"\r\n",
    "zero byte": b"GET /assets/%00" + HEAD + b"\r\n",
    "no UTF-8": b"GET /static/%ed%a0%80" + HEAD + b"\r\n",
    "long name": b"GET /static/" + b"a" * 5_000 + HEAD + b"\r\n",
    "folder": b"GET /assets/" + HEAD + b"\r\n",
    "file": b"GET //gradio_api/file=/etc/passwd" + HEAD + b"\r\n",
    "host that is none": b"GET /config HTTP/1.1\r\nHost: [::bad\r\n\r\n",
    "origin that is none": b"POST /crosscheck/picture" + HEAD + b"Origin: http://[\r\nContent-Length: 1\r\n\r\nx",
    "forwarded host that is none": b"GET /" + HEAD + b'X-Forwarded-Host: "><script>\r\nX-Forwarded-Proto: javascript\r\n\r\n',
    "server that is another": b"GET /config" + HEAD + b"x-gradio-server: http://evil\r\nx-forwarded-prefix: //evil\r\n\r\n",
    "deep link": b"GET /?deep_link=../../etc/passwd" + HEAD + b"\r\n",
    "theme": b"GET /?__theme=%00&view=x" + HEAD + b"\r\n",
    "cookie": b"GET /" + HEAD + b"Cookie: \xff=;;;=\r\nAccept-Language: \xff\r\nAccept-Encoding: \xff\r\n\r\n",
    "API of another kind": b"GET /gradio_api/info?all_endpoints=x" + HEAD + b"\r\n",
    "session that is none": b"GET /gradio_api/queue/data?session_hash=%00" + HEAD + b"\r\n",
    "heartbeat by POST": b"POST /gradio_api/heartbeat/x" + HEAD + b"Content-Length: 0\r\n\r\n",
    "model of a long name": b"POST /crosscheck/model?name=" + b"a" * 3_000 + b".h5" + HEAD + b"Content-Length: 1\r\n\r\nx",
    "model of a name that is none": b"POST /crosscheck/model?name=%00%2e%2e%2f.h5" + HEAD + b"Content-Length: 1\r\n\r\nx",
}
"""Name -> the bytes of a request."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--allow-model-upload") as server:
        yield server


def test_values_of_every_wrong_kind_are_answered_in_words(server: Server) -> None:
    visitor, wrong = Visitor(server), []
    for dependency in visitor.config["dependencies"]:
        for number in range(dependency["id"] % EVERY, len(JUNK), EVERY):
            junk = JUNK[number]
            own = [visitor.inputs.get(visitor.names[each]) for each in dependency["inputs"]]
            values = own if number % 2 else [JUNK[(number + place) % len(JUNK)] for place, _ in enumerate(own)]
            event = {"data": values, "event_data": junk, "fn_index": dependency["id"], "session_hash": f"junk{number}", "trigger_id": None}
            status, _, body = server.ask("POST", "/gradio_api/queue/join", json.dumps(event), {"Content-Type": "application/json"})
            if status >= 500:
                wrong.append((dependency["targets"], junk, body))
    assert not wrong
    assert visitor.do("page", "load")["success"], "others are served on"


@pytest.mark.parametrize("name", BROKEN)
def test_broken_requests_are_refused_or_answered(name: str, server: Server) -> None:
    host = urlsplit(server.address)
    with socket.create_connection((host.hostname, host.port), timeout=PATIENCE) as connection:
        connection.sendall(BROKEN[name])
        status = connection.recv(4_096).split(b" ")[1:2]
    assert status == [] or int(status[0]) < 500, status
    assert server.ask("GET", "/health")[0] == 200
