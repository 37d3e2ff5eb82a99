"""Every way in which a picture reaches the page, and what is said when it is none."""

import base64
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, open_settings, pixels, run_of, wait


def test_the_first_paint_shows_maps_bars_and_agreement(page: Page) -> None:
    assert page.locator(".cc-panel").count() >= 7
    expect(page.locator("#cc-prediction .cc-bar")).to_have_count(4)
    expect(page.locator("#cc-says h2")).to_contain_text("It says")
    assert int(page.locator("#cc-agreement [data-pairs]").get_attribute("data-pairs") or 0) > 0
    expect(page.locator("#cc-warning")).to_contain_text("not a medical device")


def test_an_uploaded_picture_is_explained_at_once(page: Page, phantoms: Path) -> None:
    before, run = pixels(page, "GradCAM"), run_of(page)
    page.set_input_files("#cc-picture input[type=file]", phantoms / "streaks.png")
    wait(page, after=run)
    expect(page.locator("#cc-says h2")).to_contain_text("streaks")
    assert pixels(page, "GradCAM") != before


def test_a_file_that_is_no_picture_is_refused_at_the_picture(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_text("<!doctype html><script>alert(1)</script>")
    page.set_input_files("#cc-picture input[type=file]", tmp_path / "page.png")
    expect(page.locator("#cc-verdict .cc-error")).to_contain_text("is a web page, not a picture")


def test_a_pasted_and_a_dropped_picture_are_explained(page: Page, phantoms: Path) -> None:
    for kind, name in (("paste", "dots"), ("drop", "plain")):
        run, data = run_of(page), base64.b64encode((phantoms / f"{name}.png").read_bytes()).decode()
        page.evaluate(
            """([kind, data]) => {
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), files = new DataTransfer();
                files.items.add(new File([bytes], 'x.png', { type: 'image/png' }));
                const event = kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: files, bubbles: true })
                    : new DragEvent('drop', { dataTransfer: files, bubbles: true });
                document.querySelector(kind === 'paste' ? 'body' : '#cc-grid').dispatchEvent(event);
            }""",
            [kind, data],
        )
        wait(page, after=run)
        expect(page.locator("#cc-says h2")).to_contain_text(name)


def test_the_camera_takes_a_picture(page: Page) -> None:
    run = run_of(page)
    page.click(".cc-add summary")
    page.click("#cc-picture [data-part=camera]")
    page.wait_for_function("document.querySelector('.cc-video')?.videoWidth > 0")
    page.click("dialog [data-part=take]")
    wait(page, after=run)
    expect(page.locator("#cc-verdict .cc-facts").first).to_contain_text("camera")


def test_an_example_is_explained_when_it_is_pressed(page: Page) -> None:
    run, example = run_of(page), page.locator("[data-example='blue_veil.png']")
    example.click()
    wait(page, after=run)
    expect(example).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#cc-says h2")).to_contain_text("blue veil")


def test_a_file_name_is_never_markup(page: Page, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>{{value}}${1}.png"
    Image.new("RGB", (40, 40), "tan").save(tmp_path / name)
    run = run_of(page)
    page.set_input_files("#cc-picture input[type=file]", tmp_path / name)
    wait(page, after=run)
    expect(page.locator("#cc-verdict .cc-facts").first).to_contain_text(name)


def test_two_visitors_do_not_see_each_others_pictures(open_page: Open, phantoms: Path) -> None:
    one, two = open_page(), open_page()
    runs = wait(one), wait(two)
    one.set_input_files("#cc-picture input[type=file]", phantoms / "streaks.png")
    two.set_input_files("#cc-picture input[type=file]", phantoms / "dots.png")
    wait(one, after=runs[0]), wait(two, after=runs[1])
    expect(one.locator("#cc-says h2")).to_contain_text("streaks")
    expect(two.locator("#cc-says h2")).to_contain_text("dots")
    photos = [page.locator("#cc-verdict img.cc-photo").get_attribute("src") for page in (one, two)]
    assert photos[0] != photos[1]


def test_several_pictures_are_kept_in_the_rail_and_come_back_with_their_settings(page: Page, phantoms: Path) -> None:
    visited = page.locator("[data-visited]")
    for name, methods in (("streaks", 7), ("dots", 6)):
        run = run_of(page)
        if methods == 6:
            open_settings(page)
            page.locator("#cc-methods label", has_text="LIME").click()
            page.keyboard.press("Escape")
        page.set_input_files("#cc-picture input[type=file]", phantoms / f"{name}.png")
        wait(page, after=run)
        expect(page.locator("#cc-grid [data-maps]")).to_have_attribute("data-maps", str(methods + 2))
    expect(visited).to_have_count(2)
    expect(visited.first).to_have_attribute("aria-pressed", "true")
    run = run_of(page)
    visited.last.click()
    wait(page, after=run)
    expect(page.locator("#cc-says h2")).to_contain_text("streaks")
    expect(page.locator("[data-method=LIME]")).to_have_count(1)
    expect(page.locator("#cc-methods label", has_text="LIME").locator("input")).to_be_checked()
    expect(page.locator("#cc-update")).to_be_hidden()
    page.locator(".cc-visit", has=page.locator("[title='dots.png']")).hover()
    page.locator("[aria-label='Remove dots.png']").click()
    expect(visited).to_have_count(1)
    expect(page.locator("#cc-says h2")).to_contain_text("streaks")
