"""The three lines on the page: nothing before the maps were compared, then what was measured; hiding runs by itself where it is quick."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.page.views.conclusion_lines import conclusion_view
from app.service.cached_answer import first_page_request
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationState
from explainers.methods.grad_cam import GradCAM
from explainers.methods.occlusion import Occlusion
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
    value = conclusion_view(report, 7)
    agreement, hiding, record = value["lines"]
    assert value["run"] == 7
    assert "2 kinds of method" in agreement
    assert "1 of 1 pairs" in agreement or "0 of 1 pairs" in agreement
    assert hiding.startswith("Hide the ")
    assert ("do not believe" in hiding) == (hidden.outcome == HiddenPlaceOutcome.NO_MORE)
    assert record.startswith("On this classifier, with evidence that was known, ")
    assert "reading.md" in value["reading"]
    assert conclusion_view(replace(report, measures=replace(report.measures, findings={})), 7)["lines"] == []
    assert conclusion_view(replace(report, state="running"), 7)["lines"] == []


def test_where_hiding_would_take_long_it_is_offered_and_not_run(jobs: ExplanationQueue, shelf: ClassifierRegistry) -> None:
    entry = shelf.entry("phantoms")
    entry.forward = HiddenConsensusMetric.seconds_at_most / CONTROLS * 10
    report = answered(jobs)
    assert report.measures.agreement is not None
    assert report.measures.of(HiddenConsensusMetric) == ()
    assert "has not been hidden yet; that takes 21 evaluations" in conclusion_view(report, 1)["lines"][1]
    assert report.measures.prices[HiddenConsensusMetric.key].evaluations == 1 + 1 + CONTROLS
    job = jobs.submit(report.request)
    jobs.metrics.submit(job, HiddenConsensusMetric.key)
    until(lambda: job.report.settled)
    assert len(job.report.measures.of(HiddenConsensusMetric)) == 1
