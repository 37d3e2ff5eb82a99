"""Bootstrap over images: how certain is the ranking of preprocessing candidates?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.inspection.class_matching import MIN_IMAGES
from models.inspection.preprocessing_scores import CandidateAnswers, score_preprocessing_candidate

RESAMPLES = 400
CONFIDENCE = 0.95
"""Share of resamples in which a candidate must do best to be called best."""
EQUAL_WITHIN = 0.01
"""Candidates between which no probability differs by more than this count as equivalent."""
MARGIN = 0.1  # by which a score from 0 to 1 must exceed that of a constant answer


@dataclass(frozen=True, eq=False)
class BootstrapRanking:
    """order: indices of the candidates, best first. win_rates: (candidates,) share of resamples in which each does best, ties included.

    equivalent: indices of those with nearly the same answers as the best; they may include the current preprocessing, index 0.
    beats_current: share of resamples in which the best does better than the current one. sole_win_rate: share in which no candidate
    outside `equivalent` does as well as the best. conclusive: whether the ranking's first place is certain.
    """

    order: tuple[int, ...]
    win_rates: NDArray[np.float64]
    equivalent: tuple[int, ...]
    beats_current: float
    sole_win_rate: float
    conclusive: bool

    @property
    def best(self) -> int:
        return self.order[0]

    @property
    def rivals(self) -> tuple[int, ...]:
        """Candidates outside `equivalent` that may be the best as well."""
        return tuple(each for each in self.order[1:] if each not in self.equivalent and self.win_rates[each] > (1 - CONFIDENCE) / 2)


def rank_by_bootstrap(candidates: Sequence[CandidateAnswers], seed: int = 0) -> BootstrapRanking:
    """Bootstrap over the images (Efron 1979); every candidate is scored on the same resamples. The first is the current preprocessing."""
    scores = [score_preprocessing_candidate(each) for each in candidates]
    order = tuple(int(index) for index in np.argsort([-each for each in scores], kind="stable"))
    best = order[0]
    equivalent = tuple(index for index in order[1:] if _nearly_equal_answers(candidates[index], candidates[best]))
    scores_by_resample = _resampled_scores(candidates, seed)
    highest = scores_by_resample.max(axis=1, keepdims=True)
    win_rates = np.asarray((scores_by_resample >= highest - 1e-12).mean(axis=0))
    best_scores = scores_by_resample[:, [best, *equivalent]].max(axis=1)
    others = [index for index in order if index != best and index not in equivalent]
    sole_win_rate = float((best_scores[:, None] > scores_by_resample[:, others] + 1e-12).all(axis=1).mean())
    current_is_best = 0 in (best, *equivalent)
    beats_current = 0.0 if current_is_best else float((best_scores > scores_by_resample[:, 0] + 1e-12).mean())
    enough = len(candidates[0].probabilities) >= MIN_IMAGES
    conclusive = enough and sole_win_rate >= CONFIDENCE and scores[best] > constant_answer_score(candidates[best]) + MARGIN
    return BootstrapRanking(order, win_rates, equivalent, beats_current, sole_win_rate, bool(conclusive))


def _nearly_equal_answers(first: CandidateAnswers, second: CandidateAnswers) -> bool:
    """Whether both have the same predicted classes and almost the same probabilities."""
    predicted = [each.probabilities.argmax(1) for each in (first, second)]
    return bool(np.array_equal(*predicted) and np.abs(first.probabilities - second.probabilities).max() <= EQUAL_WITHIN)


def _resampled_scores(candidates: Sequence[CandidateAnswers], seed: int) -> NDArray[np.float64]:
    """(resamples, candidates): the scores on images drawn with replacement."""
    rng = np.random.default_rng(seed)
    count = len(candidates[0].probabilities)
    return np.array(
        [
            [score_preprocessing_candidate(each, chosen) for each in candidates]
            for chosen in (rng.integers(0, count, count) for _ in range(RESAMPLES))
        ]
    )


def constant_answer_score(answers: CandidateAnswers) -> float:
    """The score of a model that gives every image the same answer."""
    if answers.classes is None:
        return 0.0
    known = answers.classes[answers.classes >= 0]
    return float((np.bincount(known).max() / len(known) + 0.5) / 2)
