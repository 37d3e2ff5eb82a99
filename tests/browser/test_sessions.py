"""Events that come early or late, and a server that has forgotten its visitors: nobody's choice or picture is replaced by another."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from models.sandbox import landlock
from models.store import bundled_models
from tests.browser.conftest import Open, answered, run_of, session, visiting, wait
from tests.browser.test_controls import choose
from tests.browser.test_models import explain
from tests.models import hostile_files
from tests.serving import Server, serving

NAME = "#cc-classifier input"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--allow-model-upload") as server:
        yield server


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    with visiting(browser, server) as open_one:
        yield open_one


class Held:
    """Keeps back the first event of a page, by which it says that it is open."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def prepare(self, page: Page) -> None:
        page.route(re.compile("queue/join"), lambda route: route.continue_() if self.routes else self.routes.append(route))

    def opened(self, page: Page) -> Page:
        """Waits until that event is on its way, which no other can then be mistaken for."""
        page.wait_for_function("() => window.unanswered.size > 0")
        return page

    def release(self, page: Page) -> None:
        """Lets it go, and waits until it is answered."""
        (route,) = self.routes
        assert page.evaluate("window.unanswered.size") > 0
        route.continue_()
        answered(page)


def test_a_classifier_chosen_before_the_page_was_heard_stays(open_page: Open) -> None:
    held = Held()
    page = held.opened(open_page(prepare=held.prepare))
    page.wait_for_selector("#cc-status .cc-status", state="attached")
    choose(page, "cc-classifier", "Glass box")
    expect(page.locator("#cc-about")).to_contain_text("set by hand")
    answered(page, but=1)
    run = wait(page)
    facts = page.locator("#cc-about").text_content()
    assert "10 classes" not in facts
    held.release(page)
    assert (run_of(page), page.locator("#cc-about").text_content()) == (run, facts)
    expect(page.locator(NAME)).to_have_value(re.compile("Glass box"))
    expect(page.locator("#cc-status .cc-error")).to_be_hidden()


@pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")
def test_a_model_brought_before_the_page_was_heard_stays_and_wears_its_own_facts(open_page: Open, tmp_path: Path) -> None:
    held = Held()
    shutil.copy(bundled_models()["glass_box"], tmp_path / "mine.keras")
    page = held.opened(open_page(prepare=held.prepare))
    page.set_input_files("#cc-bring input[type=file]", tmp_path / "mine.keras")
    expect(page.locator(NAME)).to_have_value("mine")
    expect(page.locator("#cc-about")).to_contain_text("No card came with this model")
    held.release(page)
    expect(page.locator(NAME)).to_have_value("mine")
    expect(page.locator("#cc-about")).to_contain_text("No card came with this model")
    explain(page, hostile_files.picture(tmp_path / "noise.png"))
    expect(page.locator(NAME)).to_have_value("mine")
    expect(page.locator("#cc-agreement")).to_contain_text("python -m app library --model FILE --pictures FOLDER")


def test_what_changes_nothing_empties_nothing(open_page: Open) -> None:
    page = open_page()
    run, facts, target = wait(page), page.locator("#cc-about").text_content(), page.locator("#cc-target input").input_value()
    with page.expect_request("**/queue/join*"):
        choose(page, "cc-classifier", "Lesion phantoms")
    answered(page)
    assert (run_of(page), page.locator("#cc-about").text_content(), page.locator("#cc-target input").input_value()) == (run, facts, target)
    assert facts
    assert target


def test_a_restarted_server_says_that_the_session_has_ended_and_replaces_nothing(browser: Browser, tmp_path: Path) -> None:
    page = session(browser, viewport={"width": 1300, "height": 900}).new_page()
    with serving() as first:
        page.goto(first.address)
        wait(page)
        explain(page, hostile_files.picture(tmp_path / "noise.png"))
    picture, maps = page.locator("#cc-verdict .cc-facts").first, page.locator(".cc-map[data-painted]")
    seen, count = picture.text_content(), maps.count()
    assert "noise.png" in seen
    with serving("--port", str(urlsplit(first.address).port)):
        for press in ("#cc-explain", ".cc-bar[aria-pressed=false]"):
            page.locator(press).first.evaluate("(node) => node.click()")
            expect(page.locator("#cc-status .cc-error")).to_have_text("Your session has ended; choose the picture again.")
            page.evaluate("() => new Promise((later) => setTimeout(later, 5000))")  # after the page's own timer, which asks once more
            answered(page)
            assert (picture.text_content(), maps.count()) == (seen, count)
        choose(page, "cc-classifier", "Glass box")
        expect(page.locator(".cc-where")).to_contain_text("Drop a picture")
        expect(page.locator("#cc-status .cc-error")).to_have_text("Your session has ended; choose the picture again.")
        explain(page, hostile_files.picture(tmp_path / "noise.png"))
        expect(page.locator("#cc-status .cc-error")).to_be_hidden()
    page.context.close()
