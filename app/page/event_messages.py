"""Events as they arrive at Gradio's queue: what is malformed is refused in a sentence before Gradio reads it."""

import json
import re
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JOIN = "/gradio_api/queue/join"
RESET = "/gradio_api/reset"
MAX_HASH, MAX_DEPTH = 200, 41
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
RECEIVED = "crosscheck.received"
"""In the scope of an event: when it was received, by time.monotonic."""
MALFORMED = "The page sent something that this server does not understand; reload it."


class EventValidationMiddleware:
    """ASGI middleware. 400: a body that is no event. 404: an event of a function that the page does not have. 429: one of a page that
    does not read what it is answered."""

    def __init__(self, app: ASGIApp, functions: Collection[int], too_many: Callable[[str], bool] = lambda session: False) -> None:
        """functions: the numbers of the page's own. too_many: whether a session has left too many answers unread."""
        self.app, self.functions, self.too_many = app, functions, too_many

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path not in (JOIN, RESET) or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body, received = b"", time.monotonic()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if refusal := self._refusal(body, path):
            await refusal(scope, receive, send)
            return
        unread = [body]

        async def again() -> Message:
            return {"type": "http.request", "body": unread.pop(), "more_body": False} if unread else await receive()

        await self.app({**scope, RECEIVED: received}, again, send)

    def _refusal(self, body: bytes, path: str) -> JSONResponse | None:
        event: Any
        try:
            event = json.loads(body) if _depth(body) <= MAX_DEPTH else None
        except ValueError:
            event = None
        if path == RESET:
            return None if isinstance(event, dict) and isinstance(event.get("event_id"), str) else _answer(MALFORMED, 400)
        if not _is_event(event):
            return _answer(MALFORMED, 400)
        if event["fn_index"] not in self.functions:
            return _answer("This page has no such function; reload it.", 404)
        if self.too_many(event["session_hash"]):
            return _answer("Many answers wait for this page to read them; wait a moment, or reload it.", 429)
        return None


def _is_event(event: Any) -> bool:
    if not isinstance(event, dict) or not isinstance(event.get("data"), list):
        return False
    number, session, trigger = event.get("fn_index"), event.get("session_hash"), event.get("trigger_id")
    return (
        (isinstance(number, int) and not isinstance(number, bool))
        and (isinstance(session, str) and 0 < len(session) <= MAX_HASH)
        and (trigger is None or (isinstance(trigger, int) and not isinstance(trigger, bool)))
    )


def _depth(body: bytes) -> int:
    """How deep lists and objects lie in each other, found before a parser recurses into them."""
    code = np.frombuffer(_TEXT.sub(b"", body), np.uint8)
    opening, closing = np.isin(code, list(b"[{")), np.isin(code, list(b"]}"))
    return int(np.cumsum(opening.astype(np.int64) - closing).max(initial=0))


def _answer(sentence: str, status: int) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status)
