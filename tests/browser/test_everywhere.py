"""Light and dark, every size of screen, contrast, names for those who do not see, reduced motion."""

import re

import pytest
from playwright.sync_api import expect

from app.page.assets import load_static_files
from tests.browser.conftest import Open, wait

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
    page.click(".cc-more summary")
    assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
    assert page.evaluate(CONTRAST) == []
    page.click("[data-method=Occlusion] [aria-label='About Occlusion']")
    assert page.evaluate(CONTRAST) == []


def test_the_theme_changes_by_its_button(open_page: Open) -> None:
    page = open_page(theme="light")
    wait(page)
    page.click("#cc-theme")
    assert page.evaluate("document.body.classList.contains('dark')")
    page.reload()
    wait(page)
    expect(page.locator("#cc-theme")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.body.classList.contains('dark') && getComputedStyle(document.documentElement).colorScheme === 'dark'")


@pytest.mark.parametrize("width", [360, 768, 1300, 1920])
def test_nothing_scrolls_sideways(open_page: Open, width: int) -> None:
    page = open_page(width=width, height=800)
    wait(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("[data-method=Occlusion] [aria-label='Enlarge Occlusion']")
    box = page.locator("dialog").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.keyboard.press("Escape")
    columns = page.evaluate("getComputedStyle(document.querySelector('.cc-grid')).gridTemplateColumns.split(' ').length")
    assert columns >= (2 if width < 500 else 3)


def test_the_first_row_of_maps_and_what_begins_it_are_in_view(open_page: Open) -> None:
    page = open_page(width=1300, height=900)
    wait(page)
    bottoms = page.evaluate("['#cc-explain', '.cc-panel'].map((part) => document.querySelector(part).getBoundingClientRect().bottom)")
    assert max(bottoms) <= 900


def test_a_finished_bar_is_full_and_stop_is_offered_only_while_something_runs(open_page: Open) -> None:
    page = open_page()
    run = wait(page)
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
    expect(page.locator(".cc-swipe")).to_be_visible()
    expect(page.locator("#cc-methods")).to_be_hidden()
    page.click(".cc-unfold")
    expect(page.locator("#cc-methods")).to_be_visible()
    head, box = page.locator(".cc-matrix tbody th").first, page.locator(".cc-scroll:has(.cc-matrix)")
    box.evaluate("(node) => { node.scrollLeft = 80; }")
    left, edge = (part.evaluate("(node) => node.getBoundingClientRect().left") for part in (head, box))
    assert left >= edge, "the methods' names stay while the table scrolls"
    assert page.evaluate("[...document.querySelectorAll('.cc-family, .cc-panel h3')].every((n) => n.scrollWidth <= n.clientWidth)")


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
        "performance.getEntriesByType('resource').filter((e) => e.name.includes('crosscheck/')).map((e) => [e.name, e.encodedBodySize])"
    )
    assert len(files) == len({name for name, _ in files}) == len(load_static_files()), "each file travels, once"
    assert sum(size for _, size in files) < 60_000
