"""Closes what Gradio leaves open: only the page's own requests get in, small ones, from the page itself."""

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.service.model_uploads import MODEL_BYTES

EVENT_BYTES = 100_000
PICTURE_BYTES = 60_000_000
PICTURE_PATH = "/crosscheck/picture"
MODEL_PATH = "/crosscheck/model"
OPEN = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|health)/?"
    r"|/(assets|static|svelte)/[^?]*"
    r"|/crosscheck/(picture|model|[0-9a-f]{12}/([a-z]+/)?[a-z0-9_]+\.(js|css))"
    r"|/gradio_api/(startup-events|info|app_id|reset|queue/join|queue/data|heartbeat/[\w-]+)/?"
)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self' https://huggingface.co"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


class SecurityMiddleware:
    """ASGI middleware. What it refuses never reaches Gradio.

    404: a path that the page does not use (uploads to disk, files, proxies, direct calls, monitoring, run history).
    403: a request that changes something, from another site, or to another name where the page serves this machine alone.
    413: a body over the limit, whether it says its length or not.
    """

    def __init__(self, app: ASGIApp, host: str = "", link: str = "") -> None:
        """host: the address that the page listens on. link: the Link header of the page itself, which names what to load early."""
        self.app, self.link = app, link
        self.names = {*LOOPBACK, host} if host in LOOPBACK or host.startswith("127.") else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "This page uses no sockets."})
            return
        if scope["type"] != "http":
            raise NotImplementedError(f"the page answers http, not {scope['type']}")
        refusal = _refusal(scope) or self._misnamed(scope)
        if refusal:
            await refusal(scope, receive, _with_headers(send))
            return
        body = _Body(receive, _limit(scope["path"]))
        guarded = _Answer(_with_headers(send, {"Link": self.link} if self.link and scope["path"] == "/" else {}), body)
        try:
            await self.app(scope, body, guarded)
        except Exception:  # what the application makes of a body that was cut off
            if not body.exceeded:
                raise
        if body.exceeded and not guarded.started:
            await _too_large(body.limit)(scope, receive, _with_headers(send))

    def _misnamed(self, scope: Scope) -> JSONResponse | None:
        """Refuses a site that lets its own name point to this machine, which makes its scripts look like the page's own."""
        try:
            name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
        except ValueError:
            name = None
        if self.names is None or scope["method"] != "POST" or name in self.names:
            return None
        return JSONResponse({"error": "This page serves its own machine alone; open it as http://localhost, or start it with --host."}, 403)


class _Body:
    """Passes the body on until it is too long; then says that the visitor has gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.limit, self.size, self.exceeded = receive, limit, 0, False

    async def __call__(self) -> Message:
        message = await self.receive()
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message


class _Answer:
    """Passes the answer on, unless the body turned out too long before it began."""

    def __init__(self, send: Send, body: _Body) -> None:
        self.send, self.body, self.started = send, body, False

    async def __call__(self, message: Message) -> None:
        if self.body.exceeded and not self.started:
            return
        self.started = True
        await self.send(message)


def _refusal(scope: Scope) -> JSONResponse | None:
    headers, path = Headers(scope=scope), scope["path"]
    if not OPEN.fullmatch(path):
        return JSONResponse({"error": "This page has no such address."}, 404)
    if scope["method"] not in ("GET", "HEAD", "POST"):
        return JSONResponse({"error": "This page takes GET and POST."}, 405)
    if scope["method"] == "POST" and _foreign(headers):
        return JSONResponse({"error": "Requests from other sites are refused."}, 403)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _limit(path):
        return _too_large(_limit(path))
    return None


def _foreign(headers: Headers) -> bool:
    """Whether a browser says that the request comes from another site than the one it goes to."""
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    hosts = {headers.get("host"), *(part.strip() for part in headers.get("x-forwarded-host", "").split(","))}
    try:
        return (urlsplit(origin).netloc or origin) not in hosts
    except ValueError:
        return True


def _limit(path: str) -> int:
    return {PICTURE_PATH: PICTURE_BYTES, MODEL_PATH: MODEL_BYTES}.get(path, EVENT_BYTES)


def _too_large(limit: int) -> JSONResponse:
    return JSONResponse({"error": f"That is too large; {limit / 1e6:g} MB is the most."}, 413)


def _with_headers(send: Send, more: Mapping[str, str] = MappingProxyType({})) -> Callable[[Message], Awaitable[None]]:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (*HEADERS.items(), *more.items()):
                headers.setdefault(name, value)
        await send(message)

    return answer
