"""The page's address names the answer: Reload and Back bring it back, and a link to what is not here opens the page with a sentence."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, answered, run_of, wait
from tests.browser.test_controls import choose


def names(page: Page) -> str:
    """The file name of the example that is explained, and the class."""
    chosen = page.locator(".cc-examples .cc-thumb[aria-pressed=true]").get_attribute("data-example")
    return f"{chosen} {page.locator('#cc-target input').input_value()}"


def test_reload_and_back_keep_the_picture_and_the_class(page: Page) -> None:
    run = run_of(page)
    page.locator("[data-example='dots.png']").click()
    run = wait(page, after=run)
    choose(page, "cc-target", "streaks")
    run = wait(page, after=run)
    answered(page)
    assert names(page) == "dots.png streaks"
    assert "session" not in page.url
    page.reload()
    expect(page.locator("#cc-target input")).to_have_value("streaks")
    wait(page)
    assert names(page) == "dots.png streaks"
    page.locator("[data-example='plain.png']").click()
    expect(page.locator("#cc-says h2")).to_contain_text("plain")
    answered(page)
    page.go_back()
    expect(page.locator("#cc-target input")).to_have_value("streaks")
    answered(page)
    assert names(page) == "dots.png streaks"


def test_a_link_to_what_is_not_here_opens_the_page_with_a_sentence(open_page: Open) -> None:
    for link, words in (
        ("#model=elsewhere&example=a.png", "names the classifier 'elsewhere', which is not here"),
        ("#model=phantoms&example=gone.png", "names the example 'gone.png', which is not here"),
        ("#model=phantoms&picture=mine.png", "Your picture 'mine.png' is no longer on the server; add it again."),
        ("#model=phantoms&example=dots.png&class=99", "has no class number 99"),
    ):
        page = open_page(link=link)
        expect(page.locator("#cc-status .cc-error")).to_contain_text(words)
        if "class=" not in link:
            expect(page.locator("#cc-grid [data-maps]")).not_to_have_attribute("data-maps", "0")
        answered(page)
