"""Models that people really have, in the browser: the doctor's tab, a model that gives no gradients, and one that is refused."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from models.cards.card import Card, ClassLabel
from models.sandbox import landlock
from models.store import bundled_models
from tests.browser.conftest import Open, open_question, run_of, visiting, wait
from tests.browser.test_everywhere import CONTRAST
from tests.browser.test_models import explain, shown
from tests.models import hostile_files
from tests.serving import Server, serving

HIDING, OTHERS = ("LIME", "SHAP", "Occlusion"), ("GradCAM", "GradCAMPlusPlus", "ScoreCAM", "IntegratedGradients")


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The glass box as a phone would run it."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(bundled_models()["glass_box"], compile=False)
    path = tmp_path_factory.mktemp("lite") / "boxes.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    card = Card.read(bundled_models()["glass_box"].with_suffix(".json"))
    replace(card, name="boxes", sha256="", layers=()).write(path.with_suffix(".json"))
    return path


@pytest.fixture(scope="module")
def server(tflite: Path) -> Iterator[Server]:
    with serving("--model", str(tflite), "--allow-model-upload") as server:
        yield server


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[Open]:
    with visiting(browser, server) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def wrongly_carded(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network that was trained on 0..255, with a card that says 0..1."""
    folder = tmp_path_factory.mktemp("wrong")
    shutil.copy(data / "models" / "chest_xray_cnn" / "chest_xray.h5", folder)
    names = (data / "models" / "chest_xray_cnn" / "labels.txt").read_text().split()[1::2]
    Card("chest net", tuple(map(ClassLabel, names)), (256, 256), scaling="0..1", fit="stretch").write(folder / "chest_xray.json")
    return folder / "chest_xray.h5"


def doctor(page: Page) -> Page:
    """What the answer to the third question rests on."""
    open_question(page, "doctor")
    expect(page.locator("#cc-doctor-panel")).to_be_visible()
    return page


def examined(page: Page) -> None:
    page.click("#cc-examine")
    page.wait_for_selector("#cc-doctor [data-state=done]", state="attached")


def test_a_model_without_gradients_shows_what_hides_parts_and_says_why_not_the_rest(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    explain(page, hostile_files.picture(tmp_path / "noise.png"))
    for method in HIDING:
        assert page.locator(f"[data-method={method}] .cc-map[data-painted]").count() == 1
    for method in OTHERS:
        panel = page.locator(f"[data-method={method}]")
        expect(panel.locator(".cc-state")).to_have_text("not possible")
        expect(panel.locator(".cc-cover")).to_contain_text(
            re.compile(r"boxes is run from .*TFLite.*, which answers pictures but has no (gradients|layers)")
        )
    assert shown(page) == len(HIDING)
    examined(doctor(page))
    expect(page.locator(".cc-findings")).to_contain_text("TFLite")


def test_a_bundled_model_is_in_order(open_page: Open) -> None:
    page = open_page()
    page.locator("#cc-classifier input").click()
    page.get_by_role("option", name="Glass box").click()
    wait(page)
    expect(doctor(page).locator("#cc-doctor")).to_contain_text("the class of each is known")
    examined(page)
    findings = page.locator(".cc-findings > li")
    assert findings.count() >= 4
    assert page.locator("[data-level=refused]").count() == 0
    for about in ("file", "inputs", "head", "labels"):
        expect(page.locator(f".cc-findings [data-about={about}]").first).to_contain_text("Known by: ")
    expect(page.locator(".cc-sheet [data-mark=used]")).to_have_count(1)
    expect(page.locator(".cc-sheet [data-mark=today] th")).to_contain_text("0..1")
    expect(page.locator("[data-part=results]")).to_contain_text("4 pictures cannot tell")
    expect(page.locator(".cc-cardtext")).to_have_count(0)
    page.locator("#cc-classifier input").click()
    page.get_by_role("option", name="boxes").first.click()
    expect(page.locator(".cc-findings")).to_have_count(0)


def test_the_wrong_scaling_is_found_and_a_card_is_proposed(browser: Browser, data: Path, wrongly_carded: Path) -> None:
    """On a wide light screen, and then by another visitor with a phone in the dark, who waits for nothing: the examination is the same."""
    with serving("--model", str(wrongly_carded)) as server, visiting(browser, server) as open_page:
        for theme, width in (("light", 1300), ("dark", 390)):
            page = open_page(theme=theme, width=width)
            doctor(page)
            with_pictures(page, data / "chest_xray" / "test")
            examined(page)
            expect(page.locator(".cc-findings [data-level=warning][data-about=preprocessing]").first).to_contain_text("0..255")
            expect(page.locator(".cc-sheet [data-mark=proposed] th")).to_contain_text("0..255")
            expect(page.locator(".cc-sheet [data-mark=today] th")).to_contain_text("0..1")
            expect(page.locator("[data-change]").first).to_have_text("scaling: 0..1 \u2192 0..255")
            expect(page.locator("#cc-doctor code")).to_contain_text("--fix")
            assert page.evaluate(CONTRAST) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        with page.expect_download() as given:
            page.click("[data-part=download]")
        assert given.value.suggested_filename == "chest_xray.json"
        assert Card.of(json.loads(Path(given.value.path()).read_text())).scaling == "0..255"
        assert Card.read(wrongly_carded.with_suffix(".json")).scaling == "0..1", "the page writes nothing"


def with_pictures(page: Page, folder: Path) -> None:
    """Adds a few pictures of each class."""
    page.wait_for_function("document.querySelector('#cc-doctor-label')?.options.length === 4")
    for name in ("NORMAL", "PNEUMONIA"):
        page.locator("#cc-doctor-label").select_option(name)
        page.set_input_files("#cc-doctor input[type=file]", sorted((folder / name).glob("*.jpeg"))[:8])
    expect(page.locator(".cc-added li")).to_have_count(2)


@pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")
def test_a_refused_model_gets_a_sentence_and_the_page_goes_on(open_page: Open, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    bad = hostile_files.with_layer(
        tmp_path / "lambda.keras", class_name="Lambda", module="keras.layers", config={"function": f"open({str(mark)!r}, 'w')"}
    )
    page, other = open_page(), open_page()
    page.set_input_files("#cc-bring input[type=file]", bad)
    expect(page.locator("#cc-classifier input")).to_have_value("lambda")
    expect(page.locator("#cc-status .cc-error")).to_contain_text(re.compile(r"lambda\.keras .*Lambda"))
    examined(doctor(page))
    expect(page.locator(".cc-findings [data-level=refused]")).to_contain_text("Lambda")
    assert not mark.exists()
    picture = hostile_files.picture(tmp_path / "noise.png")
    explain(other, picture)
    assert shown(other) == len(HIDING)
    run = run_of(page)
    page.locator("#cc-classifier input").click()
    page.get_by_role("option", name="Glass box").click()
    wait(page, after=run)
    expect(page.locator("#cc-status .cc-error")).to_be_hidden()
