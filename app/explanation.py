"""What a job does: decode and fit the picture, predict, then let the methods work on one case and pass on what they find."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.service.case_cache import CaseCache
from app.service.classifier_registry import ClassifierRegistry, RegisteredClassifier
from app.service.request import ExplanationRequest, ExplanationState, key_of
from explainers.case import PRESETS, Case, Settings
from explainers.method import Method
from explainers.runner import Result, run_methods
from models.cards.card import Card
from models.classifiers.score import Score
from models.images.decoder import decode, fit

if TYPE_CHECKING:
    from app.service.explanation_queue import ExplanationJob
    from models.classifiers.keras_classifier import Classifier

SIDE_ON_SCREEN = 640
ENOUGH_TO_TIME = 100  # evaluations; below, what a run costs is not what its evaluations cost
_decoding = Lock()  # a picture of 50 megapixels takes 600 MB while it is decoded: one at a time


def predict_first(job: "ExplanationJob", loaded: "Future[Classifier]") -> None:
    """Turns bytes into pixels, of which alone the job keeps a copy, and publishes the prediction. loaded: done. Never raises."""
    question = job.report.question
    try:
        classifier = loaded.result()
    except Exception as error:
        return job.fail(error, "classifier")
    job.publish(state="looking", card=classifier.card)
    try:
        image, photo = fit_picture(question.picture.data, classifier.card)
    except Exception as error:
        return job.fail(error, "picture")
    try:
        probabilities = classifier.predict(image)
        target = int(np.argmax(probabilities)) if question.target is None else question.target
        score_of(target, question.rather_than).check(classifier.labels)
    except Exception as error:
        return job.fail(error, "question")
    bare = replace(question, picture=question.picture.bare)
    return job.publish(question=bare, image=image, photo=photo, probabilities=probabilities, target=target)


def fit_picture(data: bytes, card: Card) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A picture's file -> what the classifier gets (H, W, 3) float32, and the same view in finer pixels, uint8. Raises UserError."""
    height, width = card.size
    times = max(1, SIDE_ON_SCREEN // max(height, width))
    with _decoding:
        picture = decode(data)
        image, photo = (fit(picture, (height * k, width * k), card.fit) for k in (1, times))
    return image, np.round(np.clip(photo, 0, 1) * 255).astype(np.uint8)


def explain(
    job: "ExplanationJob", shelf: ClassifierRegistry, cases: CaseCache, budget: float, before: ExplanationState | None = None
) -> None:
    """Runs the methods, cheap ones first, and publishes each map as it comes. Ends after `budget` seconds. Never raises.

    before: the answer from which a question with `further` evaluations goes on; only the methods named there work again.
    """
    question, report = job.report.question, job.report
    key = (question.classifier, question.picture, question.preset)
    try:
        classifier, entry = shelf.get(question.classifier), shelf.entry(question.classifier)
        score, known = _score(report), cases.take(key)
        case = known.with_score(score) if known else Case(classifier, report.image, score, Settings(preset=question.preset))
        results = dict(before.results) if before else {}
        rounds = _rounds(question, case, results)
        outlook = _sum([estimate_cost(methods, each, entry) for each, methods in rounds])
        job.stop_case = case.stop
        seconds = outlook.seconds * entry.pace
        job.publish(
            state="running", ahead=0, results=results, started=time.monotonic(), expected=outlook.evaluations, expected_seconds=seconds
        )
        if not job.abandoned:
            _run_with_timeout(job, case, rounds, budget)
    except Exception as error:
        return job.fail(error, "methods")
    late = job.report.elapsed >= budget
    words = f"The time allowed for one explanation ({budget:g} s) is over; the maps stand as far as they came." if late else ""
    job.publish(state="stopped" if late or job.abandoned else "done", seconds=job.report.elapsed, error=words, place="methods")
    if job.report.state == "done" and not known and not question.further and job.report.evaluations >= ENOUGH_TO_TIME:
        entry.paces.append(job.report.elapsed / outlook.seconds)
    job.stop_case = lambda: None  # the case is another's from here on
    return cases.put(key, case)


Rounds = list[tuple[Case, list[Method]]]


def _rounds(question: ExplanationRequest, case: Case, known: Mapping[str, Result]) -> Rounds:
    """Who works with which case: first those that have no map yet, then each that may spend more, with a case that allows it."""
    further = dict(question.further)
    usual = [method for method in question.methods if key_of(method) not in further and key_of(method) not in known]
    more = [(case.with_budget(further[key_of(method)]), [method]) for method in question.methods if key_of(method) in further]
    return [(case, usual), *more] if usual else more


def _run_with_timeout(job: "ExplanationJob", case: Case, rounds: Rounds, budget: float) -> None:
    """Every map that a method gives becomes part of the report; the case is stopped when the time is over."""
    before = case.evaluations
    clock = Timer(budget, case.stop)
    clock.daemon = True
    clock.start()
    try:
        for each, methods in rounds:
            for result in run_methods(each, methods):
                results = {**job.report.results, key_of(result.method): _better(job.report.results.get(key_of(result.method)), result)}
                job.publish(results=results, evaluations=case.evaluations - before)
    finally:
        clock.cancel()


def _better(old: Result | None, new: Result) -> Result:
    """A map that rests on more evaluations than the new one stays until it is surpassed."""
    if old is None or old.attribution is None or new.evaluations + new.shared >= old.evaluations + old.shared:
        return new
    return replace(old, done=new.done)


@dataclass(frozen=True)
class CostEstimate:
    """What an explanation will cost at most: evaluations and seconds on this machine."""

    evaluations: int
    seconds: float


def estimate_cost(methods: Sequence[Method], case: Case, entry: RegisteredClassifier) -> CostEstimate:
    """Adds up the methods' own costs; those that share one pool of evaluations count once."""
    alone, pooled, seconds, shared_seconds = 0, 0, 0.0, 0.0
    for method in methods:
        cost = method.cost(case)
        price = cost * (entry.forward if method.asks == "outputs" else entry.backward)
        if method.pooled:
            pooled, shared_seconds = max(pooled, cost), max(shared_seconds, price)
        else:
            alone, seconds = alone + cost, seconds + price
    return CostEstimate(alone + pooled, seconds + shared_seconds)


def _sum(outlooks: Sequence[CostEstimate]) -> CostEstimate:
    return CostEstimate(sum(each.evaluations for each in outlooks), sum(each.seconds for each in outlooks))


def estimate_presets(entry: RegisteredClassifier, classifier: "Classifier", methods: Sequence[Method]) -> None:
    """How long each preset will take on this machine, from the speed that was measured when the classifier was loaded."""
    grey = np.full((*classifier.size, 3), 0.5, np.float32)
    for preset in PRESETS:
        entry.forecasts[preset] = estimate_cost(methods, Case(classifier, grey, Score(0), Settings(preset=preset)), entry).seconds


def score_of(target: int, rather_than: int | None) -> Score:
    """The centred logit of a class, or its contrast with a second one."""
    return Score(target) if rather_than is None else Score(target, "contrast", rather_than)


def _score(report: ExplanationState) -> Any:
    assert report.target is not None
    return score_of(report.target, report.question.rather_than)
