"""The page's address: as a visitor has reached it, on the local network, and as a QR code."""

import io
import re
import socket
from urllib.parse import urlsplit

import segno
from starlette.datastructures import Headers
from starlette.types import Scope

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")
"""What a server listens on that others may reach."""
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_NOWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Addresses reserved for documentation: a datagram socket that is connected to one picks a local address, and sends nothing."""


def network_address(host: str, port: int) -> str:
    """The page's address for others on the local network, where it listens on `host`; empty where they cannot reach it or none is known.

    A container knows only its own network's address.
    """
    if host not in EVERYWHERE:
        return "" if host in LOOPBACK or host.startswith("127.") else f"http://{_bracketed(host)}:{port}"
    for target, family in _NOWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))
                found = str(probe.getsockname()[0])
        except OSError:
            continue
        if found not in (*LOOPBACK, *EVERYWHERE) and not found.startswith("127."):
            return f"http://{_bracketed(found)}:{port}"
    return ""


def page_address_of_request(scope: Scope, behind_proxy: bool = False) -> str:
    """The address by which this request's visitor has reached the page, without a slash at its end; empty where its headers are no address.

    behind_proxy: whether a proxy stands in front of the server, whose X-Forwarded-Host is believed.
    """
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if behind_proxy and (forwarded := headers.get("x-forwarded-host")):
        host = forwarded.split(",")[0].strip()
    if not _HOST.fullmatch(host):
        return ""
    secure = scope.get("scheme") == "https" or headers.get("x-forwarded-proto", "").split(",")[0].strip() == "https"
    return f"{'https' if secure else 'http'}://{host}{scope.get('root_path', '')}"


def page_address_for_others(visited: str, network: str) -> str:
    """The address to give to others: the visitor's own, or the network's where that one means only this machine; empty for none."""
    host = urlsplit(visited).hostname or ""
    return network if host in LOOPBACK or host.startswith("127.") or not visited else visited


def qr_code_svg(address: str) -> bytes:
    """An SVG document, black on white with a margin, whose title is the address."""
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="svg", scale=8, border=4, light="white", title=address, desc="QR code")
    return file.getvalue()


def qr_code_text(address: str) -> str:
    """For a terminal: two modules per character."""
    file = io.StringIO()
    segno.make(address, error="l", micro=False).terminal(file, border=2, compact=True)
    return file.getvalue()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
