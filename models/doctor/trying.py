"""Shows a model the same pictures prepared in every usual way, a few of them also slightly changed, and keeps what it answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.answering import Answering
from models.doctor.preparing import can_be_undone, of, shown_as, usual
from models.doctor.ranking import Answers

Floats = NDArray[np.float32]

BATCH = 16
CHANGED = 24
"""Of how many pictures changed copies are shown."""


def tried(classifier: Answering[Any], images: Floats) -> list[Answers]:
    """What the model answers to pictures (n, H, W, 3) in each usual way, today's first; today's alone where it cannot be undone."""
    ways = usual(classifier.card, images) if can_be_undone(classifier.card) else (of(classifier.card),)
    found = []
    for way in ways:
        asked = [_probabilities(classifier, shown_as(seen, classifier.card, way)) for seen in (images, *_changed(images[:CHANGED]))]
        if all(np.isfinite(each).all() for each in asked):
            found.append(Answers(way, asked[0], np.stack(asked[1:])))
    return found


def _changed(images: Floats) -> list[Floats]:
    """Changes that leave a picture what it is: mirrored, moved by a thirtieth of the side, a little brighter, a little darker."""
    step = max(1, images.shape[2] // 30)
    moved = np.concatenate([np.repeat(images[:, :, :1], step, axis=2), images[:, :, :-step]], axis=2)
    changes: tuple[Callable[[Floats], Floats], ...] = (
        lambda seen: seen[:, :, ::-1],
        lambda _: moved,
        lambda seen: np.minimum(seen * np.float32(1.05), 1),
        lambda seen: seen * np.float32(0.95),
    )
    return [change(images) for change in changes]


def _probabilities(classifier: Answering[Any], images: Floats) -> NDArray[np.float64]:
    """(n, classes) as the model gives them; not calibrated, for a temperature fitted to one preparing says nothing of another."""
    parts = [classifier.outputs(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    return np.asarray(classifier.probabilities(np.concatenate(parts)), np.float64)
