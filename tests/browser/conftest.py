"""A real server and a real Chromium. Every test fails on a page error, a console error, or a request to another host."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from models.datasets.synthetic.phantoms import NAMES, phantom
from tests.serving import Server, serving

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
Open = Callable[..., Page]
Prepare = Callable[[Page], None]
expect.set_options(timeout=30_000)  # a busy machine needs longer than the usual five seconds


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a phantom of each class."""
    folder = tmp_path_factory.mktemp("phantoms")
    for number, label in enumerate(NAMES):
        image = phantom(900 + number, label).image
        cv2.imwrite(str(folder / f"{label.replace(' ', '_')}.png"), np.round(image[..., ::-1] * 255).astype(np.uint8))
    return folder


@pytest.fixture(scope="session")
def server(phantoms: Path) -> Iterator[Server]:
    with serving("--examples", str(phantoms)) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed; `make test` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def chromium() -> str | None:
    """The path of the Chromium that is installed, if one is."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens the page as a new visitor: `open_page(width=1300, theme="light")`."""
    with visiting(browser, server) as open_one:
        yield open_one


@contextmanager
def visiting(browser: Browser, server: Server) -> Iterator[Open]:
    """Lets visitors open the page of that server, and complains at the end about whatever went wrong in their browsers."""
    contexts, complaints = [], []

    def open_one(width: int = 1300, height: int = 900, theme: str = "light", prepare: Prepare = lambda page: None, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, permissions=["camera"], **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda message: complaints.append(f"console: {message.text}") if message.type == "error" else None)
        page.on("request", lambda request: complaints.append(f"outside: {request.url}") if foreign(request.url, server) else None)
        page.on("response", lambda answer: complaints.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
        prepare(page)
        page.goto(f"{server.address}/?__theme={theme}")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def page(open_page: Open) -> Page:
    """The page, its first picture explained."""
    page = open_page()
    wait(page)
    return page


def foreign(url: str, server: Server) -> bool:
    return not url.startswith((server.address, "data:", "blob:"))


def wait(page: Page, state: str = "done", after: int = 0) -> int:
    """Until a run newer than `after` is in that state and its maps are on the canvases; gives the run's number."""
    page.wait_for_function(
        """([state, after]) => {
            const status = document.querySelector('#cc-status [data-state]'), grid = document.querySelector('#cc-grid [data-run]');
            if (!status || !grid || status.dataset.state !== state || +status.dataset.run <= after) return false;
            const painted = document.querySelectorAll('.cc-map[data-painted]').length;
            return state !== 'done' || (+grid.dataset.maps > 0 && painted >= +grid.dataset.maps);
        }""",
        arg=[state, after],
        timeout=120_000,
    )
    return run_of(page)


def run_of(page: Page) -> int:
    return int(page.locator("#cc-status [data-run]").get_attribute("data-run") or 0)


def pixels(page: Page, method: str) -> str:
    """A map's canvas as it is painted."""
    return str(page.evaluate("(method) => document.querySelector(`[data-method=${method}] canvas`).toDataURL()", method))
