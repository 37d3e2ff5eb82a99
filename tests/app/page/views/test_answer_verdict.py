"""The answer strip: a tag and three lines, of what was measured; hiding runs by itself where it is quick."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.conclusion import AgreementFacts, ConclusionFacts, HidingFacts, conclude_from_facts
from app.page.views.answer_verdict import conclusion_phrases, verdict_tag, verdict_view
from app.page.views.page_state import PageState
from app.page.views.summary_questions import questions_view
from app.service.cached_answer import first_page_request
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationState
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import CONTROLS, HiddenConsensusMetric, HiddenPlaceOutcome
from tests.patience import PATIENCE, until


@pytest.fixture(scope="module")
def shelf() -> ClassifierRegistry:
    shelf = ClassifierRegistry(["phantoms"])
    shelf.get("phantoms")
    return shelf


@pytest.fixture
def jobs(shelf: ClassifierRegistry) -> Iterator[ExplanationQueue]:
    jobs = ExplanationQueue(shelf, concurrency=1, queue=2, budget=PATIENCE)
    yield jobs
    jobs.close()


def answered(jobs: ExplanationQueue) -> ExplanationState:
    job = jobs.submit(replace(first_page_request(), methods=(GradCAM(), Occlusion()), preset="Fast"))
    until(lambda: job.report.settled)
    return job.report


def test_the_lines_come_with_the_agreement_and_the_hiding(jobs: ExplanationQueue, shelf: ClassifierRegistry) -> None:
    shelf.entry("phantoms").forward = 0.001
    report = answered(jobs)
    (hidden,) = report.measures.of(HiddenConsensusMetric)
    assert len(hidden.others) == CONTROLS
    value = verdict_view(PageState(7, report))
    agreement, hiding, record = ("".join(text for text, _ in line) for line in value["where"])
    assert value["run"] == 7
    assert "2 kinds of method" in agreement
    assert "1 of 1 pairs" in agreement or "0 of 1 pairs" in agreement
    assert hiding.startswith("Hide the ")
    assert ("do not believe" in hiding) == (hidden.outcome == HiddenPlaceOutcome.NO_MORE)
    assert record.startswith("On this classifier, with evidence that was known, ")
    assert value["tag"]
    assert value["offer"] is None
    for unfinished in (replace(report, measures=replace(report.measures, findings={})), replace(report, state="running")):
        assert len(verdict_view(PageState(7, unfinished))["where"]) == 1
        assert questions_view(PageState(7, unfinished))["answers"]["trust"]["text"] == "Not tested yet."


def test_where_hiding_would_take_long_it_is_offered_and_not_run(jobs: ExplanationQueue, shelf: ClassifierRegistry) -> None:
    entry = shelf.entry("phantoms")
    entry.forward = HiddenConsensusMetric.seconds_at_most / CONTROLS * 10
    report = answered(jobs)
    assert report.measures.agreement is not None
    assert report.measures.of(HiddenConsensusMetric) == ()
    value = verdict_view(PageState(1, report))
    assert "has not been hidden yet; that takes 21 evaluations" in "".join(text for text, _ in value["where"][1])
    assert value["offer"]["kind"] == HiddenConsensusMetric.key
    assert report.measures.prices[HiddenConsensusMetric.key].evaluations == 1 + 1 + CONTROLS
    job = jobs.submit(report.request)
    jobs.metrics.submit(job, HiddenConsensusMetric.key)
    until(lambda: job.report.settled)
    assert len(job.report.measures.of(HiddenConsensusMetric)) == 1


def facts(strength: AgreementLevel, outcome: HiddenPlaceOutcome | None = None, at_edge: bool = False, kinds: int = 4) -> ConclusionFacts:
    hiding = HidingFacts(outcome, "the right edge", 0.1, 0.99, 0.2, "dots", 20, 20, at_edge) if outcome else None
    return ConclusionFacts("streaks", AgreementFacts(strength, kinds, 5, 6, 6, "the right edge"), hiding, None)


STATES = [
    (facts(AgreementLevel.STRONG, HiddenPlaceOutcome.FOLLOWS), "good", "They agree, and it holds when tested"),
    (facts(AgreementLevel.STRONG), "unsure", "They agree; not tested yet"),
    (facts(AgreementLevel.STRONG, HiddenPlaceOutcome.NO_MORE), "bad", "The answer does not follow the maps"),
    (facts(AgreementLevel.STRONG, HiddenPlaceOutcome.STAYS), "bad", "The answer does not follow the maps"),
    (facts(AgreementLevel.STRONG, HiddenPlaceOutcome.FOLLOWS, at_edge=True), "warn", "At the edge: may be a shortcut"),
    (facts(AgreementLevel.SOME), "warn", "Some agreement"),
    (facts(AgreementLevel.SOME, HiddenPlaceOutcome.FOLLOWS), "warn", "Some agreement, and it holds when tested"),
    (facts(AgreementLevel.NONE, HiddenPlaceOutcome.FOLLOWS), "bad", "No agreement"),
    (facts(AgreementLevel.CANNOT_TELL), "unsure", "Agreement cannot be told yet"),
    (facts(AgreementLevel.STRONG, kinds=1), "unsure", "Nothing to compare"),
    (ConclusionFacts("streaks", None, None, None), "unsure", "Nothing to compare"),
]


@pytest.mark.parametrize(("found", "tone", "text"), STATES)
def test_every_state_has_its_tag_and_short_sentences(found: ConclusionFacts, tone: str, text: str) -> None:
    assert verdict_tag(found) == {"tone": tone, "text": text}
    lines = conclusion_phrases(found, conclude_from_facts(found))
    assert len(lines) == 3
    for line in lines:
        assert sum(strong for _, strong in line) <= 1
        assert all(len(sentence.split()) <= 25 for sentence in "".join(words for words, _ in line).split(". "))
    if found.agreement and found.agreement.strength == AgreementLevel.STRONG and found.agreement.kinds > 1:
        assert ("the right edge", True) in lines[0]
