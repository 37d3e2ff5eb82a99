"""Visitors who mean harm: each function attacks a running server and says what it met."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.attack_parts import hostile_models
from benchmarks.attack_parts.attack_table import STALLED_MB, Bounds, Outcome, refused
from benchmarks.attack_parts.client import JOIN, JSON, Access, Gone, Guest, answered, error_of, new_address, new_picture
from benchmarks.attack_parts.processes import command_of, descendants, memory_of
from tests.serving import Server

PIECE = bytes(1_000_000)
BROKEN = (OSError, http.client.HTTPException, ValueError, KeyError)


def stalled_uploads(server: Server, folder: Path, count: int = 200) -> Outcome:
    """Pictures of 59 MB that stop after 55. Ends early once the server holds twice what is allowed: the bound has failed by then."""
    before, open_ones, refusals = memory_of(server.process.pid), [], Counter[str]()
    access = Access(server.address, new_address(), 10.0)
    try:
        for _ in range(count):
            try:
                connection = access.raw()
                open_ones.append(connection)
                connection.sendall(b"POST /crosscheck/picture?name=a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 59000000\r\n\r\n")
                for _ in range(55):
                    connection.sendall(PIECE)
            except OSError as error:
                refusals[type(error).__name__] += 1
            if memory_of(server.process.pid) - before > 2 * STALLED_MB:
                break
        held = memory_of(server.process.pid) - before
        health = Access(server.address, new_address(), 30.0).ask("GET", "/health")[0]
    finally:
        for connection in open_ones:
            connection.close()
    words = f"{len(open_ones)} opened, {sum(refusals.values())} cut off; {held:.0f} MB held; /health {health}"
    return Outcome(words, "" if health == 200 else "others are not served")


def half_sent_models(server: Server, folder: Path) -> Outcome:
    """Three models that stop after three bytes; another visitor then brings an honest one."""
    access, stalled = Access(server.address, new_address()), []
    try:
        for _ in range(3):
            connection = access.raw()
            connection.sendall(b"POST /crosscheck/model?name=a.keras HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nabc")
            stalled.append(connection)
        time.sleep(1)
        guest = Guest(server)
        token, painted = guest.bring(hostile_models.honest(folder / "own.keras").read_bytes(), "own.keras")
        guest.leave()
    finally:
        for connection in stalled:
            connection.close()
    return Outcome("another's model is accepted" if token else error_of(painted), "" if token else "three stalled uploads hold every place")


def invented_sessions(server: Server, folder: Path, count: int = 600) -> Outcome:
    """Sessions that nobody has; another visitor's session should stay."""
    victim = Guest(server)
    victim.explain(new_picture())
    access, stop = Access(server.address, new_address()), victim._dependency("stop", "click")[0]

    def invent(_: int) -> int:
        body: dict[str, Any] = {"data": [], "event_data": None, "fn_index": stop, "session_hash": uuid.uuid4().hex, "trigger_id": None}
        try:
            return access.ask("POST", JOIN, json.dumps(body), JSON)[0]
        except BROKEN:
            return 0

    codes: Counter[int] = Counter()
    limit = time.monotonic() + 90
    with ThreadPoolExecutor(8) as pool:
        while codes[200] < count and time.monotonic() < limit:
            codes.update(pool.map(invent, range(50)))
    time.sleep(1)
    painted = victim.do("explain", "click")
    told = f"{dict(codes)}; the visitor before: {error_of(painted) or 'still there'}"
    return Outcome(told, "" if not error_of(painted) else "another visitor's session has ended")


def idle_connections(server: Server, folder: Path, count: int = 300) -> Outcome:
    """Connections that never finish the head of a request."""
    access, idle = Access(server.address, new_address(), 10.0), []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = access.raw()
                idle.append(connection)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        health = Access(server.address, new_address(), 30.0).ask("GET", "/health")[0]
    except BROKEN as error:
        return Outcome(type(error).__name__, "others are not served")
    finally:
        for connection in idle:
            connection.close()
    return Outcome(f"{len(idle)} connections; /health {health}", "" if health == 200 else "others are not served")


def malformed_requests(server: Server, folder: Path) -> Outcome:
    """Requests that no page sends: none may be an error of the server, and none may go unanswered."""
    access, session = Access(server.address, new_address(), 30.0), uuid.uuid4().hex
    event: dict[str, Any] = {"data": [], "event_data": None, "fn_index": 0, "session_hash": session, "trigger_id": None}
    wrong_values: dict[str, tuple[Any, ...]] = {
        "fn_index": (99999, -1, 10**30, "0", None, [], {}, 1.5, True),
        "data": (None, "x", {}, [[]] * 500, [{"a": 1}] * 50, 7),
        "event_data": ("x", [], 5, {"token": {}}, {"token": "x" * 50_000}),
        "session_hash": (None, 5, [], {}, "", "x" * 50_000, "\u0000", "../../etc"),
        "trigger_id": ("x", [], -5, 10**30),
    }
    bodies: list[bytes] = [json.dumps({**event, name: value}).encode() for name, values in wrong_values.items() for value in values]
    bodies += [b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"a":' * 10_000, b"{}", b'{"data": NaN}']
    requests: list[tuple[str, str, bytes, dict[str, str]]] = [("POST", JOIN, body, JSON) for body in bodies]
    requests += [("POST", JOIN, bodies[0], {"Content-Type": kind}) for kind in ("text/plain", "multipart/form-data", "", "x")]
    requests += [
        ("POST", "/crosscheck/picture", b"", {}),
        ("POST", "/crosscheck/picture?name=%00%ff&name=b", b"x", {}),
        ("POST", "/crosscheck/model?name=..%2f..%2fx.keras", b"", {}),
        ("POST", "/crosscheck/model?name=%ff%00.keras", b"x", {}),
        ("GET", "/gradio_api/queue/data", b"", {}),
        ("GET", "/gradio_api/queue/data?session_hash=" + "x" * 20_000, b"", {}),
        ("GET", "/config?x=%ff", b"", {"Cookie": "\x7f=" * 500}),
        ("POST", "/gradio_api/reset", b"{}", JSON),
        ("POST", "/gradio_api/reset", b"[5]", JSON),
        ("HEAD", "/", b"", {}),
        ("POST", "/", b"x", {}),
        ("POST", "/config", b"x", {}),
    ]
    codes: Counter[str] = Counter()
    wrong: list[str] = []
    for method, path, body, headers in requests:
        status = _status_of(access, method, path, body, headers)
        codes[str(status)] += 1
        if status >= 500 or status == 0:
            wrong.append(f"{status} for {method} {path[:40]} {body[:60]!r}")
    told = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))
    return Outcome(
        f"{len(requests)} requests; {told}{'; such as ' + wrong[0] if wrong else ''}", f"{len(wrong)} of 5xx or none" if wrong else ""
    )


def _status_of(access: Access, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """The status line alone, since a stream of events has no end; 0 where none comes."""
    connection = access.connect()
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    except BROKEN:
        return 0
    finally:
        connection.close()


def flood(server: Server, folder: Path, count: int = 50) -> Outcome:
    """Visitors all at once, each with a picture of its own name: every one is served or told, and nobody sees another's."""
    seen: Counter[str] = Counter()
    crossed = []

    def visit(number: int) -> None:
        try:
            guest = Guest(server)
            token = guest.upload(new_picture(), f"mark{number:03d}x")
            painted = guest.do("picture", "pick", {"token": token})
            names = set(re.findall(r"mark(\d{3})x", json.dumps(painted)))
            if names - {f"{number:03d}"}:
                crossed.append(number)
            seen["served" if answered(painted) else "told" if error_of(painted) else "neither"] += 1
        except Gone as error:
            seen["told" if str(error).startswith(("HTTP 429", "HTTP 503")) else "gave up"] += 1
        except BROKEN as error:
            seen[type(error).__name__] += 1

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(visit, range(count)))
    words = ", ".join(f"{number} {what}" for what, number in seen.most_common())
    fault = f"{len(crossed)} saw another's picture" if crossed else ""
    if not fault and seen["served"] + seen["told"] < count:
        fault = "some were neither served nor told"
    return Outcome(words, fault)


def endless_model(server: Server, folder: Path, bright: int = 5) -> Outcome:
    """A model that never answers about bright pictures; its owner brings five and waits for the last."""
    owner = Guest(server)
    owner.stay()
    owner.inputs["methods"] = ["Occlusion"]
    token, painted = owner.bring(hostile_models.endless(folder / "endless.onnx").read_bytes(), "endless.onnx")
    if not token or error_of(painted):
        return Outcome(error_of(painted), "could not be opened, so that nothing was shown")
    for _ in range(bright - 1):
        owner.send("picture", "pick", {"token": owner.upload(_bright())}, classifier=token)
    try:
        painted = owner.explain(_bright(), classifier=token)
    except Gone as error:
        return Outcome(str(error), "no sentence for its owner")
    finally:
        owner.leave()
    return refused(error_of(painted))


def killed_model(server: Server, folder: Path, times: int = 3) -> Outcome:
    """The process of an uploaded model is killed again and again; the next picture should be answered each time, at the latest once the
    pause is over that the page asks for."""
    owner = Guest(server)
    owner.stay()
    owner.inputs["methods"] = ["Occlusion"]
    earlier = set(_workers(server))
    token, painted = owner.bring(hostile_models.honest(folder / "killed.keras").read_bytes(), "killed.keras")
    if not token or error_of(painted):
        return Outcome(error_of(painted), "could not be opened, so that nothing was shown")
    answers = []
    for _ in range(times):
        owner.explain(new_picture(), classifier=token)
        for child in set(_workers(server)) - earlier:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.5)
        try:
            painted = owner.explain(new_picture(), classifier=token)
        except Gone as error:
            painted = {"status": {"error": str(error)}}
        if pause := re.search(r"try again in (\d+) s", error_of(painted)):
            time.sleep(int(pause[1]))
            painted = owner.explain(new_picture(), classifier=token)
        answers.append("answered" if answered(painted) else error_of(painted))
    owner.leave()
    lost = [words for words in answers if words != "answered"]
    return Outcome(f"{times} kills; " + (lost[0] if lost else "answered after each"), f"{len(lost)} pictures lost" if lost else "")


def _workers(server: Server) -> list[int]:
    return [child for child in descendants(server.process.pid) if "models.worker" in command_of(child)]


def abandoned(server: Server, folder: Path, count: int = 30) -> Outcome:
    """Visitors who choose a picture and are gone at once."""
    access = Access(server.address, new_address())
    for _ in range(count):
        guest = Guest(server, source=access.source)
        with contextlib.suppress(*BROKEN):
            guest.stay()
            guest.send("picture", "pick", {"token": guest.upload(new_picture())})
        guest.leave()
    guest = Guest(server)
    try:
        painted = guest.explain(new_picture())
    except Gone as error:
        return Outcome(str(error), "the next visitor is not served")
    return Outcome("the next visitor is served" if answered(painted) else error_of(painted), "" if answered(painted) else "not served")


def _bright() -> bytes:
    room, colour = io.BytesIO(), 205 + int.from_bytes(os.urandom(1)) % 20
    image = Image.new("RGB", (40, 40), (colour, colour, colour))
    image.putpixel((0, 0), tuple(os.urandom(3)))
    image.save(room, "PNG")
    return room.getvalue()


Attack = Callable[[Server, Path], Outcome]
VISITORS: dict[str, tuple[str, Attack, Bounds]] = {
    "malformed requests": ("4xx each", malformed_requests, Bounds()),
    "300 idle connections": ("others served", idle_connections, Bounds()),
    "600 invented sessions": ("others keep theirs", invented_sessions, Bounds()),
    "half-sent models": ("others bring theirs", half_sent_models, Bounds()),
    "200 stalled uploads": ("cut off, others served", stalled_uploads, Bounds(server=STALLED_MB)),
    "30 visitors who leave at once": ("the next is served", abandoned, Bounds()),
    "50 visitors at once": ("served or told, no cross-talk", flood, Bounds(slower=None)),
    "a model's process killed": ("started again", killed_model, Bounds()),
    "endless model": ("one sentence", endless_model, Bounds()),
}
"""Title -> what is expected, the attack, and its bounds."""
