"""Loads one model of the zoo, makes every map of one picture with few evaluations, and holds its gradients against differences."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.zoo_parts.checks.differences import image_gradient_error, layer_gradient_error
from benchmarks.zoo_parts.models.random_images import COUNT, random_images
from explainers.baselines import make_baseline_image
from explainers.blank_maps import FLAT, BlankReason
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method import Method
from explainers.method_runner import MethodResult, run_methods
from explainers.methods import METHODS
from models.cards.metadata import encode_metadata
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.graph.preprocessing import preprocess_images
from models.loading import load_classifier

BUDGET = 96
MAP, NEGATIVE_MAP, BLANK, NO_NUMBER, NOT_ALLOWED = "map", "nothing positive", "blank", "not finite", "not allowed"


@dataclass(frozen=True)
class ModelInputs:
    """The inputs of a model as it takes them, the explained class, and the number of its outputs."""

    inputs: tuple[NDArray[np.float32], ...]
    target: int
    units: int


@dataclass(frozen=True)
class ModelCheck:
    """error: why it did not load. maps: a method's title -> what became of it. Errors of gradients are None where there are none."""

    error: str = ""
    maps: dict[str, str] = field(default_factory=dict)
    image_error: float | None = None
    layer_error: float | None = None

    def counted(self, methods: Sequence[type[Method]], *kinds: str) -> int:
        """How many of the methods' maps are of these kinds."""
        return sum(self.maps.get(method.title) in kinds for method in methods)

    def allowed(self, methods: Sequence[type[Method]]) -> int:
        """How many of the methods the model's format and shape allow."""
        return sum(self.maps.get(method.title, "") != NOT_ALLOWED for method in methods)


def check_model(name: str, differentiable: bool = True, budget: int = BUDGET) -> tuple[ModelCheck, ModelInputs | None]:
    """name: as `models.loading.load_classifier` takes it."""
    try:
        served: Any = load_classifier(name)
    except Exception as error:  # every failure is a row of the table
        return ModelCheck(f"{type(error).__name__}: {error}"), None
    image = np.round(random_images(served.size, COUNT + 1)[-1] * 256) / np.float32(256)  # on a lattice, to which a step adds exactly
    raised = np.subtract(*served.outputs(np.stack([image, make_baseline_image(image, "blur", None)])))
    score = Score(int(raised.argmax()))  # the class for which there is most to show
    case = Case(served, image, score, ExplanationSettings(preset="Fast", budget=budget))
    maps = {r.method.title: _kind(r, served) for r in run_methods(case, [method() for method in METHODS]) if r.done}
    errors = _errors(served, image, score) if differentiable else (None, None)
    return ModelCheck("", maps, *errors), ModelInputs(
        _inputs(served, image), score.target, 1 if served.card.head == "sigmoid" else len(served.labels)
    )


def _kind(result: MethodResult, served: Any) -> str:
    """A map counts as blank where it varies by no more than rounding, or is zero everywhere after it; not for being negative."""
    if result.attribution is None:
        asks = result.method.asks
        allowed = asks == "outputs" or (not served.forward_only and (asks == "gradients" or bool(served.layers)))
        return f"failed: {result.error}" if allowed else NOT_ALLOWED
    found = result.attribution
    read = found.values if found.signed is None else found.signed
    if found.blank == BlankReason.NOT_FINITE or not np.isfinite(read).all():
        return NO_NUMBER
    if np.ptp(read) <= FLAT * np.abs(read).max():
        return BLANK
    return NEGATIVE_MAP if found.blank == BlankReason.NEGATIVE else MAP


def _errors(served: Any, image: NDArray[np.float32], score: Score) -> tuple[float | None, float | None]:
    if served.forward_only:
        return None, None
    layers = layer_gradient_error(served, image, score) if isinstance(served, KerasClassifier) and served.layers else None
    return image_gradient_error(served, image, score), layers


def _inputs(served: Any, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    if not isinstance(served, KerasClassifier):
        return (np.asarray(preprocess_images(image[None], served.card, 3), np.float32),)
    trace = served.trace
    ask = functools.partial(trace.function([trace.images], list(trace.prepared)), image[None])
    metadata = [encode_metadata(served.card.metadata, {})[None]] if served.card.metadata else []
    return (*ask(), *metadata)
