"""Request bodies under way: each limited, all of them within one budget, none for ever."""

import asyncio
import ipaddress
import time
from collections import Counter
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from app.service import limits


@dataclass(frozen=True)
class ProxySettings:
    """The proxies in front of the server. count: how many, each of which appends the address that it was called from to `header`."""

    count: int = 0
    header: str = "X-Forwarded-For"

    def address(self, scope: Scope) -> str:
        """The visitor's address; an IPv6 address stands for its /64 network, which one household or machine owns.

        The entries further left than the proxies' own can be invented by the visitor and are never read. Where there are fewer entries
        than proxies the request came around them, and counts as its direct sender's.
        """
        client = scope.get("client")
        direct = str(client[0]) if client else ""
        if self.count:
            values = Headers(scope=scope).getlist(self.header)
            entries = [entry.strip() for value in values for entry in value.split(",")]
            if len(entries) >= self.count:
                return client_network(entries[-self.count]) or client_network(direct)
        return client_network(direct)


def client_network(address: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address; empty for what is neither."""
    try:
        found = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))
    return str(found)


class RequestBodyBudget:
    """Counts the bytes of all bodies that are held in memory, and of each address. For one event loop, so it needs no lock."""

    def __init__(self, total: int = limits.BODY_BYTES, per_address: int = limits.BODY_BYTES_PER_ADDRESS) -> None:
        self._total, self._per_address = total, per_address
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Bytes."""
        return self._held.total()

    def take(self, address: str, size: int) -> bool:
        """Whether there is room for that many bytes more."""
        if self.held + size > self._total or self._held[address] + size > self._per_address:
            return False
        self._held[address] += size
        return True

    def give_back(self, address: str, size: int) -> None:
        """What was taken is no longer held."""
        self._held[address] -= size
        if not self._held[address]:
            del self._held[address]


class LimitedRequestBody:
    """Passes a body on until it is too long, stalls, or finds no room; then says that the visitor has gone. `refusal`: the answer then.

    limit: bytes. kept: whether the application holds the whole body in memory; of one that is written away only the newest part counts.
    """

    def __init__(self, receive: Receive, limit: int, budget: RequestBodyBudget, address: str, kept: bool = True) -> None:
        self.refusal: JSONResponse | None = None
        self._receive, self._limit, self._budget, self._address, self._kept = receive, limit, budget, address, kept
        self._size = self._held = 0
        self._complete = False
        self._deadline = time.monotonic() + limits.BODY_SECONDS

    async def __call__(self) -> Message:
        if self.refusal:
            return {"type": "http.disconnect"}
        if self._complete:  # what follows is the visitor's leaving, which may take as long as it likes
            return await self._receive()
        try:
            wait = min(limits.BODY_IDLE_SECONDS, self._deadline - time.monotonic())
            message = await asyncio.wait_for(self._receive(), wait)
        except TimeoutError:
            return self._refuse("The upload stalled and was ended; check the connection and send it again.", 408)
        if message["type"] != "http.request":
            self._complete = True
            return message
        self._complete = not message.get("more_body", False)
        size = len(message.get("body", b""))
        self._size += size
        if self._size > self._limit:
            return self._refuse(body_too_large_sentence(self._limit), 413)
        if not self._kept:
            self.release()
        if not self._budget.take(self._address, size):
            return self._refuse("Many uploads are under way just now; send it again in a minute.", 503)
        self._held += size
        return message

    def release(self) -> None:
        """The application has let go of what arrived."""
        self._budget.give_back(self._address, self._held)
        self._held = 0

    def _refuse(self, sentence: str, status: int) -> Message:
        self.release()
        headers = {"Connection": "close", **({"Retry-After": "60"} if status == 503 else {})}
        self.refusal = JSONResponse({"error": sentence}, status, headers)
        return {"type": "http.disconnect"}


class RefusableResponse:
    """Passes the answer on, unless the body was refused before it began."""

    def __init__(self, send: Send, body: LimitedRequestBody) -> None:
        self.send, self.body, self.started = send, body, False

    async def __call__(self, message: Message) -> None:
        if self.body.refusal and not self.started:
            return
        self.started = True
        await self.send(message)


def body_too_large_sentence(limit: int) -> str:
    """The sentence for a body of more bytes."""
    return f"That is too large; {limit / 1e6:g} MB is the most."
