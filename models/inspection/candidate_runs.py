"""Shows a classifier the same pictures prepared in every usual way, and once more after changes that should not matter."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from models.classifiers.base import BaseClassifier
from models.inspection.candidate_scores import CandidateAnswers
from models.inspection.candidates import Preprocessing, apply_preprocessing, usual_candidates

Floats = NDArray[np.float32]

Progress = Callable[[int, int], None]
"""Told after every few pictures about how many the model has been asked, and about how many it will be."""

CHANGED = 16
"""Pictures that are changed, too: each in four ways, for every way of preparing."""
_AT_ONCE = 8
_SHIFT, _DARKER, _BLUR = 0.04, 0.9, 0.7  # of the sides; times; pixels


def answers(served: BaseClassifier[Any], images: Floats, progress: Progress) -> list[CandidateAnswers]:
    """images: (n, H, W, 3) as the classifier takes them. The way that its card says comes first."""
    ways = usual_candidates(served.card, images)
    changed = perturbations(images[:CHANGED])
    asked = _Asked(served, len(ways) * (len(images) + sum(map(len, changed))), progress)
    return [_answers(asked, images, changed, each) for each in ways]


class _Asked:
    """A classifier that is asked a few pictures at a time, and counts them."""

    def __init__(self, served: BaseClassifier[Any], most: int, progress: Progress) -> None:
        self.served, self.most, self.progress, self.done = served, most, progress, 0

    def probabilities(self, images: Floats) -> NDArray[np.float64]:
        """(n, H, W, 3) -> (n, classes); 0 for every class where an answer is no number."""
        with np.errstate(invalid="ignore", over="ignore"):
            found = self.served.probabilities(np.concatenate(list(self._logits(images)))).astype(np.float64)
        return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, 0.0)

    def _logits(self, images: Floats) -> Iterator[Floats]:
        for start in range(0, len(images), _AT_ONCE):
            some = images[start : start + _AT_ONCE]
            yield self.served.outputs(some)
            self.done += len(some)
            self.progress(self.done, self.most)


def _answers(asked: _Asked, images: Floats, changed: Sequence[Floats], preparing: Preprocessing) -> CandidateAnswers:
    card = asked.served.card
    after = [asked.probabilities(apply_preprocessing(each, card, preparing)) for each in changed]
    return CandidateAnswers(preparing, asked.probabilities(apply_preprocessing(images, card, preparing)), np.stack(after))


def perturbations(images: Floats) -> tuple[Floats, ...]:
    """(n, H, W, 3) -> the same mirrored, shifted, darker, and blurred: what they show stays the same."""
    height, width = images.shape[1:3]
    moved = shift(images, (0, round(_SHIFT * height), round(_SHIFT * width), 0), order=0, mode="nearest")
    blurred = gaussian_filter(images, (0, _BLUR, _BLUR, 0), mode="nearest")
    return images[:, :, ::-1], moved, images * np.float32(_DARKER), blurred
