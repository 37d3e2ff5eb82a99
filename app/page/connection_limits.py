"""Connections: how many there may be, from one address too, and how long one may stay without a request."""

from asyncio import Transport
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from app.page.request_bodies import client_network
from app.service import limits


def connection_limiting_protocol(
    count_addresses: bool, total: int = limits.CONNECTIONS, per_address: int = limits.CONNECTIONS_PER_ADDRESS
) -> type:
    """uvicorn's protocol with these limits. count_addresses: off behind a proxy, whose own address all connections have."""
    open_connections: Counter[str] = Counter()

    class LimitedProtocol(H11Protocol):
        """A connection beyond the limits is closed at once; nothing has been read of it."""

        _address: str | None = None
        _head_timer: Any = None

        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            address = client_network(self.client[0]) if self.client else ""
            if open_connections.total() >= total or (count_addresses and open_connections[address] >= per_address):
                transport.abort()
                return
            self._address = address
            open_connections[address] += 1
            self._head_timer = self.loop.call_later(limits.HEAD_SECONDS, self._close_without_request)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._address is not None:
                open_connections[self._address] -= 1
                if not open_connections[self._address]:
                    del open_connections[self._address]
                self._address = None
            if self._head_timer:
                self._head_timer.cancel()
            super().connection_lost(exc)

        def _close_without_request(self) -> None:
            """Nobody has sent a whole head of a request since the connection, or since the answer before."""
            if self.cycle is None or (self.cycle.response_complete and self._has_begun_another()):
                self.transport.abort()
            else:
                self._head_timer = self.loop.call_later(limits.HEAD_SECONDS, self._close_without_request)

        def _has_begun_another(self) -> bool:
            return bool(self.conn.trailing_data[0])

    return LimitedProtocol
