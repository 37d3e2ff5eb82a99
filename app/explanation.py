"""Explains one picture: fits it to the classifier, builds its case, runs the methods and passes on each map as it comes.

The one pipeline of the page and of the command line; it knows neither.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Timer
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Classifier
from explainers.classifier_protocol import Score as CaseScore
from explainers.explanation_case import PRESETS, Case, EvaluationStopped, ExplanationSettings
from explainers.method import Method
from explainers.method_runner import MethodResult, run_methods
from models.cards.card import Card
from models.classifiers.score import Score
from models.images.decoder import decode_picture, fit_to_size

if TYPE_CHECKING:
    from models.loading import Served

SHARE_PLANNED = 0.9
"""Of the time limit: what the machine does beside the explanation has the rest."""
LEAST_BUDGET = 16
SIDE_ON_SCREEN = 640  # pixels of a photo's longer side, about: a whole multiple of what the classifier takes
Floats = NDArray[np.float32]
ScoreChoice = Callable[[int], Score]
"""The likeliest class -> the score to explain."""


class EvaluationSpeed(Protocol):
    """Seconds per image on this machine: of a forward pass, and of a forward and a backward pass."""

    @property
    def forward(self) -> float: ...
    @property
    def backward(self) -> float: ...


@dataclass(frozen=True)
class FittedPicture:
    """image: (H, W, 3) float32 0..1, what the classifier gets. photo: (rows, columns, 3) float32 0..1, the same view in finer pixels."""

    image: Floats
    photo: Floats

    @classmethod
    def of(cls, image: Floats) -> "FittedPicture":
        """From a picture that already has the classifier's size, where the original is not needed."""
        return cls(image, image)


@dataclass(frozen=True)
class Prediction:
    """probabilities: (classes,). score: what is explained."""

    probabilities: Floats
    score: Score


@dataclass(frozen=True)
class CostEstimate:
    """Evaluations at most: forward passes alone, and those with a backward pass."""

    forward: int = 0
    backward: int = 0

    @property
    def evaluations(self) -> int:
        return self.forward + self.backward

    def seconds(self, speed: EvaluationSpeed) -> float:
        return self.forward * speed.forward + self.backward * speed.backward

    def __add__(self, other: "CostEstimate") -> "CostEstimate":
        return CostEstimate(self.forward + other.forward, self.backward + other.backward)


@dataclass(frozen=True)
class ExplanationPlan:
    """What to do with a picture.

    score: what is explained, or how it is chosen once the prediction is there. further: methods by key that may spend more than the
    preset, with the evaluations that they may spend in all; only they and those without a map run. time_limit: seconds, or None.
    speed: as measured on this machine; with it the budget of each method is lowered where the time limit would cut the run off.
    """

    methods: Sequence[Method]
    settings: ExplanationSettings
    score: CaseScore | ScoreChoice
    further: Mapping[str, int] = field(default_factory=dict)
    time_limit: float | None = None
    speed: EvaluationSpeed | None = None


@dataclass(frozen=True)
class EarlierExplanation:
    """What an earlier explanation of the same picture left: its case, whose evaluations are reused, and its results by method key."""

    case: Case | None = None
    results: Mapping[str, MethodResult] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """One picture's maps as far as they have come.

    results: by method key, in the order in which each method's first map came. cost: of this run, at most. evaluations: of this run so far.
    """

    picture: FittedPicture
    case: Case
    cost: CostEstimate
    results: Mapping[str, MethodResult]
    evaluations: int = 0


Listener = Callable[[Explanation], None]


def method_key(method: Method) -> str:
    """The method's name in results, on the page and in its messages."""
    return type(method).__name__


def as_explainable_classifier(classifier: "Served") -> Classifier:
    """The same classifier as the explainers see it: each kind takes scores and layers of its own kind, which no checker can know."""
    return cast(Classifier, classifier)


def fit_picture_to_input(picture: bytes | Floats, card: Card) -> FittedPicture:
    """A picture's file, or its pixels (any height, any width, 3) RGB 0..1 -> what the classifier gets of it. Raises UserError."""
    height, width = card.size
    times = max(1, SIDE_ON_SCREEN // max(height, width))
    pixels = decode_picture(picture) if isinstance(picture, bytes) else picture
    image, photo = (fit_to_size(pixels, (height * k, width * k), card.fit) for k in (1, times))
    return FittedPicture(image, photo)


def predict_image(image: Floats, classifier: "Served", choice: ScoreChoice) -> Prediction:
    """(H, W, 3) -> the prediction and what is to be explained of it. UserError where a class does not exist."""
    probabilities = classifier.predict(image)
    score = choice(int(np.argmax(probabilities)))
    score.check(classifier.labels)
    return Prediction(probabilities, score)


def explain_picture(
    picture: bytes | Floats | FittedPicture,
    classifier: "Served",
    plan: ExplanationPlan,
    on_start: Listener = lambda explanation: None,
    on_result: Listener = lambda explanation: None,
    earlier: EarlierExplanation | None = None,
) -> Explanation:
    """Runs the methods, cheap ones first; ends with the maps that are there after `plan.time_limit` or when the case is stopped.

    on_start: called once the cost is known; where it raises Stopped, no method runs. on_result: called with each map that is new or
    better. Raises UserError.
    """
    earlier = earlier or EarlierExplanation()
    fitted = picture if isinstance(picture, FittedPicture) else fit_picture_to_input(picture, classifier.card)
    score = predict_image(fitted.image, classifier, plan.score).score if callable(plan.score) else plan.score
    case = (
        earlier.case.with_score(score) if earlier.case else Case(as_explainable_classifier(classifier), fitted.image, score, plan.settings)
    )
    case = case.with_budget(budget) if (budget := _budget(plan, case)) else case
    rounds = _rounds(plan, case, earlier.results)
    cost = sum((estimate_explanation_cost(methods, each) for each, methods in rounds), CostEstimate())
    found, before = Explanation(fitted, case, cost, earlier.results), case.evaluations
    with contextlib.suppress(EvaluationStopped):
        on_start(found)
        with _time_limit(case, plan.time_limit):
            for each, methods in rounds:
                for result in run_methods(each, methods):
                    key = method_key(result.method)
                    results = {**found.results, key: _better(found.results.get(key), result)}
                    found = replace(found, results=results, evaluations=case.evaluations - before)
                    on_result(found)
    return found


def estimate_explanation_cost(methods: Sequence[Method], case: Case) -> CostEstimate:
    """Adds up the methods' own costs; those that share one pool of evaluations count once."""
    costs = [(method.pooled, _cost(method, case)) for method in methods]
    alone = sum((cost for pooled, cost in costs if not pooled), CostEstimate())
    return alone + max((cost for pooled, cost in costs if pooled), key=lambda cost: cost.evaluations, default=CostEstimate())


def largest_budget_within_time(methods: Sequence[Method], case: Case, speed: EvaluationSpeed, seconds: float) -> int:
    """The largest number of evaluations per method, at most the case's, with which all of them take no more than so many seconds.

    LEAST where even that takes longer.
    """

    def fits(budget: int) -> bool:
        return estimate_explanation_cost(methods, case.with_budget(budget)).seconds(speed) <= seconds

    if fits(case.budget):
        return case.budget
    low, high = min(LEAST_BUDGET, case.budget), case.budget
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _budget(plan: ExplanationPlan, case: Case) -> int | None:
    """What each method may spend of the plan's own settings, which an earlier explanation with this case may have had less of."""
    own = plan.settings.budget or PRESETS[plan.settings.preset]
    if plan.time_limit is None or plan.speed is None:
        return own if case.budget != own else None
    return largest_budget_within_time(plan.methods, case.with_budget(own), plan.speed, SHARE_PLANNED * plan.time_limit)


def estimate_preset_seconds(classifier: "Served", methods: Sequence[Method], speed: EvaluationSpeed) -> dict[str, float]:
    """Preset -> seconds that an explanation takes at most, for the speed measured when the classifier was loaded."""
    grey = np.full((*classifier.size, 3), 0.5, np.float32)
    cases = {preset: Case(as_explainable_classifier(classifier), grey, Score(0), ExplanationSettings(preset=preset)) for preset in PRESETS}
    return {preset: estimate_explanation_cost(methods, case).seconds(speed) for preset, case in cases.items()}


def _cost(method: Method, case: Case) -> CostEstimate:
    cost = method.cost(case)
    return CostEstimate(forward=cost) if method.asks == "outputs" else CostEstimate(backward=cost)


Rounds = list[tuple[Case, list[Method]]]


def _rounds(plan: ExplanationPlan, case: Case, known: Mapping[str, MethodResult]) -> Rounds:
    """Which methods run on which case: first those that have no map yet, then each that may spend more, with a case that allows it."""
    usual = [method for method in plan.methods if method_key(method) not in plan.further and method_key(method) not in known]
    more = [(case.with_budget(plan.further[method_key(method)]), [method]) for method in plan.methods if method_key(method) in plan.further]
    return [(case, usual), *more] if usual else more


@contextlib.contextmanager
def _time_limit(case: Case, seconds: float | None) -> Iterator[None]:
    """Stops the case when the time is over."""
    if seconds is None:
        yield
        return
    clock = Timer(seconds, case.stop)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _better(old: MethodResult | None, new: MethodResult) -> MethodResult:
    """A map that rests on more evaluations than the new one stays until it is surpassed."""
    if old is None or old.attribution is None or new.evaluations + new.shared >= old.evaluations + old.shared:
        return new
    return replace(old, done=new.done)
