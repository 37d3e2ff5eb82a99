"""A real server and a real Chromium. Every test fails on a page error, a console error, or a request to another host."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from models.datasets.synthetic.phantoms import NAMES, draw_phantom
from tests.patience import PATIENCE
from tests.serving import Server, serving

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
Open = Callable[..., Page]
Prepare = Callable[[Page], None]
# Keeps a list of what the page asked and has no whole answer to yet, in `unanswered`: events on their way, and those in the queue.
LISTEN = """() => {
    const ask = window.fetch, under_way = new Set(), ended = new Set();
    let streams = 0;
    window.unanswered = under_way;
    const end = (id) => setTimeout(() => { ended.add(id); under_way.delete(id); }, 20);  // the page hears of it before
    // A stream that ends may lose an event, which the page notices after four seconds.
    const lose = (id) => setTimeout(() => streams ? lose(id) : end(id), 6000);
    const listen = async (stream, read = '') => {
        const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
        try {
            for (let part = await reader.read(); !part.done; part = await reader.read()) {
                const lines = (read + part.value).split('\\n');
                read = lines.pop();
                for (const line of lines.filter((line) => line.startsWith('data:'))) {
                    const message = JSON.parse(line.slice(5));
                    if (message.msg === 'process_completed') end(message.event_id);
                }
            }
        } catch { /* the server has gone */ }
        streams -= 1;
        [...under_way].filter((id) => typeof id === 'string').forEach(lose);
    };
    window.fetch = async (...request) => {
        const address = String(request[0]?.url ?? request[0]), joins = address.includes('/queue/join'), own = Symbol();
        if (joins) under_way.add(own);
        try {
            const answer = await ask(...request);
            if (joins && answer.ok) {
                const { event_id } = await answer.clone().json();
                if (!ended.has(event_id)) under_way.add(event_id);
            }
            if (address.includes('/queue/data') && answer.body) {
                streams += 1;
                listen(answer.clone().body);
            }
            return answer;
        } finally {
            under_way.delete(own);
        }
    };
}"""
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a phantom of each class."""
    folder = tmp_path_factory.mktemp("phantoms")
    for number, label in enumerate(NAMES):
        image = draw_phantom(900 + number, label).image
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
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=PATIENCE * 1000)
        yield browser
        browser.close()


def chromium() -> str | None:
    """The path of the Chromium that is installed, if one is."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


def session(browser: Browser, **options: Any) -> BrowserContext:
    """A browser session of its own, which is patient."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(f"({LISTEN})()")
    return context


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens the page as a new visitor: `open_page(width=1300, theme="light")`."""
    with visiting(browser, server) as open_one:
        yield open_one


@contextmanager
def visiting(browser: Browser, server: Server) -> Iterator[Open]:
    """Lets visitors open the page of that server, and complains at the end about whatever went wrong in their browsers."""
    contexts, complaints = [], []

    def open_one(
        width: int = 1300,
        height: int = 900,
        theme: str = "light",
        prepare: Prepare = lambda page: None,
        link: str = "",
        **options: Any,
    ) -> Page:
        context = session(browser, viewport={"width": width, "height": height}, permissions=["camera"], **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("console", lambda message: complaints.append(f"console: {message.text}") if message.type == "error" else None)
        page.on("request", lambda request: complaints.append(f"outside: {request.url}") if foreign(request.url, server) else None)
        page.on("response", lambda answer: complaints.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
        prepare(page)
        page.goto(f"{server.address}/?__theme={theme}{link}")
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
            const painted = document.querySelectorAll('.cc-tiles .cc-map[data-painted]').length;
            return state !== 'done' || (+grid.dataset.maps > 0 && painted >= +grid.dataset.maps);
        }""",
        arg=[state, after],
    )
    return run_of(page)


def answered(page: Page, but: int = 0) -> None:
    """Until all that the page has asked is answered to the end, but for so many events, and shows."""
    page.wait_for_function("(but) => window.unanswered.size <= but", arg=but)
    page.evaluate("() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(() => shown())))")


def run_of(page: Page) -> int:
    return int(page.locator("#cc-status [data-run]").get_attribute("data-run") or 0)


def pixels(page: Page, method: str) -> str:
    """A map's canvas as it is painted."""
    return str(page.evaluate("(method) => document.querySelector(`[data-method=${method}] canvas`).toDataURL()", method))


def open_settings(page: Page) -> None:
    """Opens the drawer of settings."""
    page.click("#cc-settings-button")
    expect(page.locator("#cc-drawer")).to_be_visible()


def open_question(page: Page, name: str) -> None:
    """Unfolds what the answer to a question below the maps rests on."""
    question = page.locator(f"[data-tab={name}]")
    if question.get_attribute("aria-expanded") != "true":
        question.click()
    expect(question).to_have_attribute("aria-expanded", "true")


def show_expert(page: Page) -> None:
    """All numbers and costs."""
    page.click("[data-level=expert]")
