"""Evaluates a classifier on the same images under every common preprocessing, and on perturbed copies of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from image_batches import batch_of
from models.classifiers.base_classifier import BaseClassifier
from models.inspection.preprocessing_candidates import PreprocessingScheme, apply_preprocessing, list_preprocessing_candidates
from models.inspection.preprocessing_scores import CandidateAnswers

Floats = NDArray[np.float32]

Progress = Callable[[int, int], None]
"""Called after every few images with the number evaluated and the number there will be."""

PERTURBED = 16
"""Images that are also evaluated under four perturbations, for every candidate."""
_BATCH = 8
_SHIFT, _DARKER, _BLUR = 0.04, 0.9, 0.7  # of the sides; times; pixels


def run_preprocessing_candidates(served: BaseClassifier[Any], images: Floats, progress: Progress) -> list[CandidateAnswers]:
    """images: (n, H, W, 3) as the classifier takes them. The preprocessing that its card states comes first."""
    candidates = list_preprocessing_candidates(served.card, images)
    perturbed = perturb_images(images[:PERTURBED])
    classifier = _CountingClassifier(served, len(candidates) * (len(images) + sum(map(len, perturbed))), progress)
    return [_run_candidate(classifier, images, perturbed, each) for each in candidates]


class _CountingClassifier:
    """Evaluates a classifier in small batches and reports progress."""

    def __init__(self, served: BaseClassifier[Any], total: int, progress: Progress) -> None:
        self.served, self.total, self.progress, self.done = served, total, progress, 0

    def probabilities(self, images: Floats) -> NDArray[np.float64]:
        """(n, H, W, 3) -> (n, classes); a row of zeros where an answer is not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            probabilities = self.served.probabilities(np.concatenate(list(self._logits(images)))).astype(np.float64)
        return np.where(np.isfinite(probabilities).all(axis=1, keepdims=True), probabilities, 0.0)

    def _logits(self, images: Floats) -> Iterator[Floats]:
        size = batch_of(self.served.size, _BATCH, self.served.layers)
        for start in range(0, len(images), size):
            batch = images[start : start + size]
            yield self.served.outputs(batch)
            self.done += len(batch)
            self.progress(self.done, self.total)


def _run_candidate(
    classifier: _CountingClassifier, images: Floats, perturbed: Sequence[Floats], preprocessing: PreprocessingScheme
) -> CandidateAnswers:
    card = classifier.served.card
    answers = [classifier.probabilities(apply_preprocessing(each, card, preprocessing)) for each in perturbed]
    return CandidateAnswers(preprocessing, classifier.probabilities(apply_preprocessing(images, card, preprocessing)), np.stack(answers))


def perturb_images(images: Floats) -> tuple[Floats, ...]:
    """(n, H, W, 3) -> the same mirrored, shifted, darker and blurred: what they show stays the same."""
    height, width = images.shape[1:3]
    moved = shift(images, (0, round(_SHIFT * height), round(_SHIFT * width), 0), order=0, mode="nearest")
    blurred = gaussian_filter(images, (0, _BLUR, _BLUR, 0), mode="nearest")
    return images[:, :, ::-1], moved, images * np.float32(_DARKER), blurred
