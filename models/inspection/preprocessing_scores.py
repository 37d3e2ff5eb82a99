"""Scores one preprocessing candidate by the classifier's answers, with or without known classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from models.evaluation.roc_auc import roc_auc
from models.inspection.inspection_report import PreprocessingCandidate
from models.inspection.preprocessing_candidates import PreprocessingScheme

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CandidateAnswers:
    """A model's answers under one preprocessing.

    probabilities: (n, classes). perturbed: (perturbations, m, classes), of the first m images. classes: (n,) the true ones, -1 where
    unknown; None where too few are known to evaluate by.
    """

    preprocessing: PreprocessingScheme
    probabilities: Floats
    perturbed: Floats
    classes: Ints | None = None

    @property
    def name(self) -> str:
        """The preprocessing in words."""
        return str(self.preprocessing)


def summarise_preprocessing_candidate(answers: CandidateAnswers, labels: tuple[str, ...]) -> PreprocessingCandidate:
    """The figures that are reported of it."""
    p, classes = answers.probabilities, answers.classes
    counts = np.bincount(p.argmax(1), minlength=len(labels))
    return PreprocessingCandidate(
        answers.preprocessing.scaling,
        answers.preprocessing.colour,
        None if classes is None else _accuracy(p, classes),
        None if classes is None else mean_auc(p, classes),
        float(p.max(1).mean()),
        float(_entropy_bits(_normalise_rows(p)).mean()),
        _prediction_stability(answers),
        max(0.0, float(_entropy_bits(counts / counts.sum()))),
        labels[int(counts.argmax())],
        score_preprocessing_candidate(answers),
    )


def score_preprocessing_candidate(answers: CandidateAnswers, chosen: Ints | None = None) -> float:
    """0 to 1. With known classes the mean of accuracy and AUC; without, `mutual_information` times the chance to keep the class under
    all perturbations.

    chosen: indices of images, perhaps repeated; all where it is None.
    """
    numbers = np.arange(len(answers.probabilities)) if chosen is None else chosen
    p = answers.probabilities[numbers]
    if answers.classes is None:
        return mutual_information(p) * _prediction_stability(answers, numbers) ** len(answers.perturbed)
    right = answers.classes[numbers]
    return (_accuracy(p, right) + mean_auc(p, right)) / 2


def _accuracy(p: Floats, classes: Ints) -> float:
    """Share of the images of known class that are predicted correctly; 0 where there are none."""
    known = classes >= 0
    return float((p[known].argmax(1) == classes[known]).mean()) if known.any() else 0.0


def mean_auc(p: Floats, classes: Ints) -> float:
    """Mean over the classes of the area under the ROC curve of each against the rest; 0.5 where no class has both."""
    known = classes >= 0
    present = np.unique(classes[known])
    areas = roc_auc(p[known][:, present], classes[known, None] == present)
    areas = areas[np.isfinite(areas)]
    return float(areas.mean()) if areas.size else 0.5


def mutual_information(p: Floats) -> float:
    """Mutual information of image and class, H(mean p) - mean H(p), as a share of its maximum; 0 to 1.

    High where the model is confident of each image and predicts different classes; 0 where all answers are the same, or none is confident.
    """
    distributions = _normalise_rows(p)
    most = np.log2(min(distributions.shape))
    information = _entropy_bits(distributions.mean(0)) - _entropy_bits(distributions).mean()
    return float(max(0.0, information) / most) if most > 0 else 0.0


def _prediction_stability(answers: CandidateAnswers, chosen: Ints | None = None) -> float:
    """Share of the perturbed images that keep their predicted class; 1 where there are none. chosen: as in the score above."""
    count = answers.perturbed.shape[1]
    numbers = np.arange(count) if chosen is None else chosen[chosen < count]
    if not numbers.size:
        return 1.0
    before = answers.probabilities[numbers].argmax(1)
    return float((answers.perturbed[:, numbers].argmax(2) == before).mean())


def _entropy_bits(p: Floats) -> Floats:
    """(..., classes) shares -> (...) their entropy in bits; rows need not sum to 1."""
    return np.asarray(entr(p).sum(-1) / np.log(2))


def _normalise_rows(p: Floats) -> Floats:
    """Rows that sum to 1; those of a multi-label head's sigmoids do not by themselves."""
    return np.asarray(p / np.maximum(p.sum(1, keepdims=True), 1e-12))
