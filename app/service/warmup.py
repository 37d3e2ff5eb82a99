"""What a classifier is asked as soon as it is there: how fast it is, and whatever compiles what maps need."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.classifiers.keras_classifier import Classifier

log = logging.getLogger(__name__)


def measure_speed(classifier: "Classifier") -> tuple[float, float]:
    """Forward and with a gradient, at a batch of 16; the first calls trace and are not counted."""
    from models.classifiers.score import Score

    images = np.full((16, *classifier.size, 3), 0.5, np.float32)
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


def compile_remaining(classifier: "Classifier") -> None:
    """Asks once what `seconds_a_picture` does not: masked pictures, and the layers of the CAM family.

    What fails here fails again where a method asks it, and is told in that method's panel.
    """
    from models.classifiers.score import Score

    image = np.full((*classifier.size, 3), 0.5, np.float32)
    questions: list[Callable[[], object]] = [lambda: classifier.masked(image, np.ones((1, 1, 1), np.float32), image)]
    if not classifier.forward_only:
        questions.append(lambda: classifier.features(image, classifier.default_layers, Score(0)))
    for question in questions:
        try:
            question()
        except Exception:
            log.debug("a question of %s could not be compiled", classifier.card.name, exc_info=True)
