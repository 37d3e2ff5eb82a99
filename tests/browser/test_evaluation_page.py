"""The evaluation page in a real browser: alone, legible in light and dark, whole on a phone, and with the figures that were found."""

import base64
import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from models.cards.card import Card, ClassLabel
from models.datasets.picture_collection import CollectionRow
from models.evaluation.classification_metrics import IntervalEstimate
from models.evaluation.classifier_evaluation import assess_logits
from models.evaluation.evaluation_records import Evaluation, EvaluationData, EvaluationSettings
from models.evaluation.evaluation_writer import write_evaluation
from models.evaluation.html_report import format_with_interval, picture_thumbnail_uri, render_evaluation_html
from tests.browser.conftest import session

NAMES = ("normal", "bacterial <b>pneumonia</b>", "viral")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """60 pictures of three classes, one of which has a name that is markup; their colour says their class."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    targets = np.arange(60) % 3
    rows = []
    for number, target in enumerate(targets):
        file = folder / f"{number:02}.png"
        Image.new("RGB", (300, 200), tuple(int(255 * (target == i)) for i in range(3))).save(file)
        rows.append(CollectionRow(file, int(target), f"person {number // 2}"))
    logits = (rng.normal(0, 1, (60, 3)) + 1.3 * np.eye(3)[targets]).astype(np.float32)
    card = Card("lungs", tuple(map(ClassLabel, NAMES)), (64, 64), temperature=2.0, sha256="ab" * 32)
    material = EvaluationData("X-rays", tuple(rows), "test part, people kept together", "Drawn by the test", "CC0-1.0")
    return assess_logits(logits, card, material, EvaluationSettings(resamples=50))


@pytest.fixture(scope="module")
def file(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_evaluation(evaluation, tmp_path_factory.mktemp("out"))[1]


def opened(browser: Browser, file: Path, width: int, scheme: str) -> tuple[Page, list[str]]:
    view = session(browser, viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.goto(file.as_uri())
    return view, [url for url in asked if not url.startswith(("data:", file.as_uri()))]


def test_it_asks_nothing_of_the_network_and_says_everything(browser: Browser, file: Path, evaluation: Evaluation) -> None:
    view, asked = opened(browser, file, 1100, "light")
    assert asked == []
    text = view.inner_text("body")
    for word in ("lungs", "X-rays", "test part, people kept together", "CC0-1.0", "Drawn by the test", "ab" * 32, "30 independent groups"):
        assert word in text
    assert NAMES[1] in text
    assert f"{evaluation.overall['balanced accuracy'].value:.3f}" in text
    cells = [int(cell.split()[0]) for cell in view.locator("table.matrix td").all_inner_texts()]
    assert cells == [count for row in evaluation.confusion for count in row]
    assert view.locator("svg").count() == 2
    assert view.locator("script").count() == 0


def test_thumbnails_are_the_mistakes(browser: Browser, file: Path, evaluation: Evaluation) -> None:
    view, _ = opened(browser, file, 1100, "light")
    sources = view.locator(".mistakes img").evaluate_all("all => all.map(one => one.src)")
    assert len(sources) == len(evaluation.mistakes) > 3
    for source, mistake in zip(sources, evaluation.mistakes, strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1])))
        assert image.size == (192, 128)
        assert np.asarray(image).mean((0, 1)).argmax() == NAMES.index(mistake.truth)


@pytest.mark.parametrize("width", [360, 1100])
def test_it_is_whole_at_any_width(browser: Browser, file: Path, width: int) -> None:
    view, _ = opened(browser, file, width, "light")
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert all(box["width"] >= 250 for box in (each.bounding_box() for each in view.locator("svg").all()))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_axes_are_legible(browser: Browser, file: Path, scheme: str) -> None:
    """Contrast of at least 4.5 to the paper, for text, captions and what is written in the charts (WCAG 2.2, 1.4.3)."""
    view, _ = opened(browser, file, 1100, scheme)
    paper = luminance(view.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper > 0.5) == (scheme == "light")
    for place, field in (("body", "color"), (".soft", "color"), ("svg text", "fill"), ("figcaption", "color")):
        ink = luminance(view.locator(place).first.evaluate(f"one => getComputedStyle(one).{field}"))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, place


def luminance(colour: str) -> float:
    red, green, blue = (int(number) / 255 for number in re.findall(r"\d+", colour)[:3])
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_same_evaluation_gives_the_same_page(evaluation: Evaluation) -> None:
    assert render_evaluation_html(evaluation) == render_evaluation_html(evaluation)


def test_without_a_mistake_it_says_so(evaluation: Evaluation) -> None:
    assert "every picture was named rightly" in render_evaluation_html(dataclasses.replace(evaluation, mistakes=()))


def test_figures_in_words() -> None:
    assert format_with_interval(IntervalEstimate(0.91234, 0.88, 0.94)) == "0.912 (0.880 to 0.940)"
    assert format_with_interval(IntervalEstimate(0.5, None, None)) == "0.500"
    assert format_with_interval(IntervalEstimate(None, None, None)) == "–"


def test_a_thumbnail_is_small(tmp_path: Path) -> None:
    Image.effect_noise((1200, 900), 90).save(tmp_path / "big.png")
    assert len(picture_thumbnail_uri(tmp_path / "big.png")) < 40_000
