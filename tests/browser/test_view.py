"""How maps are looked at: nothing here may ask the server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.browser.conftest import open_question, pixels


@contextmanager
def no_request(page: Page) -> Iterator[None]:
    asked: list[str] = []
    note = lambda request: asked.append(request.url) if not request.url.startswith(("data:", "blob:")) else None  # noqa: E731
    page.on("request", note)
    yield
    page.evaluate("() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(() => painted())))")
    page.evaluate("() => fetch('/health?last')")  # comes after whatever the page asked by itself
    page.remove_listener("request", note)
    assert [url.rpartition("/")[2] for url in asked if "heartbeat" not in url] == ["health?last"]


def repainted(page: Page, step: Callable[[], object]) -> None:
    """Does something that changes the view and waits until the maps are painted as it is now, not as some earlier change left it."""
    before = page.evaluate("document.documentElement.dataset.view ?? null")
    step()
    page.wait_for_function(
        """(before) => {
            const now = document.documentElement.dataset.view ?? null;
            return now !== before && document.documentElement.dataset.viewPainted === now;
        }""",
        arg=before,
    )


def choose_colours(page: Page, control: str, name: str) -> None:
    """A choice of colours stands in the menu, which closes when anything else is pressed."""
    page.click(".cc-menu summary")
    page.locator(f"#{control}").select_option(name)


def test_mode_opacity_threshold_and_colours_repaint_without_a_request(page: Page) -> None:
    seen = {pixels(page, "GradCAM")}
    with no_request(page):
        for step in (
            lambda: page.click("[data-mode=heat]"),
            lambda: page.click("[data-mode=spotlight]"),
            lambda: page.click("[data-mode=overlay]"),
            lambda: page.locator("#cc-strongest").fill("5"),
            lambda: choose_colours(page, "cc-colours", "viridis"),
            lambda: page.locator("#cc-opacity").fill("35"),
        ):
            repainted(page, step)
            seen.add(pixels(page, "GradCAM"))
    assert len(seen) == 6, "overlay looks as at first when it is chosen again; every other step changes the canvas"


def test_signed_maps_have_their_own_colours(page: Page) -> None:
    plain, signed = pixels(page, "GradCAM"), pixels(page, "SHAP")
    with no_request(page):
        repainted(page, lambda: choose_colours(page, "cc-signed", "PuOr_r"))
    assert pixels(page, "GradCAM") == plain
    assert pixels(page, "SHAP") != signed


def test_the_strongest_fifth_covers_a_fifth_of_the_area(page: Page) -> None:
    repainted(page, lambda: page.click("[data-mode=heat]"))
    repainted(page, lambda: page.locator("#cc-strongest").fill("20"))
    share = page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-method=GradCAM] canvas');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let shown = 0;
            for (let i = 3; i < data.length; i += 4) shown += data[i] > 0;
            return shown / (data.length / 4);
        }"""
    )
    assert 0.17 < share < 0.23


def test_one_crosshair_reads_every_map(page: Page) -> None:
    with no_request(page):
        page.hover("[data-method=GradCAM] .cc-map", position={"x": 100, "y": 90})
        for panel in page.locator(".cc-panel:not([data-method=Votes]):has(.cc-map[data-painted])").all():
            expect(panel.locator(".cc-reading")).to_contain_text("%")
            expect(panel.locator(".cc-down")).to_be_visible()


def test_the_keyboard_moves_shows_enlarges_and_returns(page: Page) -> None:
    stage = page.locator("[data-method=GradCAM] .cc-map")
    stage.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-method=SHAP] .cc-down")).to_be_visible()
    first = page.locator("[data-method=SHAP] .cc-down").evaluate("(line) => line.style.left")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("[data-method=SHAP] .cc-down").evaluate("(line) => line.style.left") != first
    page.keyboard.down(" ")
    expect(stage.locator("canvas")).to_be_hidden()
    page.keyboard.up(" ")
    expect(stage.locator("canvas")).to_be_visible()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[data-dialog=larger]")
    expect(dialog).to_contain_text("the strongest tenth of the picture")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(stage).to_be_focused()


def test_two_maps_are_compared_under_a_slider(page: Page) -> None:
    with no_request(page):
        page.click("[data-part=compare]")
        dialog = page.locator("dialog[data-dialog=compare]")
        over = dialog.locator(".cc-over")
        before = over.evaluate("(node) => node.style.clipPath")
        page.keyboard.press("ArrowRight")
        assert over.evaluate("(node) => node.style.clipPath") != before
        dialog.locator("select").first.select_option("SHAP")
        page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_pair_is_described_in_words_and_opens_its_comparison(page: Page) -> None:
    open_question(page, "agreement")
    cell = page.locator(".cc-matrix td button:not(:disabled)").first
    cell.hover()
    expect(page.locator(".cc-pair")).to_contain_text(" and ")
    expect(page.locator(".cc-panel[data-marked]")).to_have_count(2)
    cell.click()
    expect(page.locator("dialog[data-dialog=compare]")).to_be_visible()


def test_the_picture_can_be_shown_as_the_classifier_gets_it(page: Page) -> None:
    page.click(".cc-menu summary")
    photo = page.locator("[data-method=GradCAM] img.cc-photo")
    before = photo.get_attribute("src")
    with no_request(page):
        page.check("#cc-seen")
        expect(photo).to_have_attribute("data-pixels", "yes")
    assert photo.get_attribute("src") != before
