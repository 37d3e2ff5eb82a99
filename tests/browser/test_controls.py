"""Every control that asks the classifier again: class, contrast, methods, parameters, preset, classifier, stop."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import answered, open_settings, pixels, run_of, wait


def choose(page: Page, control: str, text: str) -> None:
    """Types into a list and takes the entry."""
    box = page.locator(f"#{control} input")
    box.click()
    box.fill(text)
    page.locator(f"#{control} [role=option]", has_text=text).first.click()


def test_a_bar_makes_its_class_the_one_explained(page: Page) -> None:
    before, run = pixels(page, "GradCAM"), run_of(page)
    page.locator(".cc-bar[aria-pressed=false]").first.click()
    wait(page, after=run)
    label = page.locator(".cc-bar[aria-pressed=true] .cc-label").inner_text()
    expect(page.locator(".cc-about")).to_contain_text(f"The maps explain “{label}”")
    expect(page.locator("#cc-target input")).to_have_value(label)
    assert pixels(page, "GradCAM") != before


def test_any_class_can_be_typed_and_contrasted_with_another(page: Page) -> None:
    run = run_of(page)
    choose(page, "cc-target", "dots")
    run = wait(page, after=run)
    choose(page, "cc-rather", "streaks")
    run = wait(page, after=run)
    expect(page.locator(".cc-about")).to_contain_text("“dots” rather than “streaks”")
    choose(page, "cc-rather", "dots")
    expect(page.locator("#cc-status .cc-error")).to_contain_text("two different classes")


def test_typing_replaces_the_class_and_says_where_there_is_none(page: Page) -> None:
    box = page.locator("#cc-target input")
    box.click()
    page.wait_for_function(
        "(() => { const box = document.activeElement; return box.selectionEnd - box.selectionStart === box.value.length; })()"
    )
    page.keyboard.type("stre")
    expect(page.locator("#cc-target [role=option]")).to_have_count(1)
    page.keyboard.type("zzz")
    expect(page.locator("#cc-target")).to_have_attribute("data-none", "Nothing is called \u201cstrezzz\u201d.")
    page.keyboard.press("Escape")


def test_methods_can_be_left_out(page: Page) -> None:
    run, count = run_of(page), page.locator(".cc-tiles .cc-panel").count()
    open_settings(page)
    page.locator("#cc-methods label", has_text="LIME").click()
    page.click("#cc-explain")
    wait(page, after=run)
    expect(page.locator(".cc-tiles .cc-panel")).to_have_count(count - 1)
    expect(page.locator("[data-method=LIME]")).to_have_count(0)


def test_without_a_method_there_is_a_sentence(page: Page) -> None:
    open_settings(page)
    while page.locator("#cc-methods input:checked").count():
        page.locator("#cc-methods label:has(input:checked)").first.click()
    page.click("#cc-explain")
    expect(page.locator("#cc-status .cc-error")).to_contain_text("choose at least one")


def test_a_method_says_what_it_is_and_takes_parameters(page: Page) -> None:
    run = run_of(page)
    page.click("[data-method=Occlusion] [aria-label^='About Occlusion']")
    dialog = page.locator("dialog[data-dialog=card]")
    for words in ("Formula", "Source", "Costs", "Known to fail", "Zeiler"):
        expect(dialog).to_contain_text(words)
    dialog.locator("select[name=search]").select_option("fixed windows")
    dialog.locator("button[type=submit]").click()
    run = wait(page, after=run)
    page.click("[data-method=Occlusion] [aria-label^='About Occlusion']")
    expect(dialog.locator("select[name=search]")).to_have_value("fixed windows")
    dialog.locator("input[name=window]").fill("8")
    dialog.locator("button[type=submit]").click()
    expect(page.locator("#cc-status .cc-error")).to_contain_text("stride")


def test_the_preset_says_its_seconds(page: Page) -> None:
    run = run_of(page)
    open_settings(page)
    expect(page.locator("#cc-times")).to_contain_text(re.compile(r"On this machine: Fast .* s, Balanced .* s, Thorough"))
    page.locator("#cc-preset label", has_text="Fast").click()
    page.click("#cc-explain")
    wait(page, after=run)


def test_stop_is_obeyed_and_keeps_the_maps_that_are_there(page: Page) -> None:
    run = run_of(page)
    open_settings(page)
    page.locator("#cc-preset label", has_text="Thorough").click()
    page.click("#cc-explain")
    page.wait_for_function("(run) => +document.querySelector('#cc-status [data-run]').dataset.run > run", arg=run)
    page.click("#cc-stop")
    wait(page, "stopped", after=run)
    expect(page.locator("#cc-status .cc-now")).to_contain_text("Stopped")
    spent = re.search(r"([\d,]+) evaluations?", page.locator("#cc-status .cc-now").text_content() or "")
    assert spent
    assert int(spent[1].replace(",", "")) < 1000  # Thorough spends more than 2,000


def test_another_classifier_answers(page: Page) -> None:
    run = run_of(page)
    page.locator("#cc-classifier input").click()
    page.locator("#cc-classifier [role=option]", has_text="Glass box").click()
    wait(page, after=run)
    expect(page.locator(".cc-bar", has_text="yellow")).to_have_count(1)
    expect(page.locator("#cc-about")).to_contain_text("classes")


def test_other_settings_offer_to_update_the_maps_and_the_same_ones_do_not(page: Page) -> None:
    update = page.locator("#cc-update")
    expect(update).to_be_hidden()
    open_settings(page)
    lime = page.locator("#cc-methods label", has_text="LIME")
    lime.click()
    expect(update).to_contain_text("Update the maps")
    lime.click()
    expect(update).to_be_hidden()
    lime.click()
    page.keyboard.press("Escape")
    expect(page.locator("#cc-drawer")).to_be_hidden()
    run = run_of(page)
    update.click()
    wait(page, after=run)
    expect(update).to_be_hidden()
    expect(page.locator("[data-method=LIME]")).to_have_count(0)


def test_the_newest_request_wins(page: Page) -> None:
    before = run_of(page)
    for name in ("plain", "streaks", "blue_veil", "dots"):
        page.locator(f"[data-example='{name}.png']").click()
    page.wait_for_function("document.querySelector('#cc-says h2').textContent.includes('dots')")
    run = wait(page, after=before)
    answered(page)
    assert run_of(page) == run
    expect(page.locator("#cc-says h2")).to_contain_text("dots")
