"""The button that deletes what a visitor has brought."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import open_settings, run_of, wait


def test_the_button_deletes_the_picture_and_the_page_begins_again(page: Page, phantoms: Path) -> None:
    run = run_of(page)
    page.set_input_files("#cc-picture input[type=file]", phantoms / "streaks.png")
    wait(page, after=run)
    expect(page.locator("#cc-verdict .cc-facts").first).to_contain_text("streaks")
    open_settings(page)
    page.click("#cc-forget [data-part=forget]")
    expect(page.locator("#cc-forget [role=status]")).to_contain_text("Deleted")
    expect(page.locator("#cc-prediction .cc-bar")).to_have_count(0)
    expect(page.locator("#cc-verdict .cc-photo")).to_be_hidden()
    run = run_of(page)
    page.set_input_files("#cc-picture input[type=file]", phantoms / "dots.png")
    wait(page, after=run)
    expect(page.locator("#cc-says h2")).to_contain_text("dots")
