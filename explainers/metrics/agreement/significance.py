"""How much of two maps' agreement is more than chance: against the same methods' maps of other pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MIN_PICTURES = 30
"""Other pictures that a library needs before anything is said of agreement."""
TAIL = 0.25
"""Share of a null whose excess over the rest says how its tail falls."""
MIN_IN_TAIL = 20
LEVEL = 0.05
"""Chance of a false word that is allowed."""
RESAMPLES = 400
"""Resampled libraries that an interval of kappa rests on."""
COVERAGE = 0.95
SOME, STRONG = 0.1, 0.5
"""Where the interval of kappa has to begin for either word."""


@dataclass(frozen=True)
class KappaInterval:
    """Of kappa, over resampled libraries: 95 of 100 libraries of as many pictures would give a value between the two."""

    low: float
    high: float

    def to_json(self) -> list[float]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Significance:
    """An agreement with chance taken out. kappa: 0 is chance, 1 identity. p: chance of so much agreement without any cause but habit.

    mean: the agreement of unrelated maps. others: maps in the smallest null that p rests on. detectable: the kappa that unrelated maps
    exceed in one of 20 cases; a single test tells less than that from chance no better. interval: of kappa, over the library.
    """

    agreement: float
    mean: float
    kappa: float
    p: float
    others: int = 0
    detectable: float = 0.0
    interval: KappaInterval = KappaInterval(-1.0, 1.0)


def agreement_significance(agreement: float, null: Sequence[float] | Values) -> Significance:
    """kappa = (s - mu) / (1 - mu), p = (1 + #{null >= s}) / (1 + n), or `_tail_p_value` where s lies over the whole null and that is
    less.
    """
    drawn = np.asarray(null, np.float64)
    mean = float(drawn.mean())
    p = float((1 + (drawn >= agreement).sum()) / (1 + len(drawn)))
    highest = kappa_above_chance(float(np.quantile(drawn, 1 - LEVEL)), mean)
    return Significance(agreement, mean, kappa_above_chance(agreement, mean), min(p, _tail_p_value(agreement, drawn)), len(drawn), highest)


def kappa_above_chance(agreement: float, mean: float) -> float:
    """(s - mu) / (1 - mu); 0 where unrelated maps are equal."""
    return (agreement - mean) / (1 - mean) if mean < 1 else 0.0


def _tail_p_value(agreement: float, null: Values) -> float:
    """p of an agreement that no map of the null reaches: k / n exp(-(s - t) / e), t the (k + 1)-th largest, e the k's mean excess over it.

    Without it identical maps of 200 pictures' library could not be told from chance among 21 pairs. Knijnenburg et al. 2009 (Bioinformatics
    25, i161) fit a generalised Pareto tail; of this, its exponential form, the bundled libraries' maps of different pictures show that p is
    reached no oftener than it says. 1 where some map reaches s, or where the strongest quarter of the null is fewer than 20.
    """
    count = int(TAIL * len(null))
    if count < MIN_IN_TAIL or (null >= agreement).any():
        return 1.0
    highest = np.sort(null)[-count - 1 :]
    excess = float((highest[1:] - highest[0]).mean())
    return float(count / len(null) * np.exp(-(agreement - highest[0]) / excess)) if excess > 0 else 1.0


def significance_against_both_nulls(agreement: float, nulls: Sequence[Sequence[float] | Values]) -> Significance:
    """kappa from the mean over both nulls; p combined from each null's own (Cauchy combination, Liu & Xie 2020, arXiv:1808.09011).

    Pooled, the nulls of A with others and of others with B make p too large where one map is more typical than the other: at a nominal
    .05 a strong habit of the centre leaves a rate of .02. The pooled p, which holds too, serves where it is smaller: with few others it is
    the finer one.
    """
    pooled = agreement_significance(agreement, np.concatenate([np.asarray(null, np.float64) for null in nulls]))
    p = combined_p_value([agreement_significance(agreement, null).p for null in nulls])
    return replace(pooled, p=min(pooled.p, p), others=min(len(null) for null in nulls))


def combined_p_value(ps: Sequence[float]) -> float:
    """One p of several that may depend on each other: the mean of tan((1/2 - p) pi) is near a Cauchy variable in its tail."""
    mean = np.mean(np.tan((0.5 - np.clip(ps, 1e-15, 1 - 1e-9)) * np.pi))
    return float(np.arctan2(1, mean) / np.pi)


def resampled_means(nulls: Values, counts: Values) -> Values:
    """(r, k): the means of k nulls (n, k) over resampled pictures. counts: (r, n), how often each of the n pictures was drawn.

    What a picture does not have is not-a-number, and not counted.
    """
    known = np.isfinite(nulls)
    weights = counts @ known
    sums = counts @ np.where(known, nulls, 0)
    return np.asarray(np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0))


def resampled_counts(pictures: int) -> Values:
    """(400, n): how often each of n pictures stands in libraries of n pictures drawn from them with repetition; always the same draws."""
    return np.asarray(np.random.default_rng(0).multinomial(pictures, np.full(pictures, 1 / pictures), RESAMPLES), np.float64)


def resampled_kappa_interval(kappas: Values) -> KappaInterval:
    """The middle 95 % of resampled kappas (r,)."""
    tail = (1 - COVERAGE) / 2
    low, high = np.nanquantile(kappas, (tail, 1 - tail))
    return KappaInterval(float(low), float(high))


class AgreementLevel(StrEnum):
    """What is said of two maps, or of two families of methods; the values are the words that the page and the manifest show."""

    CANNOT_TELL = "cannot be told yet"
    NONE = "none"
    SOME = "some"
    STRONG = "strong"

    @property
    def beyond_chance(self) -> bool:
        return self in (AgreementLevel.SOME, AgreementLevel.STRONG)


class AgreementObstacle(StrEnum):
    """Why it cannot be told yet; the values are the words of the manifest."""

    NO_LIBRARY = "no library of other pictures"
    NOT_CONVERGED = "a map has not converged"
    LITTLE_POWER = "one picture has little power"
    NOTHING = ""


def classify_agreement(interval: KappaInterval | None, p: float | None) -> AgreementLevel:
    """The one scale of words. interval: of kappa; None without a library. p: None where there is no test.

    None: the interval ends under .1, so that next to nothing is in common. Some: p is at most .05 and the interval begins at .1 or above.
    Strong: it begins at .5 or above. Cannot be told yet: everything else, and everything without an interval or a p.
    """
    if interval is None or p is None:
        return AgreementLevel.CANNOT_TELL
    if interval.high < SOME:
        return AgreementLevel.NONE
    if p > LEVEL or interval.low < SOME:
        return AgreementLevel.CANNOT_TELL
    return AgreementLevel.STRONG if interval.low >= STRONG else AgreementLevel.SOME


WARNING = "Agreeing explanations can all be wrong."
