"""What the page says of how far to believe: the matrix above chance, the slider, a drawn region, measures that stop, and spending more."""

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.formatting import format_score
from app.service.cached_answer import consistency_of_cached_answer, first_page_request, read_cached_answer
from app.service.metric_state import MetricState
from app.service.regions import mask_from_outline
from app.service.request import ExplanationState
from explainers.metrics.agreement.consistency import SelfAgreementSource
from explainers.metrics.localisation.evidence_overlap import localisation_scores
from models.loading import load_classifier
from tests.browser.conftest import Open, open_question, open_settings, run_of, show_expert, wait
from tests.browser.test_everywhere import CONTRAST
from tests.browser.test_view import no_request

CANVAS = """(canvas) => {
    const { width, height } = canvas, data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    return [width, height, btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''))];
}"""


def matrix(page: Page) -> None:
    """Until the pairs have been weighed against chance."""
    page.wait_for_function("+document.querySelector('#cc-agreement [data-pairs]')?.dataset.pairs > 0")


def trusted(page: Page) -> Page:
    """What the answer to the second question rests on, its measures priced."""
    open_question(page, "trust")
    expect(page.locator("[data-measure=sanity]")).to_be_enabled()
    return page


def measured(page: Page) -> None:
    """Until nothing is being measured."""
    page.wait_for_function("!document.querySelector('#cc-trust [data-running]').dataset.running")


@pytest.fixture(scope="module")
def answer() -> ExplanationState:
    stored = read_cached_answer()
    assert stored is not None
    return stored


def test_the_matrix_shows_agreement_above_chance_and_raw_values_a_click_away(page: Page, answer: ExplanationState) -> None:
    matrix(page)
    open_question(page, "agreement")
    found = MetricState(**consistency_of_cached_answer(answer)).consistency
    assert found is not None
    pair_agreements = {frozenset((v.first, v.second)): v for v in found.pair_agreements}
    shown = pair_agreements[frozenset(("SHAP", "Occlusion (smoothed)"))]
    row = page.locator(".cc-matrix tbody tr", has=page.locator("th", has_text="Occlusion"))
    cell = row.locator("td button").nth(4)
    assert shown.ceiling is not None
    assert shown.self_agreement == SelfAgreementSource.EXACT, "Occlusion draws nothing"
    expect(cell).to_have_text(re.compile(rf"^≥\s{re.escape(format_score(shown.ceiling))}†?$"))
    cell.hover()
    for words in (
        "beyond chance",
        f"κ {format_score(shown.chance.kappa)}",
        "p 0.0",
        f"Raw likeness {format_score(shown.likeness.mean_similarity)}",
    ):
        expect(page.locator(".cc-pair")).to_contain_text(words)
    expect(page.locator("#cc-agreement")).to_contain_text("132 other pictures")
    expect(page.locator("#cc-agreement")).to_contain_text("can all be wrong")
    with no_request(page):
        page.locator("#cc-measure").select_option("pearson")
    expect(cell).to_contain_text(format_score(shown.raw.pearson))
    expect(page.locator(".cc-agreement .cc-facts").first).to_contain_text("Raw: chance is still in these numbers")


def test_what_they_share_and_how_many_kinds_choose_each_place(page: Page) -> None:
    shared, votes = page.locator("[data-method=Consensus]"), page.locator("[data-method=Votes]")
    expect(shared.locator(".cc-state")).to_contain_text("of 4 kinds")
    expect(shared.locator(".cc-map")).to_have_attribute("data-painted", re.compile(r"\d"))
    expect(votes).to_be_hidden()
    shared.locator(".cc-link").click()
    expect(shared).to_be_hidden()
    expect(votes.locator(".cc-state")).to_contain_text("up to")
    expect(votes.locator(".cc-map")).to_have_attribute("data-painted", re.compile(r"\d"))
    votes.locator(".cc-link").click()
    expect(shared).to_be_visible()


def test_one_question_at_a_time_is_unfolded_by_the_keyboard_too(page: Page) -> None:
    agree, follow = page.locator("[data-tab=agreement]"), page.locator("[data-tab=trust]")
    for name in ("agreement", "trusted", "doctor"):
        expect(page.locator(f"#cc-{name}")).to_be_hidden()
    agree.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cc-agreement")).to_be_visible()
    follow.focus()
    page.keyboard.press(" ")
    expect(page.locator(".cc-trust")).to_be_visible()
    expect(page.locator(".cc-agreement")).to_be_hidden()
    expect(agree).to_have_attribute("aria-expanded", "false")
    page.keyboard.press(" ")
    expect(page.locator(".cc-trust")).to_be_hidden()


def test_the_slider_shows_what_the_classifier_answers_to_the_picture_on_the_screen(page: Page) -> None:
    trusted(page).click("[data-measure=curves]")
    expect(page.locator("#cc-slides [data-groups]")).to_have_attribute("data-groups", "4")
    measured(page)
    page.wait_for_selector("#cc-slides [data-loaded]", state="attached")
    classifier, seen = load_classifier("phantoms"), set()
    with no_request(page):
        for kind, substrate, key, step in (("deletion", "mean colour", "GradCAM", 3), ("insertion", "blur", "SHAP", 2)):
            page.locator("#cc-slide-kind").select_option(kind)
            page.locator("#cc-slide-substrate").select_option(substrate)
            page.locator(f"[data-key={key}]").click()
            page.locator("#cc-slide").fill(str(step))
            width, height, data = page.locator("canvas.cc-slide").evaluate(CANVAS)
            pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]
            wanted = classifier.probabilities(classifier.outputs(pixels[None].astype(np.float32) / 255))[0]
            bars = page.locator(".cc-slide-bars .cc-bar")
            found = {bars.nth(i).locator(".cc-label").inner_text(): float(bars.nth(i).get_attribute("data-value") or 0) for i in range(4)}
            for label, probability in zip(classifier.labels, wanted, strict=True):
                assert found[label] == pytest.approx(float(probability), abs=0.02)
            seen.add(tuple(found.values()))
        expect(page.locator("#cc-slide")).to_have_attribute("aria-valuetext", "7 % inserted")
    assert len(seen) == 2
    expect(page.locator(".cc-curve-key")).to_have_count(7)
    assert page.locator(".cc-band").count() == 1
    expect(page.locator("[data-line=GradCAM] [data-chip=Faithfulness]")).to_contain_text("deletion")


def test_every_word_of_a_method_s_line_opens_its_numbers(page: Page) -> None:
    trusted(page)
    chip = page.locator("[data-line=LIME] [data-chip=Stability]")
    expect(chip).to_contain_text("reliable, 1.00")
    chip.click()
    expect(page.locator("[data-line=LIME] .cc-detail")).to_contain_text("Two half runs agree: reliability 1.00.")
    chip.click()
    expect(page.locator("[data-line=LIME] .cc-detail")).to_be_hidden()
    expect(page.locator("[data-line=LIME] [data-chip=Sanity]")).to_contain_text("not asked")
    expect(page.locator(".cc-ask").last).to_contain_text(re.compile(r"At most [\d,]+ evaluations, (about|under)"))


def test_a_drawn_region_gives_the_numbers_of_the_measure(page: Page, answer: ExplanationState) -> None:
    trusted(page)
    stage = page.locator(".cc-draw")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    corners = [(0.25, 0.3), (0.7, 0.65)]
    (left, top), (right, bottom) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=4)
    with page.expect_request("**/queue/join*") as asked:
        page.mouse.up()
    points = asked.value.post_data_json["event_data"]["points"]
    assert np.allclose(points, [[0.25, 0.3], [0.7, 0.3], [0.7, 0.65], [0.25, 0.65]], atol=0.01)
    page.wait_for_function("+document.querySelector('#cc-region [data-rows]').dataset.rows > 0")
    assert answer.image is not None
    maps = {result.method.title: result.attribution.values for result in answer.results.values() if result.attribution}
    for row in localisation_scores(maps, mask_from_outline(points, (answer.image.shape[0], answer.image.shape[1]))):
        cells = page.locator(f"[data-row='{row.title}'] td").all_inner_texts()
        assert [float(cell) for cell in cells] == pytest.approx([row.energy, row.overlap, row.ranks, row.points], abs=6e-4)
    expect(page.locator("[data-line=GradCAM] [data-chip='Your region']")).to_contain_text("% of it inside")


def test_a_region_can_be_drawn_with_the_keyboard_taken_from_the_example_uploaded_and_cleared(page: Page, tmp_path: Path) -> None:
    trusted(page)
    page.locator(".cc-draw").focus()
    for key in ("ArrowLeft", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".cc-region .cc-verdict")).to_contain_text("Your region covers")
    page.click("#cc-known")
    expect(page.locator(".cc-region .cc-verdict")).to_contain_text("The known evidence covers")
    mask = np.zeros((128, 128), np.uint8)
    mask[32:64, 32:96] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    page.set_input_files("#cc-region input[type=file]", tmp_path / "mask.png")
    expect(page.locator(".cc-region .cc-verdict")).to_contain_text("The uploaded mask covers 12.5 %")
    cv2.imwrite(str(tmp_path / "mask.png"), mask * 0)
    page.set_input_files("#cc-region input[type=file]", tmp_path / "mask.png")
    expect(page.locator(".cc-region .cc-error")).to_contain_text("is empty")
    page.click("#cc-region button:has-text('Clear')")
    page.wait_for_function("document.querySelector('#cc-region [data-rows]').dataset.rows === '0'")


def test_a_metric_can_be_stopped_and_a_new_request_ends_it(page: Page) -> None:
    trusted(page).click("[data-measure=sanity]")
    expect(page.locator(".cc-measuring")).to_contain_text(re.compile(r"[\d,]+ of at most [\d,]+ evaluations"))
    page.click("#cc-halt")
    expect(page.locator(".cc-measuring")).to_be_hidden()
    expect(page.locator(".cc-measure-error")).to_contain_text("The measure was stopped")
    page.click("[data-measure=sanity]")
    expect(page.locator(".cc-measuring")).to_be_visible()
    run = run_of(page)
    page.locator("[data-example='streaks.png']").click()
    wait(page, after=run)
    expect(page.locator("#cc-says h2")).to_contain_text("streaks")
    expect(page.locator(".cc-measuring")).to_be_hidden()


def test_a_map_that_needs_more_evaluations_gets_them_by_its_button(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    run = wait(page)
    noise = np.random.default_rng(3).integers(0, 255, (128, 128, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "noise.png"), cv2.GaussianBlur(noise, (0, 0), 3))
    open_settings(page)
    page.locator("#cc-preset label", has_text="Fast").click()
    page.keyboard.press("Escape")
    show_expert(page)
    page.set_input_files("#cc-picture input[type=file]", tmp_path / "noise.png")
    run = wait(page, after=run)
    matrix(page)
    trusted(page)
    more = page.locator("[data-line=LIME] .cc-more-button")
    expect(more).to_contain_text(re.compile(r"Spend [\d,]+ more evaluations"))
    wanted = int(re.sub(r"\D", "", more.inner_text().split("more")[0]))
    cost = page.locator("[data-method=LIME] .cc-cost")
    before = spent(cost.inner_text())
    more.click()
    wait(page, after=run)
    assert spent(cost.inner_text()) >= before + wanted - 3
    expect(page.locator("[data-method=GradCAM]")).to_have_attribute("data-state", "converged")
    assert first_page_request().preset == "Balanced"


def spent(words: str) -> int:
    """Evaluations that a map rests on, those shared counted in."""
    return sum(int(number.replace(",", "")) for number in re.findall(r"[\d,]+", words))


@pytest.mark.parametrize(("theme", "width"), [("light", 360), ("dark", 1300)])
def test_trust_can_be_read_in_every_theme_and_width(open_page: Open, theme: str, width: int) -> None:
    page = open_page(theme=theme, width=width)
    wait(page)
    trusted(page).locator("[data-line=SHAP] [data-chip=Stability]").click()
    page.click("#cc-known")
    page.wait_for_function("+document.querySelector('#cc-region [data-rows]').dataset.rows > 0")
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
