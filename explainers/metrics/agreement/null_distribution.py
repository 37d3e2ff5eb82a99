"""What two maps have in common by chance: what the same methods' maps of other pictures, from a library, share with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid
from explainers.metrics.agreement.raw_similarity import LIKENESSES, RawSimilarity, mean_raw_similarity
from explainers.metrics.agreement.reference_library import MapLibrary, MapsOfOtherPictures
from explainers.metrics.agreement.significance import (
    MIN_PICTURES,
    KappaInterval,
    Significance,
    agreement_significance,
    kappa_above_chance,
    resampled_counts,
    resampled_kappa_interval,
    resampled_means,
    significance_against_both_nulls,
)
from explainers.metrics.agreement.similarity import mean_similarity
from explainers.metrics.agreement.similarity_batch import MapBatch, mean_similarities, pearson_correlations, similarity_scores

Likeness = Callable[[MapBatch, MapBatch], NDArray[np.float64]]
Values = NDArray[np.float64]

TYPICAL = 0.5
"""Share of a map's similarity with the other method's mean map that is taken off before families are tested (docs/metrics.md)."""


@dataclass(frozen=True)
class FamilyPairSignificance:
    """Of several pairs of maps together. kappa: their mean, with its interval over the library. p: of their mean similarity.

    detectable: the mean of the pairs'. pictures: the smallest number of other pictures that a pair rests on. same_class: the mean kappa
    against other pictures of the same class alone, same_class_pictures of them; None with fewer than 30.
    """

    kappa: float
    interval: KappaInterval
    p: float
    detectable: float
    pictures: int
    same_class: float | None
    same_class_pictures: int

    @property
    def class_share(self) -> float | None:
        """The part of kappa that maps of one class have in common whatever the picture."""
        return None if self.same_class is None else self.kappa - self.same_class


class NullDistributions:
    """Chance for the maps of one picture. maps: title of a method or control -> (G, G) that sums to 1.

    { s(A(x), B(x')), s(A(x'), B(x)) } over the library's pictures x'. Without a library, or where it holds fewer than 30 maps of one of
    the two, there is no chance to compare with: None. A control of which it holds too few is compared one way alone.
    """

    def __init__(
        self,
        maps: Mapping[str, Grid],
        library: MapLibrary | None,
        picture: str = "",
        target: int | None = None,
        controls: Sequence[str] = (),
    ) -> None:
        """picture: its digest, so that it is not compared with itself. target: the class that is explained."""
        self._maps, self._library, self._picture, self._target, self._controls = maps, library, picture, target, frozenset(controls)
        self._numbers = {title: number for number, title in enumerate(maps)}
        self._one = {title: self._every.map(number) for title, number in self._numbers.items()}
        self._known: dict[tuple[str, Likeness], Values] = {}
        self._drawn: dict[tuple[str, str], Values] = {}
        self._means: dict[str, MapBatch] = {}

    def chance(self, first: str, second: str) -> Significance | None:
        """kappa and p of the two maps' mean similarity."""
        if not self._unrelated(first, second):
            return None
        nulls = self._nulls(first, second)
        agreement = self._mean_similarity(first, second)
        known = [column[np.isfinite(column)] for column in nulls.T]
        found = significance_against_both_nulls(agreement, known) if len(known) > 1 else agreement_significance(agreement, known[0])
        return replace(found, interval=resampled_kappa_interval(self._resampled(first, second)))

    def kappa(self, first: str, second: str) -> float | None:
        """kappa alone."""
        if not self._unrelated(first, second):
            return None
        return kappa_above_chance(self._mean_similarity(first, second), float(np.nanmean(self._nulls(first, second))))

    def shared(self, pairs: Sequence[tuple[str, str]]) -> FamilyPairSignificance | None:
        """Of all the pairs of two families that have a chance to compare with; None where none has."""
        known = [(pair, chance) for pair in pairs if (chance := self.chance(*pair)) is not None]
        if not known:
            return None
        resampled = np.mean([self._resampled(*pair) for pair, _ in known], axis=0)
        same, pictures = self._same_class([pair for pair, _ in known])
        return FamilyPairSignificance(
            kappa=float(np.mean([chance.kappa for _, chance in known])),
            interval=resampled_kappa_interval(resampled),
            p=self._shared_p([pair for pair, _ in known]),
            detectable=float(np.mean([chance.detectable for _, chance in known])),
            pictures=min(chance.others for _, chance in known),
            same_class=same,
            same_class_pictures=pictures,
        )

    def _shared_p(self, pairs: Sequence[tuple[str, str]]) -> float:
        """p of the pairs' mean similarity among the means with each other picture, half of what is typical taken off every similarity.

        What is typical of a map is its similarity with the other method's mean map: a broad or central map is like many, and without this
        a few such maps in the library hide agreement. It is taken off the picture's own maps and the others' alike.
        """
        own, nulls = zip(*(self._less_typical(*pair) for pair in pairs), strict=True)
        agreement, null = np.mean(own, axis=0), _known_mean(np.stack(nulls))
        differences = [column[np.isfinite(column)] - each for column, each in zip(null.T, agreement, strict=True)]
        return significance_against_both_nulls(0.0, differences).p

    def _less_typical(self, first: str, second: str) -> tuple[Values, Values]:
        """(2,) the two maps' similarity, and (n, 2) each one's with the other method's maps, less half of what is typical of the latter."""
        agreement, nulls = self._mean_similarity(first, second), self._nulls(first, second).copy()
        own = np.full(2, agreement)
        for column, (one, other) in enumerate(((first, second), (second, first))):
            mean, others = self._mean_map(one), self._others(other)
            assert others is not None
            nulls[others.rows, column] -= TYPICAL * mean_similarities(mean, others.batch)
            own[column] -= TYPICAL * float(mean_similarities(mean, self._one[other])[0])
        return own, nulls

    def _mean_map(self, title: str) -> MapBatch:
        if title not in self._means:
            others = self._others(title)
            assert others is not None
            self._means[title] = MapBatch.of([others.batch.shares.mean(1, dtype=np.float64).reshape(self._maps[title].shape)])
        return self._means[title]

    def interval(self, groups: Sequence[Sequence[tuple[str, str]]]) -> KappaInterval | None:
        """Of the mean over groups of the mean kappa of their pairs, the same pictures being resampled for all."""
        known = [[pair for pair in pairs if self._unrelated(*pair)] for pairs in groups]
        means = [np.mean([self._resampled(*pair) for pair in pairs], axis=0) for pairs in known if pairs]
        return resampled_kappa_interval(np.mean(means, axis=0)) if means else None

    def mean_correlation(self, first: str, second: str) -> float | None:
        """Pearson's correlation that unrelated pictures' maps have on average."""
        unrelated = self._unrelated(first, second)
        return float(np.concatenate([pearson_correlations(one, others.batch) for one, others in unrelated]).mean()) if unrelated else None

    def scores(self, first: str, second: str) -> tuple[float, float, float]:
        """Top overlap, shared mass and rank correlation of the two maps."""
        overlap, mass, rank = (float(score) for score in self._between(first, second, similarity_scores))
        return overlap, mass, rank

    def raw(self, first: str, second: str) -> RawSimilarity:
        """What the two maps have in common by the measures that people know."""
        return mean_raw_similarity({name: self._between(first, second, alike) for name, alike in LIKENESSES.items()})

    def raw_by_chance(self, first: str, second: str) -> RawSimilarity | None:
        """The same of unrelated pictures' maps, on average over forty a map."""
        few = [(one, others.batch.sample) for one, others in self._unrelated(first, second)]
        if not few:
            return None
        return mean_raw_similarity(
            {name: np.concatenate([alike(one, others) for one, others in few]) for name, alike in LIKENESSES.items()}
        )

    @cached_property
    def _every(self) -> MapBatch:
        return MapBatch.of(list(self._maps.values()))

    @cached_property
    def _counts(self) -> Values:
        return resampled_counts(len(self._library.pictures) if self._library else 0)

    @cached_property
    def _alike(self) -> NDArray[np.bool_]:
        """(n,): which of the library's pictures are of the class that is explained, as far as the library knows classes."""
        classes = self._library.classes if self._library else ()
        return np.array([self._target is not None and each == self._target for each in classes], bool)

    def _mean_similarity(self, first: str, second: str) -> float:
        return float(mean_similarity(self.scores(first, second)))

    def _between(self, first: str, second: str, likeness: Likeness) -> Values:
        """The likeness of the two maps; the first is compared with all maps at once."""
        if (first, likeness) not in self._known:
            self._known[first, likeness] = likeness(self._one[first], self._every)
        return np.asarray(self._known[first, likeness][..., self._numbers[second]])

    def _unrelated(self, first: str, second: str) -> list[tuple[MapBatch, MapsOfOtherPictures]]:
        """Each map with the other method's maps of other pictures; empty where there are too few of them."""
        pairs = ((first, self._others(second)), (second, self._others(first)))
        found = [(self._one[title], others) for title, others in pairs if others is not None]
        needed = 1 if self._controls & {first, second} else 2
        return found if len(found) >= needed else []

    def _others(self, title: str) -> MapsOfOtherPictures | None:
        return self._library.others(title, self._picture) if self._library else None

    def _nulls(self, first: str, second: str) -> Values:
        """(n, 1 or 2): the mean similarity of each map with the other method's map of each of the library's pictures."""
        if (first, second) not in self._drawn:
            unrelated = self._unrelated(first, second)
            found = np.full((len(self._library.pictures) if self._library else 0, len(unrelated)), np.nan)
            for column, (one, others) in enumerate(unrelated):
                found[others.rows, column] = mean_similarities(one, others.batch)
            self._drawn[first, second] = found
        return self._drawn[first, second]

    def _resampled(self, first: str, second: str) -> Values:
        """(r,): kappa against resampled libraries."""
        means = _known_mean(resampled_means(self._nulls(first, second), self._counts).T)
        return np.asarray((self._mean_similarity(first, second) - means) / np.maximum(1 - means, 1e-9))

    def _same_class(self, pairs: Sequence[tuple[str, str]]) -> tuple[float | None, int]:
        """The pairs' mean kappa against the pictures of one class, and how many of these every pair rests on at least."""
        if not self._alike.any():
            return None, 0
        nulls = [self._nulls(*pair)[self._alike] for pair in pairs]
        pictures = min(int(np.isfinite(each).sum(0).min()) for each in nulls)
        if pictures < MIN_PICTURES:
            return None, pictures
        kappas = [
            kappa_above_chance(self._mean_similarity(*pair), float(np.nanmean(each))) for pair, each in zip(pairs, nulls, strict=True)
        ]
        return float(np.mean(kappas)), pictures


def _known_mean(values: Values) -> Values:
    """The mean over the first axis of what is a number; not-a-number where nothing is."""
    known = np.isfinite(values)
    counts = known.sum(0)
    return np.asarray(np.divide(np.where(known, values, 0).sum(0), counts, out=np.full(counts.shape, np.nan), where=counts > 0))
