"""The page's words and numbers about agreement, evidence, the slider and a region, by value; and measures that give way and stop."""

import base64
import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.formatting import format_score
from app.metrics import Kind, missing_evaluations_of_map
from app.page.views.agreement import MUCH_IS_NONE, NOT_YET, agreement_table
from app.page.views.deletion_curves import deletion_slider_view
from app.page.views.evidence import EVIDENCE, trust_view
from app.page.views.region import region_score_table
from app.service.cached_answer import consistency_of_cached_answer, first_page_request, read_cached_answer
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_job import ExplanationJob
from app.service.explanation_queue import ExplanationQueue
from app.service.metric_queue import _publish
from app.service.metric_state import MetricCost, MetricState
from app.service.regions import EvidenceRegion, mask_from_outline, score_maps_in_region
from app.service.request import ExplanationState
from errors import UserError
from explainers.explanation_case import Case, EvaluationStopped
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from explainers.metrics import METRICS
from explainers.metrics.agreement.agreement import AgreementMetric, AgreementResult
from explainers.metrics.agreement.consistency import (
    NO_CHANCE,
    MapConsistency,
    ReferenceMaps,
    SelfAgreementSource,
    measure_consistency,
)
from explainers.metrics.agreement.significance import AgreementLevel, AgreementObstacle
from explainers.metrics.faithfulness.deletion_insertion import (
    DeletionCurve,
    DeletionInsertionMetric,
    deletion_step_per_pixel,
    pixels_by_importance,
    visible_pixel_mask,
)
from explainers.metrics.faithfulness.transplants import TransplantsMetric, TransplantTest
from explainers.metrics.randomisation.sanity_checks import CLASS, NOISE, SanityCheckResult, SanityChecksMetric
from explainers.metrics.robustness.reliability import ReliabilityScore, RepeatedReadingSource
from models.classifiers.score import Score
from models.loading import load_classifier
from tests.patience import PATIENCE, until, waits_of

CURVES, SANITY = DeletionInsertionMetric.key, SanityChecksMetric.key


@pytest.fixture(scope="module")
def report() -> ExplanationState:
    stored = read_cached_answer()
    assert stored is not None
    return replace(stored, measures=MetricState(**consistency_of_cached_answer(stored)))


def with_findings(measures: MetricState, kind: Kind, *findings: object) -> MetricState:
    """The same with other findings of one metric."""
    return replace(measures, findings={**measures.findings, kind.key: findings})


def with_consistency(report: ExplanationState, **changes: object) -> ExplanationState:
    found = report.measures.consistency
    assert found is not None
    agreement = replace(report.measures.agreement, consistency=replace(found, **changes))
    return replace(report, measures=with_findings(report.measures, AgreementMetric, agreement))  # type: ignore[arg-type]


def at_level(
    found: MapConsistency, level: AgreementLevel, p: float, kappa: float, obstacle: AgreementObstacle = AgreementObstacle.NOTHING
) -> tuple[object, ...]:
    return tuple(
        replace(each, level=level, obstacle=obstacle, chance=replace(each.chance, kappa=kappa, p=p)) for each in found.pair_agreements
    )


def test_the_matrix_holds_what_the_measure_found(report: ExplanationState) -> None:
    found, table = report.measures.consistency, agreement_table(report)
    assert found is not None
    assert len(table["pairs"]) == len(found.pair_agreements) == 21
    for cell, pair_agreement in zip(table["pairs"], found.pair_agreements, strict=True):
        assert pair_agreement.ceiling is not None
        least = "≥\u202f" if pair_agreement.self_agreement == SelfAgreementSource.EXACT else ""
        assert cell["cells"]["kappa"]["text"] == least + format_score(pair_agreement.ceiling)
        assert ("κ* at least" in cell["words"]) == bool(least)
        assert cell["cells"]["ssim"] == {
            "text": format_score(pair_agreement.raw.ssim),
            "kind": "raw",
            "colour": "",
            "ink": "",
            "aside": f"({format_score(pair_agreement.raw_by_chance.ssim)})",
        }
        assert f"κ {format_score(pair_agreement.chance.kappa)}" in cell["words"]
    assert table["sentence"].startswith("Agreement beyond chance of the 6 pairs of families: strong ")
    assert sum("by luck alone one picture in 20 reaches" in words for words in table["words"]) == 6
    assert any("132 other pictures" in words for words in table["words"])


def test_nothing_in_common_is_a_word_and_a_result(report: ExplanationState) -> None:
    found = report.measures.consistency
    assert found is not None
    table = agreement_table(with_consistency(report, pair_agreements=at_level(found, AgreementLevel.NONE, 0.4, 0.02)))
    assert {cell["cells"]["kappa"]["text"] for cell in table["pairs"]} == {"none"}
    assert {cell["cells"]["kappa"]["colour"] for cell in table["pairs"]} == {""}, "no colour of agreement, whatever κ* would say"
    assert table["reading"] == MUCH_IS_NONE


def test_what_one_picture_cannot_tell_is_not_called_none(report: ExplanationState) -> None:
    found = report.measures.consistency
    assert found is not None
    pairs = at_level(found, AgreementLevel.CANNOT_TELL, 0.12, 0.25, AgreementObstacle.LITTLE_POWER)
    families = tuple(replace(each, level=AgreementLevel.CANNOT_TELL) for each in found.families)
    table = agreement_table(with_consistency(report, pair_agreements=pairs, families=families))
    assert {cell["cells"]["kappa"]["text"] for cell in table["pairs"]} == {"?"}
    assert "of the 6 pairs of families: cannot be told yet 6." in table["sentence"]
    assert table["reading"] == NOT_YET, "and not that nothing in common is a result"
    assert "p 0.120 against" in table["pairs"][0]["words"]
    assert "by luck alone one picture in 20 reaches κ" in table["pairs"][0]["words"]


def test_what_is_not_converged_or_has_no_ceiling_gets_no_score(report: ExplanationState) -> None:
    found = report.measures.consistency
    assert found is not None
    pairs = at_level(found, AgreementLevel.CANNOT_TELL, 1, 0.5, AgreementObstacle.NOT_CONVERGED)
    unsettled = agreement_table(with_consistency(report, pair_agreements=tuple(replace(each, converged=False) for each in pairs)))
    assert {cell["cells"]["kappa"]["text"] for cell in unsettled["pairs"]} == {"?"}
    assert "cannot be told yet: a map has not converged" in unsettled["pairs"][0]["words"]
    assert "κ 0.50" not in unsettled["pairs"][0]["words"]
    why = "LIME is not reliable: its own two readings correlate at 0.05."
    pairs = tuple(replace(each, ceiling=None, reason=why, unreliable=True) for each in found.pair_agreements)
    assert agreement_table(with_consistency(report, pair_agreements=pairs))["pairs"][0]["cells"]["kappa"]["text"] == "?"
    told = at_level(found, AgreementLevel.STRONG, 0.01, 0.7)
    pairs = tuple(replace(each, ceiling=None, reason="LIME has no two readings with positive evidence.") for each in told)
    first = agreement_table(with_consistency(report, pair_agreements=pairs))["pairs"][0]
    assert first["cells"]["kappa"]["text"] == "(0.70)"
    assert "No κ*: LIME has no two readings" in first["words"]


def test_controls_that_explain_a_pair_are_named(report: ExplanationState) -> None:
    found = report.measures.consistency
    assert found is not None
    pairs = tuple(replace(each, explained_by=("edges",)) for each in at_level(found, AgreementLevel.SOME, 0.01, 0.4))
    table = agreement_table(with_consistency(report, pair_agreements=pairs))
    assert "follow the picture's edges" in table["pairs"][0]["words"]
    assert table["pairs"][0]["cells"]["kappa"]["text"].endswith("†")
    assert table["reading"].startswith("† explains 17 of the pairs that agree: both follow the picture's edges.")


def test_without_a_library_no_word_of_strength_appears(report: ExplanationState) -> None:
    """The same maps, the library hidden: the page says that it cannot be told, and how to build one."""
    assert report.image is not None
    found = measure_consistency(list(report.results.values()), report.image.shape[:2], ReferenceMaps(), {})
    blind = replace(report, measures=with_findings(report.measures, AgreementMetric, AgreementResult(found, (NO_CHANCE,))))
    table = agreement_table(blind)
    assert "cannot be told yet" in table["sentence"]
    assert {cell["cells"]["kappa"]["text"] for cell in table["pairs"]} == {"?"}
    assert {cell["cells"]["ssim"]["aside"] for cell in table["pairs"]} == {""}
    assert any("python -m app library --model phantoms --pictures FOLDER" in words for words in table["words"])
    chips = {chip["name"]: chip["text"] for chip in trust_view(blind, 1, ())["lines"][0]["chips"]}
    assert chips["Agreement"] == "cannot be told yet"
    said = " ".join([table["sentence"], table["reading"], *(cell["words"] for cell in table["pairs"])])
    assert not {"strong", "some", "beyond chance"} & set(re.findall(r"strong|some|beyond chance", said))


def test_the_line_of_a_method_says_only_what_was_asked(report: ExplanationState) -> None:
    lines = {line["id"]: line for line in trust_view(report, 1, ())["lines"]}
    chips = {chip["name"]: chip for chip in lines["GradCAM"]["chips"]}
    assert (chips["Faithfulness"]["text"], chips["Sanity"]["text"]) == ("not asked", "not asked")
    assert chips["Stability"]["text"] == "draws nothing; not measured"
    assert set(chips) == set(EVIDENCE) >= {"Agreement", "Faithfulness", "Stability", "Sanity"}, "and no grade of all"
    assert set(EVIDENCE) == {kind.evidence or kind.title for kind in METRICS if kind.on_page}, "each is a metric's"
    ranks = (
        TransplantTest("Grad-CAM", "deletion", "mean colour", 0.2, 19, 20),
        TransplantTest("Grad-CAM", "insertion", "mean colour", 0.6, 15, 20),
    )
    findings = (
        SanityCheckResult("Grad-CAM", CLASS, 0.96, "red", CLASS.why),
        SanityCheckResult("Grad-CAM", NOISE, 0.95, "green", NOISE.why),
    )
    asked = replace(
        report, measures=with_findings(with_findings(report.measures, TransplantsMetric, *ranks), SanityChecksMetric, *findings)
    )
    chips = {chip["name"]: chip for chip in trust_view(asked, 1, ())["lines"][0]["chips"]}
    assert chips["Faithfulness"]["text"] == "better than 85 % of other pictures' maps"
    assert "better than 19 of 20 maps of other pictures by the same method" in chips["Faithfulness"]["detail"][0]
    tied = TransplantTest("Grad-CAM", "deletion", "mean colour", 1.0, 0, 20, 20)
    same = replace(asked, measures=with_findings(asked.measures, TransplantsMetric, tied))
    chip = trust_view(same, 1, ())["lines"][0]["chips"][1]
    assert chip["text"] == "cannot be told from other pictures' maps"
    assert "as good as 20: cannot be told" in chip["detail"][0]
    assert chips["Sanity"]["text"] == "1 green, 1 red"
    assert [light["tone"] for light in chips["Sanity"]["lights"]] == ["bad", "good"]
    assert "similarity 0.96; the map should change (green at most 0.7, amber at most 0.95" in chips["Sanity"]["detail"][0]


def test_the_price_stands_on_the_button_and_what_is_missing_on_the_line(report: ExplanationState) -> None:
    found = report.measures.consistency
    assert found is not None
    stable = {**found.stability, "LIME": ReliabilityScore("LIME", 0.3, 0.46, False, 900, RepeatedReadingSource.HALF_RUNS)}
    poor = with_consistency(report, stability=stable)
    poor = replace(poor, measures=replace(poor.measures, prices={CURVES: MetricCost(1000, 4.0), SANITY: MetricCost(7368, 90)}))
    buttons = {button["kind"]: button for button in trust_view(poor, 1, ())["buttons"]}
    assert buttons[SANITY]["cost"] == "at most 7,368 evaluations, about 2 min"
    assert not buttons["stability"]["ready"], "not before its cost is known"
    assert missing_evaluations_of_map(LIME(), poor.results["LIME"], poor.measures.consistency) == 900
    assert missing_evaluations_of_map(GradCAM(), poor.results["GradCAM"], poor.measures.consistency) == 0
    lines = {line["id"]: line for line in trust_view(poor, 1, ())["lines"]}
    assert lines["LIME"]["more"]["text"] == "Spend 900 more evaluations, about 4 s"
    chips = {chip["name"]: chip for chip in lines["LIME"]["chips"]}
    assert chips["Stability"]["text"] == "not converged, 0.46"
    assert "it needs about 900 more evaluations" in chips["Stability"]["detail"][0]
    assert "2 r / (1 + r) of two half runs" in chips["Stability"]["detail"][1]
    shaken = {**found.stability, "LIME": ReliabilityScore("LIME", 0.8, 0.8, True, 0, RepeatedReadingSource.JITTERED)}
    (line,) = [line for line in trust_view(with_consistency(report, stability=shaken), 1, ())["lines"] if line["id"] == "LIME"]
    (chip,) = [chip for chip in line["chips"] if chip["name"] == "Stability"]
    assert chip["detail"][1] == "Converged from 0.7 on; formula: their correlation r itself."


def test_the_slides_hide_what_the_curves_hid(report: ExplanationState) -> None:
    assert report.image is not None
    assert report.target is not None
    case = Case(load_classifier("phantoms"), report.image, Score(report.target))
    attribution = report.results["GradCAM"].attribution
    assert attribution is not None
    steps = deletion_step_per_pixel(attribution.values, case.size, case.seed, 28)
    pixels = pixels_by_importance(attribution.values, case.size, case.seed)
    for step in (0, 1, 13, 28):
        np.testing.assert_array_equal(steps > step, visible_pixel_mask(pixels, case.size, step, 28, "deletion") == 1)
    rows = np.linspace(1, 0, 29)[:, None] * np.ones((1, 4), np.float32)
    drawn_curves = (DeletionCurve("Grad-CAM", "deletion", "blur", report.target, rows.astype(np.float32)),)
    randoms = tuple(
        DeletionCurve(f"random order {i}", "deletion", "blur", report.target, (rows * i / 3).astype(np.float32), random=True)
        for i in (1, 2, 3)
    )
    value = deletion_slider_view(
        replace(report, measures=with_findings(report.measures, DeletionInsertionMetric, *drawn_curves, *randoms)), 5
    )
    group = value["curves"]["deletion blur"]
    assert (group["lines"]["GradCAM"]["area"], group["lines"]["GradCAM"]["values"][7]) == ("0.500", 0.75)
    assert (group["low"][0], group["high"][0], group["randomArea"]) == (0.3333, 1.0, "0.333")
    assert group["remark"] == ""
    flat = tuple(replace(each, probabilities=np.ones_like(each.probabilities)) for each in drawn_curves + randoms)
    said = deletion_slider_view(replace(report, measures=with_findings(report.measures, DeletionInsertionMetric, *flat)), 5)["curves"][
        "deletion blur"
    ]["remark"]
    assert said.startswith("Cannot be told"), "a probability that stays ranks nothing"
    codes = cv2.imdecode(np.frombuffer(base64.b64decode(value["methods"][0]["steps"].split(",")[1]), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(codes, steps)


def test_an_outline_holds_the_pixels_whose_middle_lies_inside() -> None:
    mask = mask_from_outline([[0.25, 0.5], [0.75, 0.5], [0.75, 1], [0.25, 1]], (8, 8))
    wanted = np.zeros((8, 8), bool)
    wanted[4:, 2:6] = True
    np.testing.assert_array_equal(mask, wanted)
    for points, words in (
        ([[0, 0], [1, 1]], "outline of 3 to 400"),
        ([["a", 1]] * 4, "points"),
        ([[0.1, 0.1]] * 3, "no pixel"),
        (7, "outline"),
    ):
        with pytest.raises(UserError, match=words):
            mask_from_outline(points, (8, 8))
    with pytest.raises(UserError, match="whole picture"):
        mask_from_outline([[0, 0], [1, 0], [1, 1], [0, 1]], (8, 8))


def test_the_table_of_a_region_sets_maps_beside_what_needs_none(report: ExplanationState) -> None:
    mask = mask_from_outline([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]], (128, 128))
    region = EvidenceRegion(report.request.picture, "phantoms", mask, "drawn")
    value = region_score_table(report, 3, region, score_maps_in_region({"even": np.ones((4, 4), np.float32)}, mask), known=True)
    assert value["sentence"] == "Your region covers 25.0 % of the picture."
    assert [row["cells"][0] for row in value["rows"][:2]] == ["0.250", "0.250"], "an even map is the baseline of the area"
    assert [row["baseline"] for row in value["rows"]] == [False, True, True, True]
    assert value["outline"].startswith("data:image/png")


def test_the_chip_says_whose_region_it_is(report: ExplanationState) -> None:
    rows, _ = score_maps_in_region(
        {"Grad-CAM": np.ones((4, 4), np.float32)}, mask_from_outline([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]], (128, 128))
    )
    names = [trust_view(report, 1, rows, source)["lines"][0]["chips"][-1]["name"] for source in ("drawn", "uploaded", "known")]
    assert names == ["Your region", "The uploaded mask", "The known evidence"]


@pytest.mark.parametrize(("found", "words"), [(0, "was stopped before it found anything."), (1, "stopped; what was found by then stands.")])
def test_a_stop_says_that_something_stands_only_where_something_does(report: ExplanationState, found: int, words: str) -> None:
    job = ExplanationJob(report.request)

    def work() -> Iterator[dict[str, object]]:
        yield from [{"findings": {SANITY: (SanityCheckResult("Grad-CAM", NOISE, 0.95, "green", ""),)}}] * found
        raise EvaluationStopped

    _publish(job, work())
    assert job.report.measures.error == ""
    assert job.report.measures.visible_to(stopper=False).error == "", "who comes later has stopped nothing"
    assert job.report.measures.visible_to(stopper=True).error.endswith(words)


@pytest.fixture(scope="module")
def jobs() -> Iterator[ExplanationQueue]:
    jobs = ExplanationQueue(ClassifierRegistry(["phantoms"]), concurrency=1, queue=2, budget=PATIENCE)
    jobs.registry.get("phantoms")
    yield jobs
    jobs.close()


def settled(job: ExplanationJob) -> ExplanationState:
    until(lambda: job.report.settled)
    return job.report


def test_agreement_comes_by_itself_with_the_prices_of_the_rest(jobs: ExplanationQueue) -> None:
    report = settled(jobs.submit(replace(first_page_request(), methods=(GradCAM(), Occlusion()), preset="Fast")))
    assert report.measures.consistency is not None
    assert report.measures.agreement.others == 132
    assert report.measures.prices[CURVES].evaluations > 500
    assert report.measures.error == ""


def test_a_measure_waits_for_everybody_s_maps_and_is_stopped_within_a_batch(jobs: ExplanationQueue) -> None:
    job = jobs.submit(replace(first_page_request(), methods=(GradCAM(), Occlusion()), preset="Fast"))
    settled(job)
    with pytest.raises(UserError, match="no measure 'magic'"):
        jobs.metrics.submit(job, "magic")
    jobs.idle.clear()  # as while somebody's maps are made
    with waits_of(jobs.idle) as waits:
        jobs.metrics.submit(job, CURVES)
        with pytest.raises(UserError, match="under way"):
            jobs.metrics.submit(job, SANITY)
        until(lambda: waits() >= 2)
        assert (job.report.measures.running, job.report.measures.done, job.report.measures.of(DeletionInsertionMetric)) == (CURVES, 0, ())
    jobs.idle.set()
    listener = threading.Event()
    assert job.subscribe(listener.set)
    while not job.report.measures.of(DeletionInsertionMetric):
        assert listener.wait(PATIENCE)
        listener.clear()
    other = threading.Event()
    assert job.subscribe(other.set)
    assert not job.stop_metric_if_last(listener.set)
    assert not job.metric_stop.is_set(), "the other still waits for it"
    job.unsubscribe(other.set)
    assert not job.metric_stop.is_set(), "and the first does when the other has gone"
    assert job.stop_metric_if_last(listener.set)
    report = settled(job)
    assert "was stopped" in report.measures.stopped or len(report.measures.of(DeletionInsertionMetric)) == 20
    assert report.measures.of(DeletionInsertionMetric), "what was found stands"


def test_further_evaluations_go_to_one_method_and_the_others_maps_stay(jobs: ExplanationQueue) -> None:
    request = replace(first_page_request(), methods=(GradCAM(), LIME()), preset="Fast")
    first = settled(jobs.submit(request))
    more = settled(jobs.submit(replace(request, further=(("LIME", 400),))))
    assert more.results["GradCAM"] is first.results["GradCAM"]
    lime = more.results["LIME"]
    assert lime.evaluations + lime.shared >= 398, "all but the two ends, which count for nobody"
    assert lime.evaluations <= 300, "what was asked before is not asked again"
