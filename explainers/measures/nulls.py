"""Draws what two maps have in common by chance: from a library of other pictures, or, weaker, from displaced copies."""

from collections.abc import Mapping

import numpy as np

from explainers.measures.agreement import Grid
from explainers.measures.chance import Chance, against, against_both, displaced_copies
from explainers.measures.controls import CENTRE
from explainers.measures.library import Library
from explainers.measures.raw import LIKENESSES, Raw, mean_raw
from explainers.measures.stacked import Stack, correlations, headlines


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
        unrelated, weaker = self._unrelated(first, second)
        nulls = [headlines(one, others) for one, others in unrelated]
        return against(agreement, nulls[0], weaker=True) if weaker else against_both(agreement, nulls)

    def mean_correlation(self, first: str, second: str) -> float:
        """Pearson's correlation that unrelated pictures' maps have on average."""
        unrelated, _ = self._unrelated(first, second)
        return float(np.concatenate([correlations(one, others) for one, others in unrelated]).mean())

    def raw(self, first: str, second: str) -> Raw:
        """What the two maps have in common by the measures that people know."""
        return mean_raw({name: alike(self._one[first], self._one[second]) for name, alike in LIKENESSES.items()})

    def raw_by_chance(self, first: str, second: str) -> Raw:
        """The same of unrelated pictures' maps, on average over some fifty a map."""
        few = [(one, others.some) for one, others in self._unrelated(first, second)[0]]
        return mean_raw({name: np.concatenate([alike(one, others) for one, others in few]) for name, alike in LIKENESSES.items()})

    def _unrelated(self, first: str, second: str) -> tuple[list[tuple[Stack, Stack]], bool]:
        """Each map with the other method's maps of other pictures; or, and then True, the first with displaced copies of the second."""
        others = [self._others(title) for title in (first, second)]
        found = [(self._one[title], other) for title, other in ((first, others[1]), (second, others[0])) if other is not None]
        needed = 1 if CENTRE in (first, second) else 2
        return (found, False) if len(found) >= needed else ([(self._one[first], self._displaced(second))], True)

    def _others(self, title: str) -> Stack | None:
        return self._library.stack(title, self._picture) if self._library else None

    def _displaced(self, title: str) -> Stack:
        if title not in self._copies:
            self._copies[title] = Stack.of(displaced_copies(self._maps[title]))
        return self._copies[title]
