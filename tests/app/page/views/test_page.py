"""What the page shows is a pure function of the report: values as they should be, words that claim no more than is known."""

import base64
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from app.formatting import format_duration, format_estimated_time, format_probability, format_score
from app.page.page_parts import PAINTED
from app.page.views.agreement import RAMP, relative_luminance, score_colours
from app.page.views.alt_text import describe_map, short_class_names, strongest_map_region
from app.page.views.page_state import PageState
from app.rendering import quantise_map
from app.service.cached_answer import consistency_of_cached_answer, read_cached_answer
from app.service.metric_state import MetricState
from app.service.request import ExplanationState
from explainers.methods.grad_cam import GradCAM
from explainers.methods.shap import SHAP
from models.cards.card import ClassLabel
from models.cards.metadata import CategoryField, NumberField


def render_page(report: ExplanationState, run: int) -> dict[str, Any]:
    """The parts that follow from the report alone."""
    state = PageState(run, report)
    names = ("status", "prediction", "grid", "agreement", "slides")
    return {part.name: part.view(state) for part in PAINTED if part.view and part.name in names}


@pytest.fixture(scope="module")
def report() -> ExplanationState:
    stored = read_cached_answer()
    assert stored is not None
    return replace(stored, measures=MetricState(**consistency_of_cached_answer(stored)))


def test_the_codes_that_travel_are_the_codes_of_the_map(report: ExplanationState) -> None:
    panels = {panel["id"]: panel for panel in render_page(report, 7)["grid"]["panels"]}
    for name, result in report.results.items():
        data = base64.b64decode(panels[name]["map"].split(",")[1])
        codes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert result.attribution is not None
        np.testing.assert_array_equal(codes, quantise_map(result.attribution.values, result.method.signed))


def test_every_part_carries_the_run_and_bars_sum_to_the_prediction(report: ExplanationState) -> None:
    values = render_page(report, 7)
    assert {part["run"] for part in values.values()} == {7}
    bars = values["prediction"]["bars"]
    assert sum(bar["size"] for bar in bars) == pytest.approx(1, abs=1e-3)
    assert [bar["explained"] for bar in bars].count(True) == 1
    assert len(values["agreement"]["pairs"]) == 21
    assert [panel["id"] for panel in values["grid"]["panels"][:2]] == ["Consensus", "Votes"]


def test_maps_are_described_in_words() -> None:
    values = np.zeros((9, 9), np.float32)
    values[7, 1] = 4
    assert strongest_map_region(values) == ("lower left", 1.0)
    assert describe_map(GradCAM(), values) == (
        "Grad-CAM: evidence for the class is strongest in the lower left; the strongest tenth of the picture holds 100 % of it."
    )
    values[0, 8] = -3
    assert describe_map(SHAP(), values).endswith("Evidence against is strongest in the upper right.")
    values = np.random.default_rng(0).random((40, 40)).astype(np.float32)
    assert "scattered over the picture" in describe_map(GradCAM(), values)
    assert "nothing that speaks for" in describe_map(GradCAM(), -values * 0)


def test_figures_claim_no_certainty() -> None:
    assert (format_probability(1.0), format_probability(0.5), format_probability(0.0)) == ("over 99.9 %", "50.0 %", "under 0.1 %")
    assert (format_duration(0.42), format_duration(12.3), format_duration(150)) == ("0.4 s", "12 s", "2 min")
    assert (format_estimated_time(0.2), format_estimated_time(3.2), format_estimated_time(200)) == ("under 1 s", "about 3 s", "about 3 min")


def test_the_table_can_be_read_at_every_value() -> None:
    for value in np.linspace(-1, 1, 81):
        background, ink = score_colours(float(value))
        rgb = [int(part) for part in background[4:-1].split()]
        light, dark = sorted((relative_luminance(rgb), relative_luminance([255] * 3 if ink == "#ffffff" else [0, 0, 0])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert len(RAMP) == 4


def test_evidence_against_in_the_same_place_is_described_as_next_to_it() -> None:
    values = np.zeros((9, 9), np.float32)
    values[4, 3], values[4, 5] = 4, -4
    assert describe_map(SHAP(), values).endswith("Evidence against lies side by side with it, also in the centre.")


def test_scores_have_a_true_minus_sign_and_no_zero_below_zero() -> None:
    assert [format_score(value) for value in (0.684, -0.11, -0.004, 0.0, 1.0)] == ["0.68", "−0.11", "0.00", "0.00", "1.00"]


def test_long_names_end_at_the_first_comma_where_that_tells_them_apart() -> None:
    labels = tuple(ClassLabel(name) for name in ("tabby, tabby cat", "crane, bird", "crane, machine", "plain"))
    assert short_class_names(labels) == ("tabby", "crane, bird", "crane, machine", "plain")


def test_confidence_on_a_picture_of_another_kind_is_not_vouched_for(report: ExplanationState) -> None:
    own = render_page(report, 1)["prediction"]
    picture = replace(report.request.picture, example="")
    other = render_page(replace(report, request=replace(report.request, picture=picture)), 1)["prediction"]
    assert "1000 test phantoms" in own["note"]
    assert (own["caution"], other["caution"]) == (False, True)
    assert "nothing about pictures of another kind" not in own["note"]
    assert "nothing about pictures of another kind" in other["note"]


def test_the_metadata_given_to_the_classifier_stands_with_its_answer(report: ExplanationState) -> None:
    assert report.card is not None
    assert "is told" not in render_page(report, 1)["prediction"]["about"]
    card = replace(report.card, metadata=(NumberField("age", 50.0, 10.0, "years"), CategoryField("sex", ("female", "male"))))
    assert render_page(replace(report, card=card), 1)["prediction"]["about"].endswith(
        "Beside the picture the classifier is told: age missing, sex missing."
    )
