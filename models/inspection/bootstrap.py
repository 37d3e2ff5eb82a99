"""Says how far a few pictures can tell ways of preparing them apart, by drawing the pictures again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.inspection.candidate_scores import CandidateAnswers, score
from models.inspection.class_matching import FEWEST

DRAWS = 400
SURE = 0.95
"""Share of resamples of the pictures in which one way has to do best to be called best."""
SAME = 0.01
"""Two ways between which no probability differs by more than this are one to the model."""
LITTLE = 0.1  # of a score from 0 to 1, above that of a model that always says the same


@dataclass(frozen=True, eq=False)
class BootstrapRanking:
    """order: numbers of the ways, best first. top: (ways,) share of resamples in which each does best, alone or beside its equals.

    alike: numbers of those that the model hardly tells from the best, today's among them or not. better: share of resamples in which the
    best does better than today's, which is number 0. alone: share in which no way but those alike does as well as the best.
    """

    order: tuple[int, ...]
    top: NDArray[np.float64]
    alike: tuple[int, ...]
    better: float
    alone: float
    sure: bool

    @property
    def best(self) -> int:
        return self.order[0]

    @property
    def rivals(self) -> tuple[int, ...]:
        """Those that may as well be the best, as far as the pictures show."""
        return tuple(each for each in self.order[1:] if each not in self.alike and self.top[each] > (1 - SURE) / 2)


def judged(ways: Sequence[CandidateAnswers], seed: int = 0) -> BootstrapRanking:
    """Bootstrap over the pictures (Efron 1979); the same pictures are drawn for every way, and today's comes first."""
    scores = [score(each) for each in ways]
    order = tuple(int(number) for number in np.argsort([-each for each in scores], kind="stable"))
    best = order[0]
    alike = tuple(number for number in order[1:] if same(ways[number], ways[best]))
    drawn = _drawn(ways, seed)
    highest = drawn.max(axis=1, keepdims=True)
    top = np.asarray((drawn >= highest - 1e-12).mean(axis=0))
    as_one = drawn[:, [best, *alike]].max(axis=1)
    others = [number for number in order if number != best and number not in alike]
    alone = float((as_one[:, None] > drawn[:, others] + 1e-12).all(axis=1).mean())
    today = 0 in (best, *alike)
    better = 0.0 if today else float((as_one > drawn[:, 0] + 1e-12).mean())
    enough = len(ways[0].probabilities) >= FEWEST
    sure = enough and alone >= SURE and scores[best] > of_nothing(ways[best]) + LITTLE
    return BootstrapRanking(order, top, alike, better, alone, bool(sure))


def same(first: CandidateAnswers, second: CandidateAnswers) -> bool:
    """Whether the model hardly tells the two apart: it names the same classes, with the same probabilities."""
    named = [each.probabilities.argmax(1) for each in (first, second)]
    return bool(np.array_equal(*named) and np.abs(first.probabilities - second.probabilities).max() <= SAME)


def _drawn(ways: Sequence[CandidateAnswers], seed: int) -> NDArray[np.float64]:
    """(draws, ways): the scores on pictures drawn with replacement."""
    rng = np.random.default_rng(seed)
    count = len(ways[0].probabilities)
    return np.array([[score(each, chosen) for each in ways] for chosen in (rng.integers(0, count, count) for _ in range(DRAWS))])


def of_nothing(answers: CandidateAnswers) -> float:
    """The score of a model that says the same of every picture."""
    if answers.classes is None:
        return 0.0
    known = answers.classes[answers.classes >= 0]
    return float((np.bincount(known).max() / len(known) + 0.5) / 2)
