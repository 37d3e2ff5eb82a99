"""Light and dark, every size of screen, contrast, names for those who do not see, reduced motion."""

import re

import pytest
from playwright.sync_api import expect

from app.page.assets import load_static_files
from tests.browser.conftest import Open, open_question, open_settings, show_expert, wait

CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const parse = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
    const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => { const layers = [];
        for (let n = node; n; n = n.parentElement) {
            const c = parse(getComputedStyle(n).backgroundColor); if (c[3] > 0) layers.push(c); if (c[3] === 1) break; }
        return layers.reverse().reduce((under, c) => under.map((v, i) => v * (1 - c[3]) + c[i] * c[3]), [255, 255, 255]); };
    const poor = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
        if (!text || ['SCRIPT', 'STYLE', 'OPTION'].includes(node.tagName) || node.closest('.cc-map, [hidden], .cc-hidden')) continue;
        if (!node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
        const style = getComputedStyle(node), under = ground(node), ink = parse(style.color);
        const over = under.map((v, i) => v * (1 - ink[3]) + ink[i] * ink[3]);
        const [a, b] = [light(over), light(under)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
        if (ratio < (large ? 3 : 4.5)) poor.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)} (${style.color} on ${under.map(Math.round)})`);
    }
    return poor;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(open_page: Open, theme: str) -> None:
    page = open_page(theme=theme)
    wait(page)
    page.click(".cc-menu summary")
    open_question(page, "agreement")
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
    assert page.evaluate(CONTRAST) == []
    page.click("[data-method=Occlusion] [aria-label^='About Occlusion']")
    assert page.evaluate(CONTRAST) == []


def test_the_theme_changes_by_its_button(open_page: Open) -> None:
    page = open_page(theme="light")
    wait(page)
    for theme in ("light", "dark"):
        page.click("#cc-theme")
        expect(page.locator("#cc-theme")).to_have_attribute("data-theme", theme)
    assert page.evaluate("document.body.classList.contains('dark')")
    page.reload()
    wait(page)
    expect(page.locator("#cc-theme")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("document.body.classList.contains('dark') && getComputedStyle(document.documentElement).colorScheme === 'dark'")


@pytest.mark.parametrize("width", [360, 768, 1300, 1920])
def test_nothing_scrolls_sideways(open_page: Open, width: int) -> None:
    page = open_page(width=width, height=800)
    wait(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("[data-method=Occlusion] [aria-label^='Enlarge Occlusion']")
    box = page.locator("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    style = page.evaluate(
        "(({ display, gridTemplateColumns }) => [display, gridTemplateColumns])(getComputedStyle(document.querySelector('.cc-grid')))"
    )
    assert style[0] == ("flex" if width < 700 else "grid"), "a phone swipes through the maps"
    assert width < 700 or len(style[1].split(" ")) >= 3


@pytest.mark.parametrize(("width", "height", "least"), [(1440, 900, 200), (1280, 720, 170)])
def test_the_answer_and_every_map_are_large_enough_and_the_first_screen_holds_them(
    open_page: Open, width: int, height: int, least: int
) -> None:
    page = open_page(width=width, height=height)
    wait(page)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.cc-panel .cc-map')].filter((n) => n.checkVisibility()).map((n) => n.clientWidth)"
    )
    assert min(sizes) >= least
    if height == 900:
        bottoms = page.evaluate(
            "[...document.querySelectorAll('.cc-panel .cc-map, .cc-question')].map((n) => n.getBoundingClientRect().bottom)"
        )
        assert max(bottoms) <= height


def test_the_first_map_is_reached_within_14_tabs(open_page: Open) -> None:
    page = open_page(width=1440, height=900)
    wait(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.locator(".cc-skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(14):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cc-map')"):
            return
    raise AssertionError("14 tabs from the skip link reach no map")


def test_a_finished_bar_is_full_and_stop_is_offered_only_while_something_runs(open_page: Open) -> None:
    page = open_page()
    run = wait(page)
    show_expert(page)
    expect(page.locator("#cc-stop")).to_be_hidden()
    page.locator("[data-example='dots.png']").click()
    wait(page, after=run)
    expect(page.locator(".cc-progress")).to_have_attribute("aria-valuenow", "100")
    page.wait_for_function(
        "document.querySelector('.cc-progress').offsetWidth === document.querySelector('.cc-progress .cc-fill').offsetWidth"
    )


def test_a_small_screen_keeps_legends_and_says_that_the_table_scrolls(open_page: Open) -> None:
    page = open_page(width=360, height=800)
    wait(page)
    expect(page.locator(".cc-legend").first).to_be_visible()
    open_question(page, "agreement")
    expect(page.locator(".cc-swipe")).to_be_visible()
    expect(page.locator("#cc-methods")).to_be_hidden()
    open_settings(page)
    expect(page.locator("#cc-methods")).to_be_visible()
    page.keyboard.press("Escape")
    head, box = page.locator(".cc-matrix tbody th").first, page.locator(".cc-scroll:has(.cc-matrix)")
    box.evaluate("(node) => { node.scrollLeft = 80; }")
    left, edge = (part.evaluate("(node) => node.getBoundingClientRect().left") for part in (head, box))
    assert left >= edge, "the methods' names stay while the table scrolls"


def test_everything_has_a_name_and_maps_are_described_in_words(open_page: Open) -> None:
    page = open_page(width=1300)
    wait(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a[href], [role=img], [role=progressbar], [tabindex="0"]')]
            .filter((n) => n.checkVisibility() && !n.closest('[hidden]'))
            .filter((n) => !(n.getAttribute('aria-label') || n.getAttribute('aria-labelledby')))
            .filter((n) => !(n.textContent.trim() || n.title || n.labels?.length || n.alt))
            .map((n) => n.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    expect(page.locator("[data-method=GradCAM] .cc-map")).to_have_attribute(
        "aria-label", re.compile("evidence for the class is (strongest|scattered)")
    )
    ids = page.evaluate("[...document.querySelectorAll('[id^=cc-]')].map((n) => n.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") != ""


def test_reduced_motion_is_respected(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    wait(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.cc-bar .cc-fill')).transitionProperty") in ("none", "all")
    assert page.evaluate("getComputedStyle(document.querySelector('.cc-bar .cc-fill')).transitionDuration") == "0s"


def test_the_page_is_light_and_asks_little(open_page: Open) -> None:
    page = open_page()
    wait(page)
    files = page.evaluate(
        """() => performance.getEntriesByType('resource').filter((entry) => /crosscheck\\/[0-9a-f]{12}\\//.test(entry.name))
            .map((entry) => [entry.name, entry.encodedBodySize])"""
    )
    assert len(files) == len({name for name, _ in files}) == len(load_static_files()), "each file travels, once"
    assert sum(size for _, size in files) < 90_000
