"""Restricts the requests that reach Gradio: known paths, limited bodies, same origin."""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.page.page_address import LOOPBACK
from app.page.request_bodies import LimitedRequestBody, ProxySettings, RefusableResponse, RequestBodyBudget, body_too_large_sentence
from app.service.limits import EVENT_BYTES, MODEL_BYTES, PICTURE_BYTES, REQUESTS_PER_ADDRESS

PICTURE_PATH = "/crosscheck/picture"
MODEL_PATH = "/crosscheck/model"
OPEN = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|health)/?"
    r"|/(assets|static|svelte)/(?!.*\.\.)[\w./-]{1,200}"
    r"|/crosscheck/(picture|model|(preview|icon)\.png|address\.(svg|json)|[0-9a-f]{12}/([a-z]+/)?[a-z0-9_]+\.(js|css))"
    r"|/gradio_api/(startup-events|info|app_id|reset|queue/join|queue/data|heartbeat/[\w-]{1,200})/?"
)
log = logging.getLogger(__name__)
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
    """ASGI middleware. Refused requests never reach Gradio.

    404: a path that the page does not use (uploads to disk, files, proxies, direct calls, monitoring, run history).
    403: a state-changing request from another site, or for another host name where the page serves this machine alone.
    413: a body over the limit, with or without a declared length. 408: one that stalls. 503: one for which there is no room just now,
    or too many requests of one address. 500: what the application did not foresee, in a sentence.
    """

    def __init__(self, app: ASGIApp, host: str = "", link: str = "", proxies: ProxySettings | None = None) -> None:
        """host: the address that the page listens on. link: the Link header of the page, which lists the files to preload."""
        self.app, self.link = app, link
        self.proxies, self.budget = proxies or ProxySettings(), RequestBodyBudget()
        self._requests: Counter[str] = Counter()
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
        refusal = _refusal(scope) or self._check_host(scope)
        if refusal:
            await refusal(scope, receive, _with_headers(send))
            return
        address = self.proxies.address(scope)
        if self._requests[address] >= REQUESTS_PER_ADDRESS:
            await _error(f"{REQUESTS_PER_ADDRESS} requests of yours are under way; wait for them.", 503)(
                scope, receive, _with_headers(send)
            )
            return
        self._requests[address] += 1
        try:
            await self._pass_on({**scope, "client": (address, 0)}, receive, send, address)
        finally:
            self._requests[address] -= 1
            if not self._requests[address]:
                del self._requests[address]

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        path = scope["path"]
        body = LimitedRequestBody(receive, _limit(path), self.budget, address, kept=path != MODEL_PATH)
        guarded = RefusableResponse(_with_headers(send, {"Link": self.link} if self.link and path == "/" else {}), body)
        unforeseen = False
        try:
            await self.app(scope, body, guarded)
        except Exception:  # the application's errors on a truncated body, or did not foresee
            if not body.refusal:
                log.exception("a request to %s failed", path)
                unforeseen = True
        finally:
            body.release()
        if guarded.started:
            return
        if body.refusal:
            await body.refusal(scope, receive, _with_headers(send))
        elif unforeseen:
            await _error("Something went wrong; the server's log says what.", 500)(scope, receive, _with_headers(send))

    def _check_host(self, scope: Scope) -> JSONResponse | None:
        """Refuses a foreign host name that resolves to this machine (DNS rebinding), whose scripts would look like the page's own."""
        try:
            name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
        except ValueError:
            name = None
        if self.names is None or scope["method"] != "POST" or name in self.names:
            return None
        return JSONResponse({"error": "This page serves its own machine alone; open it as http://localhost, or start it with --host."}, 403)


def _refusal(scope: Scope) -> JSONResponse | None:
    headers, path = Headers(scope=scope), scope["path"]
    if not OPEN.fullmatch(path):
        return JSONResponse({"error": "This page has no such address."}, 404)
    if scope["method"] not in ("GET", "HEAD", "POST"):
        return JSONResponse({"error": "This page takes GET and POST."}, 405)
    if scope["method"] == "POST" and _is_cross_site(headers):
        return JSONResponse({"error": "Requests from other sites are refused."}, 403)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _limit(path):
        return _error(body_too_large_sentence(_limit(path)), 413)
    return None


def _is_cross_site(headers: Headers) -> bool:
    """Whether the browser's headers mark the request as cross-site."""
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


def _error(sentence: str, status: int) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)


def _with_headers(send: Send, more: Mapping[str, str] = MappingProxyType({})) -> Callable[[Message], Awaitable[None]]:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (*HEADERS.items(), *more.items()):
                headers.setdefault(name, value)
        await send(message)

    return answer
