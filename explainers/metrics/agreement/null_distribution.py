"""Draws what two maps have in common by chance: from a library of other pictures, or, weaker, from displaced copies."""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid
from explainers.metrics.agreement.control_maps import CENTRE
from explainers.metrics.agreement.raw_similarity import LIKENESSES, RawSimilarity, mean_raw_similarity
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.significance import (
    Significance,
    agreement_significance,
    shifted_map_copies,
    significance_against_both_nulls,
)
from explainers.metrics.agreement.similarity import mean_similarity
from explainers.metrics.agreement.similarity_batch import MapBatch, mean_similarities, pearson_correlations, similarity_scores

Likeness = Callable[[MapBatch, MapBatch], NDArray[np.float64]]


class NullDistributions:
    """Chance for the maps of one picture. maps: title of a method or control -> (G, G) that sums to 1.

    With a library: { s(A(x), B(x')), s(A(x'), B(x)) } over other pictures x'. Where it does not hold one of the two: s(A, displaced B).
    """

    def __init__(self, maps: Mapping[str, Grid], library: MapLibrary | None, picture: str = "") -> None:
        """picture: its digest, so that it is not compared with itself."""
        self._maps, self._library, self._picture = maps, library, picture
        self._numbers = {title: number for number, title in enumerate(maps)}
        self._one = {title: self._every.map(number) for title, number in self._numbers.items()}
        self._known: dict[tuple[str, Likeness], NDArray[np.float64]] = {}
        self._copies: dict[str, MapBatch] = {}

    def chance(self, first: str, second: str) -> Significance:
        """kappa and p of the two maps' mean similarity."""
        unrelated, weaker = self._unrelated(first, second)
        nulls = [mean_similarities(one, others) for one, others in unrelated]
        agreement = self._mean_similarity(first, second)
        return agreement_significance(agreement, nulls[0], weaker=True) if weaker else significance_against_both_nulls(agreement, nulls)

    def kappa(self, first: str, second: str) -> float:
        """kappa alone."""
        nulls = [mean_similarities(one, others) for one, others in self._unrelated(first, second)[0]]
        return agreement_significance(self._mean_similarity(first, second), np.concatenate(nulls)).kappa

    def weaker(self, first: str, second: str) -> bool:
        """Whether chance rests on displaced copies, because the library holds too few maps of one of the two."""
        return self._unrelated(first, second)[1]

    def mean_correlation(self, first: str, second: str) -> float:
        """Pearson's correlation that unrelated pictures' maps have on average."""
        unrelated, _ = self._unrelated(first, second)
        return float(np.concatenate([pearson_correlations(one, others) for one, others in unrelated]).mean())

    def scores(self, first: str, second: str) -> tuple[float, float, float]:
        """Top overlap, shared mass and rank correlation of the two maps."""
        overlap, mass, rank = (float(score) for score in self._between(first, second, similarity_scores))
        return overlap, mass, rank

    def raw(self, first: str, second: str) -> RawSimilarity:
        """What the two maps have in common by the measures that people know."""
        return mean_raw_similarity({name: self._between(first, second, alike) for name, alike in LIKENESSES.items()})

    def raw_by_chance(self, first: str, second: str) -> RawSimilarity:
        """The same of unrelated pictures' maps, on average over forty a map."""
        few = [(one, others.sample) for one, others in self._unrelated(first, second)[0]]
        return mean_raw_similarity(
            {name: np.concatenate([alike(one, others) for one, others in few]) for name, alike in LIKENESSES.items()}
        )

    @cached_property
    def _every(self) -> MapBatch:
        return MapBatch.of(list(self._maps.values()))

    def _mean_similarity(self, first: str, second: str) -> float:
        return float(mean_similarity(self.scores(first, second)))

    def _between(self, first: str, second: str, likeness: Likeness) -> NDArray[np.float64]:
        """The likeness of the two maps; the first is compared with all maps at once."""
        if (first, likeness) not in self._known:
            self._known[first, likeness] = likeness(self._one[first], self._every)
        return np.asarray(self._known[first, likeness][..., self._numbers[second]])

    def _unrelated(self, first: str, second: str) -> tuple[list[tuple[MapBatch, MapBatch]], bool]:
        """Each map with the other method's maps of other pictures; or, and then True, the first with displaced copies of the second."""
        others = [self._others(title) for title in (first, second)]
        found = [(self._one[title], other) for title, other in ((first, others[1]), (second, others[0])) if other is not None]
        needed = 1 if CENTRE in (first, second) else 2
        return (found, False) if len(found) >= needed else ([(self._one[first], self._displaced(second))], True)

    def _others(self, title: str) -> MapBatch | None:
        return self._library.stack(title, self._picture) if self._library else None

    def _displaced(self, title: str) -> MapBatch:
        if title not in self._copies:
            self._copies[title] = MapBatch.of(shifted_map_copies(self._maps[title]))
        return self._copies[title]
