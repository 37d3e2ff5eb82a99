"""Says by one number how well a classifier fares with pictures prepared in one way, whether their classes are known or not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from models.inspection.candidates import Preprocessing
from models.inspection.report import Candidate

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CandidateAnswers:
    """What a model gives for pictures prepared in one way.

    probabilities: (n, classes). changed: (changes, m, classes), of the first m of them. classes: (n,) the right ones, -1 where unknown;
    None where too few are known to judge by.
    """

    preparing: Preprocessing
    probabilities: Floats
    changed: Floats
    classes: Numbers | None = None


def candidate(answers: CandidateAnswers, labels: tuple[str, ...]) -> Candidate:
    """How the model fares with it."""
    p, classes = answers.probabilities, answers.classes
    counts = np.bincount(p.argmax(1), minlength=len(labels))
    return Candidate(
        answers.preparing.scaling,
        answers.preparing.colour,
        None if classes is None else accuracy(p, classes),
        None if classes is None else auc(p, classes),
        float(p.max(1).mean()),
        float(bits(shares(p)).mean()),
        steadiness(answers),
        max(0.0, float(bits(counts / counts.sum()))),
        labels[int(counts.argmax())],
        score(answers),
    )


def score(answers: CandidateAnswers, chosen: Numbers | None = None) -> float:
    """0 to 1. With known classes the mean of accuracy and AUC; without, `information` times the chance to stay through all changes.

    chosen: numbers of pictures, some of them more than once; all where it is None.
    """
    numbers = np.arange(len(answers.probabilities)) if chosen is None else chosen
    p = answers.probabilities[numbers]
    if answers.classes is None:
        return information(p) * steadiness(answers, numbers) ** len(answers.changed)
    right = answers.classes[numbers]
    return (accuracy(p, right) + auc(p, right)) / 2


def accuracy(p: Floats, classes: Numbers) -> float:
    """Share of the pictures of known class that are named rightly; 0 where there are none."""
    known = classes >= 0
    return float((p[known].argmax(1) == classes[known]).mean()) if known.any() else 0.0


def auc(p: Floats, classes: Numbers) -> float:
    """Mean over the classes of the area under the curve of that class against all others; 0.5 where no class has both."""
    known = classes >= 0
    found = [_area(p[known, each], classes[known] == each) for each in np.unique(classes[known])]
    areas = [area for area in found if area is not None]
    return float(np.mean(areas)) if areas else 0.5


def _area(values: Floats, positive: NDArray[np.bool_]) -> float | None:
    """Mann and Whitney's statistic over its greatest; ties count a half."""
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return None
    return float((rankdata(values)[positive].sum() - many * (many + 1) / 2) / (many * few))


def information(p: Floats) -> float:
    """Bits that an answer says of which picture it was, H(mean p) - mean H(p), over the most it could say; 0 to 1.

    High where the model is sure of each picture and names different classes; 0 where it calls everything the same, or is never sure.
    """
    distributions = shares(p)
    most = np.log2(min(distributions.shape))
    told = bits(distributions.mean(0)) - bits(distributions).mean()
    return float(max(0.0, told) / most) if most > 0 else 0.0


def steadiness(answers: CandidateAnswers, chosen: Numbers | None = None) -> float:
    """Share of the changed pictures that keep the class they had; 1 where none was changed. chosen: as of `score`."""
    changed = answers.changed.shape[1]
    numbers = np.arange(changed) if chosen is None else chosen[chosen < changed]
    if not numbers.size:
        return 1.0
    before = answers.probabilities[numbers].argmax(1)
    return float((answers.changed[:, numbers].argmax(2) == before).mean())


def bits(p: Floats) -> Floats:
    """(..., classes) shares -> (...) their entropy in bits."""
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1))).sum(-1))


def shares(p: Floats) -> Floats:
    """Each row as shares that sum to 1: a multi-label head's sigmoids do not by themselves."""
    return np.asarray(p / np.maximum(p.sum(1, keepdims=True), 1e-12))
