"""Draws what two maps have in common by chance: from a library of other pictures, or, weaker, from displaced copies."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from explainers.measures.agreement import Grid
from explainers.measures.chance import Chance, against, against_both, displaced_copies
from explainers.measures.controls import CENTRE
from explainers.measures.library import Library
from explainers.measures.stacked import Stack, correlations, headlines

Likeness = Callable[[Stack, Stack], NDArray[np.float64]]


class Nulls:
    """Chance for the maps of one picture. maps: title of a method or control -> (G, G) that sums to 1.

    With a library: { s(A(x), B(x')), s(A(x'), B(x)) } over other pictures x'. Where it does not hold one of the two: s(A, displaced B).
    """

    def __init__(self, maps: Mapping[str, Grid], library: Library | None, picture: str = "") -> None:
        """picture: its digest, so that it is not compared with itself."""
        self._one = {title: Stack.of([each]) for title, each in maps.items()}
        self._maps, self._library, self._picture = maps, library, picture
        self._copies: dict[str, Stack] = {}

    def chance(self, first: str, second: str) -> Chance:
        """kappa and p of the two maps' headline agreement."""
        agreement = float(headlines(self._one[first], self._one[second])[0])
        nulls = self.drawn(first, second)
        return against_both(agreement, nulls) if nulls else against(agreement, self._weaker(first, second), weaker=True)

    def mean_correlation(self, first: str, second: str) -> float:
        """Pearson's correlation that unrelated pictures' maps have on average."""
        nulls = self.drawn(first, second, correlations) or [self._weaker(first, second, correlations)]
        return float(np.concatenate(nulls).mean())

    def drawn(self, first: str, second: str, likeness: Likeness = headlines) -> list[NDArray[np.float64]]:
        """The null of each map with the other method's maps of other pictures; empty where the library does not hold what is needed."""
        others = [self._others(title) for title in (first, second)]
        pairs = [(self._one[title], other) for title, other in ((first, others[1]), (second, others[0])) if other is not None]
        needed = 1 if CENTRE in (first, second) else 2
        return [likeness(one, other) for one, other in pairs] if len(pairs) >= needed else []

    def _weaker(self, first: str, second: str, likeness: Likeness = headlines) -> NDArray[np.float64]:
        return likeness(self._one[first], self._displaced(second))

    def _others(self, title: str) -> Stack | None:
        return self._library.stack(title, self._picture) if self._library else None

    def _displaced(self, title: str) -> Stack:
        if title not in self._copies:
            self._copies[title] = Stack.of(displaced_copies(self._maps[title]))
        return self._copies[title]
