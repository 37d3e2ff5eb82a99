"""The page's address for others: on the terminal, as JSON and as a QR code."""

import io
import json
import socket
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from app.page.page_address import network_address, page_address_for_others, page_address_of_request, qr_code_svg, qr_code_text
from tests.serving import serving


def scope(host: str, scheme: str = "http", **headers: str) -> dict[str, object]:
    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"type": "http", "scheme": scheme, "headers": [(name.encode(), value.encode()) for name, value in given.items()]}


def test_the_visited_address_is_that_of_the_request() -> None:
    assert page_address_of_request(scope("10.0.0.2:7860")) == "http://10.0.0.2:7860"
    assert page_address_of_request(scope("[2001:db8::2]:7860", "https")) == "https://[2001:db8::2]:7860"
    assert page_address_of_request(scope("a.hf.space", x_forwarded_proto="https")) == "https://a.hf.space"
    assert page_address_of_request(scope("inner", x_forwarded_host="evil.example")) == "http://inner"
    assert page_address_of_request(scope("inner", x_forwarded_host="school.example, inner"), behind_proxy=True) == "http://school.example"


@pytest.mark.parametrize("host", ["", 'a"><script>', "a b", "a/b", "user@host", "a" * 300, "a:999999"])
def test_what_is_no_host_is_no_address(host: str) -> None:
    assert page_address_of_request(scope(host)) == ""


def test_a_loopback_address_is_given_to_nobody() -> None:
    assert page_address_for_others("http://127.0.0.1:7860", "http://192.168.1.5:7860") == "http://192.168.1.5:7860"
    assert page_address_for_others("http://localhost:7860", "") == ""
    assert page_address_for_others("https://school.example", "http://192.168.1.5:7860") == "https://school.example"


def test_only_a_server_that_listens_to_others_has_a_network_address() -> None:
    assert network_address("127.0.0.1", 1) == network_address("localhost", 1) == ""
    assert network_address("192.168.1.5", 80) == "http://192.168.1.5:80"
    found = network_address("0.0.0.0", 7860)
    own = {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)}
    assert not found or found.removeprefix("http://").rpartition(":")[0].strip("[]") in own | {found.split("/")[2].rpartition(":")[0]}
    assert "127.0.0.1" not in found


def svg_modules(svg: bytes) -> np.ndarray:
    """(n, n) uint8, 0 dark and 255 light, from the horizontal strokes of the document's path."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["width"]) // 8
    pixels = np.full((side, side), 255, np.uint8)
    path = next(element.attrib["d"] for element in root.iter() if element.attrib.get("class") == "qrline")
    x = y = 0.0
    position = path.replace("M", "|M").replace("m", "|m").replace("h", "|h").split("|")[1:]
    for step in position:
        values = [float(number) for number in step[1:].replace("-", " -").split()]
        if step[0] == "M":
            x, y = values
        elif step[0] == "m":
            x, y = x + values[0], y + values[1]
        else:
            pixels[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
    return pixels


def test_the_qr_code_says_the_address() -> None:
    address = "http://192.168.100.200:7860"
    svg = qr_code_svg(address)
    pixels = cv2.resize(svg_modules(svg), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    assert cv2.QRCodeDetector().detectAndDecode(pixels)[0] == address
    assert ElementTree.fromstring(svg).find("{http://www.w3.org/2000/svg}title").text == address  # type: ignore[union-attr]


def test_the_terminals_qr_code_says_it_too() -> None:
    address = "http://192.168.100.200:7860"
    lines = qr_code_text(address).splitlines()
    rows = []
    for line in lines:
        rows.append([letter in "█▀" for letter in line])
        rows.append([letter in "█▄" for letter in line])
    light = np.array(rows, np.uint8) * 255
    light = np.pad(light, 4, constant_values=255)
    assert cv2.QRCodeDetector().detectAndDecode(cv2.resize(light, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST))[0] == address


def test_the_server_says_how_others_reach_it() -> None:
    with serving("--host", "0.0.0.0", "--no-download") as server:
        port = server.address.rpartition(":")[2]
        expected = network_address("0.0.0.0", int(port))
        status, headers, body = server.ask("GET", "/crosscheck/address.json", headers={"Host": f"school.lan:{port}"})
        assert (status, json.loads(body)) == (200, {"address": f"http://school.lan:{port}"})
        assert headers["cache-control"] == "no-store"
        answer = server.ask("GET", "/crosscheck/address.json")
        assert answer[0] == (200 if expected else 404)
        status, headers, svg = server.ask("GET", "/crosscheck/address.svg", headers={"Host": f"school.lan:{port}"})
        assert (status, headers["content-type"]) == (200, "image/svg+xml")
        assert ElementTree.parse(io.BytesIO(svg)).getroot().tag.endswith("svg")
        assert server.ask("GET", "/crosscheck/address.exe")[0] == 404
        server.process.terminate()
        server.process.wait()
    log = "".join(server.log)
    assert (f"On this network it is at {expected}\n" in log) == bool(expected)
    assert "█" not in log, "a QR code is for a terminal, not for a log"
