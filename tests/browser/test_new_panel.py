"""A panel that was added by a view, a part's script and one line, in a real browser."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import visiting, wait
from tests.new_panel import copy_with_panel
from tests.serving import serving


def test_a_new_panel_is_painted_and_its_event_begins_a_run(browser: Browser, tmp_path: Path) -> None:
    with serving(root=copy_with_panel(tmp_path)) as server, visiting(browser, server) as open_page:
        page = open_page()
        run = wait(page)
        expect(page.locator(".cc-map-count")).to_have_text("7 maps so far.")
        page.get_by_role("button", name="Explain again").click()
        wait(page, after=run)
