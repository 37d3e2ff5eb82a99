"""What is done with a classifier once it is loaded: its speed is measured, and everything that maps need is compiled."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from image_batches import batch_of

if TYPE_CHECKING:
    from models.loading import Served

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredSpeed:
    """Seconds per image, as measured."""

    forward: float
    backward: float


def measure_classifier_speed(classifier: "Served") -> tuple[float, float]:
    """Seconds per image, forward and with a gradient, in a batch of 16, or fewer large ones; the first calls trace and are not counted."""
    from models.classifiers.score import Score

    images = np.full((batch_of(classifier.size, 16, classifier.layers), *classifier.size, 3), 0.5, np.float32)
    score = Score(0)
    classifier.outputs(images)
    start = time.perf_counter()
    classifier.outputs(images)
    forward = (time.perf_counter() - start) / len(images)
    if classifier.forward_only:
        return forward, forward
    classifier.gradients(images, score)
    start = time.perf_counter()
    classifier.gradients(images, score)
    return forward, (time.perf_counter() - start) / len(images)


def compile_remaining_functions(classifier: "Served") -> None:
    """Evaluates once what `measure_classifier_speed` does not: masked images, and the layers of the CAM family.

    What fails here fails again in the method that needs it and is reported there.
    """
    from models.classifiers.score import Score

    image = np.full((*classifier.size, 3), 0.5, np.float32)
    calls: list[Callable[[], object]] = [lambda: classifier.masked(image, np.ones((1, 1, 1), np.float32), image)]
    if not classifier.forward_only:
        layers: Any = classifier.default_layers  # every kind of classifier takes layers of its own kind
        calls.append(lambda: classifier.features(image, layers, Score(0)))
    for call in calls:
        try:
            call()
        except Exception:
            log.debug("a call of %s could not be compiled", classifier.card.name, exc_info=True)
