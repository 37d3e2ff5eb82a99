"""What a visitor wants explained, and the answer as far as it has come."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.service.metric_state import MetricState
from app.service.stores.picture_uploads import UploadedPicture
from explainers.method import Method
from explainers.method_runner import MethodResult
from models.cards.card import Card
from models.inspection.preprocessing_alternatives import PreprocessingAlternatives

State = Literal["loading", "looking", "queued", "running", "done", "stopped", "failed"]
Place = Literal["picture", "classifier", "request", "methods"]
FINAL = ("done", "stopped", "failed")


@dataclass(frozen=True)
class ExplanationRequest:
    """What one visitor wants explained. Equal requests have the same answer, so they share one job.

    target: the class explained; None takes the likeliest. rather_than: a second class for a contrast. further: methods by key that may
    spend more than the preset, with the evaluations that they may spend in all.
    """

    classifier: str
    picture: UploadedPicture
    methods: tuple[Method, ...]
    preset: str = "Balanced"
    target: int | None = None
    rather_than: int | None = None
    further: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ExplanationState:
    """An answer as far as it has come; a new state replaces it whenever something is known.

    image: (H, W, 3) float32 0..1, what the classifier gets. photo: (H, W, 3) uint8, the same view in finer pixels.
    probabilities: (classes,). picture_notes, pages: of the decoded file, as in models.images.decoded_picture. alternatives: what other
    usual preprocessing would answer, where the classifier's is a guess. results: by the method's key.
    ahead: explanations that come first in the queue.
    expected: evaluations, an upper bound. budget: evaluations that each method may spend. error and place: a sentence, and where on the
    page it belongs.
    """

    request: ExplanationRequest
    state: State = "loading"
    card: Card | None = None
    image: NDArray[np.float32] | None = None
    photo: NDArray[np.uint8] | None = None
    probabilities: NDArray[np.float32] | None = None
    target: int | None = None
    picture_notes: tuple[str, ...] = ()
    pages: int = 1
    alternatives: PreprocessingAlternatives | None = None
    results: Mapping[str, MethodResult] = field(default_factory=dict)
    ahead: int = 0
    evaluations: int = 0
    expected: int = 0
    budget: int = 0
    expected_seconds: float = 0.0
    started: float = 0.0
    seconds: float = 0.0
    error: str = ""
    place: Place = "picture"
    stored: bool = False
    measures: MetricState = field(default_factory=MetricState)

    @property
    def final(self) -> bool:
        return self.state in FINAL

    @property
    def settled(self) -> bool:
        """Final, and nothing is being measured."""
        return self.final and not self.measures.running

    @property
    def elapsed(self) -> float:
        """Seconds since the methods began; constant once the report is final."""
        return self.seconds or (time.monotonic() - self.started if self.started else 0.0)

    def stopped(self) -> "ExplanationState":
        """The same report for a visitor who no longer waits for the rest."""
        return self if self.final else replace(self, state="stopped", seconds=self.elapsed)
