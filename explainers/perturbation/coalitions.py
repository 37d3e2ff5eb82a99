"""Evaluates one picture with some of its segments hidden, once for LIME, SHAP and RISE and for all classes together."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case
from explainers.perturbation.coalition_weights import UNIFORM_SHARE, Vector, sampling_size_distribution

Masks = NDArray[np.float64]
ENUMERATED = 12
"""With at most so many segments masks are drawn without repetition, so that a large budget evaluates every coalition."""


@dataclass(frozen=True)
class CoalitionSample:
    """Answers to masked pictures. Row 0 shows nothing, row 1 everything; then pairs of a mask and its complement, side by side.

    masks: (n, M) of 0 and 1; 1 shows the segment. logits: (n, classes). enumerated: (n,) True where all coalitions of the row's size were
    evaluated, False where the row was drawn. size_chances: (M + 1,) the chance of each size among the drawn rows.
    """

    masks: Masks
    logits: Floats
    enumerated: NDArray[np.bool_]
    size_chances: Vector

    @property
    def parts(self) -> int:
        """M, the number of segments."""
        return int(self.masks.shape[1])

    @property
    def complete(self) -> bool:
        """Every coalition was evaluated: estimates are exact."""
        return bool(self.enumerated.all()) and len(self.masks) == 2**self.parts

    @property
    def pairs(self) -> int:
        return (len(self.masks) - 2) // 2

    def weights(self, mass: Vector) -> Vector:
        """(n,) so that a weighted sum over the rows estimates the sum over all coalitions, `mass` (M + 1,) being spread over the sizes."""
        sizes = self.masks.sum(1).astype(int)
        rows = np.bincount(sizes[self.enumerated], minlength=self.parts + 1)
        drawn = max(int((~self.enumerated).sum()), 1)
        share = np.where(self.enumerated, 1 / np.maximum(rows[sizes], 1), 1 / np.maximum(self.size_chances[sizes], 1e-300) / drawn)
        return np.asarray(mass[sizes] * share)

    def rows(self, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows of the two ends and of the given pairs, in order."""
        return np.sort(np.concatenate([[0, 1], 2 + 2 * pairs, 3 + 2 * pairs]).astype(np.intp))

    def keep(self, pairs: NDArray[np.intp]) -> "CoalitionSample":
        """The two ends and the given pairs."""
        rows = self.rows(pairs)
        return CoalitionSample(self.masks[rows], self.logits[rows], self.enumerated[rows], self.size_chances)

    def groups(self, count: int, seed: int) -> list[NDArray[np.intp]]:
        """The pairs, dealt at random into `count` groups of like size; enumerated pairs are dealt evenly too."""
        rng = np.random.default_rng(seed)
        whole = self.enumerated[2::2]
        order = np.concatenate([rng.permutation(np.flatnonzero(whole)), rng.permutation(np.flatnonzero(~whole))])
        return [np.sort(order[start::count]) for start in range(count)]


def shared_coalition_pool(case: Case) -> "CoalitionPool":
    """The masked evaluations of the case that LIME, SHAP and RISE share; made once and kept by the case, whatever its score."""
    return case.remember("pool", lambda: CoalitionPool(case))


class CoalitionPool:
    """The masked evaluations of one case: a first frame of 2 M + 2, then pairs of drawn masks, as many as were requested.

    Rests on the case's picture, fill, segments and seed, never on its score. A first frame that exceeds the budget is left out.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._segments = case.segments
        self.parts = int(case.segments.max()) + 1
        self.first = min(2 * self.parts + 2, 2**self.parts)
        self.has_frame = self.first <= case.budget
        self._few = self.parts <= ENUMERATED
        self._chance = sampling_size_distribution(self.parts, self.has_frame, 0.0 if self._few else UNIFORM_SHARE)
        self._pairs = self._all_pairs() if self._few else self._random_pairs()
        self._masks = np.stack([np.zeros(self.parts), np.ones(self.parts)])
        self._logits = self._ends()
        self._callers: list[Hashable] = []
        self._pending: list[Masks] = []  # drawn before a stop, and evaluated first when the pool grows again

    @property
    def limit(self) -> int:
        """The most evaluations there are: 2^M where the pool can evaluate all coalitions."""
        return 2**self.parts if self._few else 10**9

    def grow(self, to: int, case: Case | None = None) -> CoalitionSample:
        """min(to, limit) evaluations, rounded down to whole pairs; what is missing is evaluated now and charged to the caller.

        case: through which it is evaluated, so that its stop counts: the pool's own, or one with another score. Raises Stopped.
        """
        missing = (min(to, self.limit) - len(self._masks)) // 2
        if missing > 0:
            self._pending += islice(self._pairs, max(missing - len(self._pending), 0))
            fresh = np.array(self._pending[:missing]).reshape(-1, self.parts)
            answers = (case or self._case).masked(row[self._segments] for row in fresh.astype(np.float32))
            del self._pending[:missing]
            self._masks = np.concatenate([self._masks, fresh])
            self._logits = np.concatenate([self._logits, answers])
            self._callers += [self._case.counter.caller] * len(fresh)
        return self._sample(min(to, self.limit))

    def _sample(self, to: int) -> CoalitionSample:
        rows = max(to // 2 * 2, 2)
        caller = self._case.counter.caller
        logits = np.concatenate([self._ends(), self._logits[2:rows]])
        self._case.counter.reuse("pool", sum(evaluator != caller for evaluator in self._callers[: rows - 2]))
        framed = self.first if self.has_frame else 2
        whole = (np.arange(rows) < framed) | (rows == 2**self.parts)
        return CoalitionSample(self._masks[:rows], logits, whole, self._chance)

    def _ends(self) -> Floats:
        """(2, classes) of nothing and of everything: the case's logits, charged to the caller or counted as reused."""
        return np.stack([self._case.baseline_logits, self._case.image_logits])

    def _frame_pairs(self) -> Iterator[Masks]:
        one_each = np.eye(self.parts)[: (self.first - 2) // 2] if self.has_frame else np.zeros((0, self.parts))
        yield from (np.stack([row, 1 - row]) for row in one_each)

    def _random_pairs(self) -> Iterator[Masks]:
        yield from self._frame_pairs()
        rng = np.random.default_rng(self._case.seed)
        while True:
            row = np.zeros(self.parts)
            row[rng.permutation(self.parts)[: rng.choice(self.parts + 1, p=self._chance)]] = 1
            yield np.stack([row, 1 - row])

    def _all_pairs(self) -> Iterator[Masks]:
        yield from self._frame_pairs()
        half = (np.arange(1, 2 ** (self.parts - 1))[:, None] >> np.arange(self.parts)) & 1
        inner = half[_inner(half, self.has_frame)].astype(float)
        for row in np.random.default_rng(self._case.seed).permutation(inner):
            yield np.stack([row, 1 - row])


def _inner(masks: NDArray[np.int64], framed: bool) -> NDArray[np.bool_]:
    sizes = masks.sum(1)
    return np.asarray((sizes > framed) & (sizes < masks.shape[1] - framed))
