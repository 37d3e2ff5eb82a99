"""Jobs on the real bundled classifier: shared, stopped, timed out, refused when too many wait."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.explanation import method_key
from app.service import limits
from app.service.cached_answer import first_page_request
from app.service.classifier_registry import ClassifierRegistry, RegisteredClassifier
from app.service.example_gallery import ExampleGallery
from app.service.explanation_job import ExplanationJob
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationRequest
from app.service.session import SessionStore
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from explainers.methods.grad_cam import GradCAM
from explainers.methods.lime import LIME
from explainers.methods.occlusion import Occlusion
from explainers.methods.shap import SHAP
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


def request_for(number: int = 0, **changes: object) -> ExplanationRequest:
    picture = ExampleGallery(None).of("phantoms")[number].picture
    return replace(ExplanationRequest("phantoms", picture, (GradCAM(),), "Fast"), **changes)  # type: ignore[arg-type]


def finished(job: ExplanationJob) -> ExplanationJob:
    until(lambda: job.report.final)
    return job


def test_a_question_is_answered_with_prediction_and_maps(jobs: ExplanationQueue) -> None:
    report = finished(jobs.submit(request_for())).report
    assert report.state == "done"
    assert report.probabilities is not None
    assert report.target == int(report.probabilities.argmax())
    result = report.results[method_key(GradCAM())]
    assert result.done
    assert result.attribution is not None
    assert report.evaluations >= 1


def test_equal_questions_share_one_job_and_its_answer_is_kept(jobs: ExplanationQueue) -> None:
    job = jobs.submit(request_for())
    assert jobs.submit(request_for()) is job
    assert jobs.submit(replace(request_for(), picture=replace(request_for().picture, name="other"))) is job
    assert jobs.submit(finished(job).report.request) is job
    assert jobs.submit(request_for(1)) is not job


def test_another_class_of_the_same_picture_costs_few_evaluations(jobs: ExplanationQueue) -> None:
    methods = (GradCAM(), LIME(), SHAP())
    first = finished(jobs.submit(request_for(5, methods=methods))).report
    other = finished(jobs.submit(request_for(5, methods=methods, target=1 - min(1, first.target or 0)))).report
    assert other.state == "done"
    assert other.target != first.target
    assert other.evaluations < first.evaluations / 5
    assert other.probabilities is not None


def test_a_job_that_nobody_waits_for_stops_within_a_batch(jobs: ExplanationQueue) -> None:
    job = jobs.submit(request_for(2, methods=(Occlusion(search="fixed windows", window=8, stride=2),), preset="Thorough"))
    running, left = threading.Event(), threading.Event()

    def listener() -> None:
        """Holds the job after its first map, until its listener has left."""
        if job.report.evaluations:
            running.set()
            left.wait(PATIENCE)

    assert job.subscribe(listener)
    assert running.wait(PATIENCE)
    job.unsubscribe(listener)
    left.set()
    spent = job.report.evaluations
    assert finished(job).report.state == "stopped"
    assert job.report.evaluations <= spent + 3 * 32  # the batch under way, and those not yet reported


def test_the_budget_ends_a_job_with_a_sentence(shelf: ClassifierRegistry) -> None:
    jobs = ExplanationQueue(shelf, concurrency=1, queue=2, budget=1e-6)
    report = finished(
        jobs.submit(request_for(3, methods=(Occlusion(search="fixed windows", window=8, stride=2),), preset="Thorough"))
    ).report
    jobs.close()
    assert report.state == "stopped"
    assert "The time allowed for one explanation (1e-06 s) is over" in report.error


def test_whoever_asks_a_lot_waits_for_their_own(shelf: ClassifierRegistry) -> None:
    jobs = ExplanationQueue(shelf, concurrency=1, queue=8, budget=PATIENCE)
    slow = (Occlusion(search="fixed windows", window=8, stride=4),)
    greedy = [jobs.submit(request_for(number, methods=slow, preset="Thorough"), "192.0.2.1") for number in range(4)]
    until(lambda: [job.report.state for job in greedy].count("queued") == 3)
    other = jobs.submit(request_for(4, methods=slow, preset="Fast"), "192.0.2.2")
    until(lambda: other.report.state == "queued" or other.report.final)
    assert other.report.ahead <= 2, "the one that runs, and one more at most"
    finished(other)
    assert sum(job.report.final for job in greedy) <= 3
    jobs.close()


def test_too_many_questions_are_refused_in_words(jobs: ExplanationQueue) -> None:
    slow = (Occlusion(search="fixed windows", window=8, stride=2),)
    waiting = [jobs.submit(request_for(number, methods=slow, preset="Thorough")) for number in range(3)]
    with pytest.raises(UserError, match="Too many people are asking at once"):
        jobs.submit(request_for(4, methods=slow))
    assert max(job.report.ahead for job in waiting) <= 2


def test_jobs_that_nobody_waits_for_take_no_place_in_the_queue(jobs: ExplanationQueue) -> None:
    slow = (Occlusion(search="fixed windows", window=8, stride=2),)
    jobs.submit(request_for(0, methods=slow, preset="Thorough"))
    for number in range(1, 8):
        job, listener = jobs.submit(request_for(number, methods=slow, preset="Thorough")), lambda: None
        assert job.subscribe(listener)
        job.unsubscribe(listener)
        assert jobs.waiting == 1


def test_pictures_that_nobody_asks_about_are_forgotten_and_examples_are_not(jobs: ExplanationQueue) -> None:
    jobs.picture_in_use = lambda picture: False
    own = replace(request_for().picture, sha256="0" * 64, example="")
    finished(jobs.submit(request_for())), finished(jobs.submit(request_for(picture=own)))
    jobs.evict()
    assert [known.picture for known in jobs._jobs] == [request_for().picture]
    assert len(jobs._cases) == 1


def test_the_pace_is_that_of_several_runs_within_reason() -> None:
    entry = RegisteredClassifier("x", "x")
    assert entry.pace == 1
    for pace in (1.2, 40, 1.4):
        entry.paces.append(pace)
    assert entry.pace == 1.4
    entry.paces.extend([90] * 9)
    assert (entry.pace, len(entry.paces)) == (5, 5)


def test_a_loading_classifier_cannot_be_cancelled_by_one_who_waits() -> None:
    shelf = ClassifierRegistry(["no/such/model.keras"])
    loading = shelf.start(shelf.first)
    assert not loading.cancel()
    with pytest.raises(UserError):
        loading.result(PATIENCE)


def test_sessions_go_when_they_hold_too_much_or_rest_too_long() -> None:
    sessions = SessionStore(max_picture_bytes=100)
    for name in "abc":
        sessions.of(name).request = request_for(picture=UploadedPicture.of(name.encode() * 60, name))
    sessions.evict()
    assert len(sessions) == 1
    assert sessions.references(UploadedPicture.of(b"c" * 60, "c"))
    assert not sessions.references(UploadedPicture.of(b"a" * 60, "a"))
    old = SessionStore(idle_seconds=0)
    old.of("a")
    old.evict()
    assert len(old) == 0


def test_what_cannot_be_asked_fails_at_its_place(jobs: ExplanationQueue) -> None:
    wrong_class = finished(jobs.submit(request_for(target=77))).report
    assert (wrong_class.state, wrong_class.place) == ("failed", "request")
    assert "has no class number 77" in wrong_class.error
    with pytest.raises(UserError, match="offers no classifier"):
        jobs.registry.entry("../../etc/passwd")


def test_a_newer_run_silences_the_older_and_leaving_ends_both() -> None:
    sessions = SessionStore(max_sessions=2)
    session = sessions.of("a")
    assert session.begin() < session.begin()
    run = session.run
    sessions.leave("a")
    assert session.run > run
    for name in "bcd":
        sessions.of(name)
    assert len(sessions) == 2


def test_the_first_request_is_about_a_bundled_picture() -> None:
    assert first_page_request().picture.example.startswith("phantom")


def test_an_endless_uploaded_model_holds_up_no_bundled_classifier(shelf: ClassifierRegistry, jobs: ExplanationQueue) -> None:
    """Its prediction, and its explanation, are held for as long as the test wants; the file stands for an uploaded one."""
    entry = shelf.entries["phantoms"]
    theirs = shelf.entries["theirs"] = replace(entry, name="theirs", uploaded=True)
    held, release = threading.Event(), threading.Event()

    def endless() -> None:
        held.set()
        release.wait(PATIENCE)

    try:
        for pool in ("uploaded_predict", "uploaded_explain"):
            jobs._pools[pool].submit(endless)
        assert held.wait(PATIENCE)
        stuck = [jobs.submit(request_for(number, classifier=theirs.name)) for number in range(2)]
        assert jobs.idle.is_set(), "metrics and inspections of others go on"
        assert finished(jobs.submit(request_for(6))).report.state == "done"
        assert not any(job.report.final for job in stuck)
        with pytest.raises(UserError, match="Too many people are asking at once \\(2"):
            jobs.submit(request_for(3, classifier=theirs.name))
        assert jobs.submit(request_for(7))
    finally:
        release.set()
        for job in stuck:
            finished(job)
        del shelf.entries["theirs"]


def test_an_uploaded_model_has_less_time(shelf: ClassifierRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOADED_BUDGET_SECONDS", 0.05)
    shelf.entries["theirs"] = replace(shelf.entries["phantoms"], name="theirs", uploaded=True)
    jobs = ExplanationQueue(shelf, concurrency=1, queue=2, budget=PATIENCE)
    slow = (Occlusion(search="fixed windows", window=8, stride=2),)
    report = finished(jobs.submit(request_for(3, classifier="theirs", methods=slow, preset="Thorough"))).report
    jobs.close()
    del shelf.entries["theirs"]
    assert (report.state, "(0.05 s) is over" in report.error) == ("stopped", True)


def test_one_address_never_holds_all_places(shelf: ClassifierRegistry) -> None:
    jobs = ExplanationQueue(shelf, concurrency=1, queue=3, budget=PATIENCE)
    slow = (Occlusion(search="fixed windows", window=8, stride=2),)
    for number in range(3):
        jobs.submit(request_for(number, methods=slow, preset="Thorough"), "192.0.2.1")
    with pytest.raises(UserError, match="from your address wait already"):
        jobs.submit(request_for(3, methods=slow, preset="Thorough"), "192.0.2.1")
    assert jobs.submit(request_for(3, methods=slow, preset="Thorough"), "192.0.2.2")
    jobs.close()
