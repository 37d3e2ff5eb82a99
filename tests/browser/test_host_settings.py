"""What a host chooses, in a real browser: the page's name and address, and a classifier that cannot be fetched."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import visiting, wait
from tests.serving import serving

TITLE = "Class 9b ${1+1} {{x}} <b>"


def test_a_named_page_keeps_its_answer_where_a_classifier_cannot_be_fetched(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSCHECK_IMAGENET_SOURCE", "http://127.0.0.1:9/weights.h5")
    monkeypatch.setenv("CROSSCHECK_CACHE", str(tmp_path))
    monkeypatch.setenv("CROSSCHECK_TITLE", TITLE)
    with serving() as server, visiting(browser, server) as open_page:
        page = open_page()
        wait(page)
        assert page.title().startswith(TITLE)
        expect(page.locator("h1")).to_have_text(TITLE)
        icon = page.locator("link[rel=icon]").evaluate("async (link) => (await fetch(link.href)).headers.get('content-type')")
        assert icon == "image/png"
        bars = page.locator("#cc-prediction .cc-label").all_inner_texts()
        chosen = page.locator("#cc-classifier input")
        former = chosen.input_value()
        chosen.click()
        page.get_by_role("option", name="MobileNetV2 on ImageNet (14 MB, fetched once)").click()
        expect(page.locator("#cc-status")).to_contain_text("MobileNetV2 on ImageNet could not be fetched: 127.0.0.1 cannot be reached")
        expect(chosen).to_have_value(former)
        assert page.locator("#cc-prediction .cc-label").all_inner_texts() == bars != []
