"""How much of two maps' agreement is more than chance: against maps of other pictures, or, weaker, against displaced copies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from explainers.grid import Grid

MIN_PICTURES = 30
"""Other pictures that a library needs before its null is used."""
TAIL = 0.25
"""Share of a null whose excess over the rest says how its tail falls."""
MIN_IN_TAIL = 20


@dataclass(frozen=True)
class Significance:
    """An agreement with chance taken out. kappa: 0 is chance, 1 identity. p: chance of so much agreement without any cause but habit.

    mean: the agreement of unrelated maps. others: maps in the smallest null that p rests on. weaker: the null is of displaced copies, which
    does not know habits such as the centre's.
    """

    agreement: float
    mean: float
    kappa: float
    p: float
    weaker: bool = False
    others: int = 0


def agreement_significance(agreement: float, null: Sequence[float] | NDArray[np.float64], weaker: bool = False) -> Significance:
    """kappa = (s - mu) / (1 - mu), p = (1 + #{null >= s}) / (1 + n), or `beyond` where s lies over the whole null and that is less.

    Displaced copies of one map are no sample of maps, so that their tail says nothing: p stays at 1 / (1 + n) there.
    """
    drawn = np.asarray(null, np.float64)
    mean = float(drawn.mean())
    kappa = (agreement - mean) / (1 - mean) if mean < 1 else 0.0
    p = float((1 + (drawn >= agreement).sum()) / (1 + len(drawn)))
    return Significance(agreement, mean, kappa, p if weaker else min(p, _tail_p_value(agreement, drawn)), weaker, len(drawn))


def _tail_p_value(agreement: float, null: NDArray[np.float64]) -> float:
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


def significance_against_both_nulls(agreement: float, nulls: Sequence[Sequence[float] | NDArray[np.float64]]) -> Significance:
    """kappa from the mean over both nulls; p combined from each null's own (Cauchy combination, Liu & Xie 2020, arXiv:1808.09011).

    Pooled, the nulls of A with others and of others with B make p too large where one map is more typical than the other: at a nominal
    .05 a strong habit of the centre leaves a rate of .02. The pooled p, which holds too, serves where it is smaller: with few others it is
    the finer one.
    """
    pooled = agreement_significance(agreement, np.concatenate([np.asarray(null, np.float64) for null in nulls]))
    ps = np.array([agreement_significance(agreement, null).p for null in nulls])
    p = 0.5 - np.arctan(np.mean(np.tan((0.5 - np.clip(ps, 0, 1 - 1e-9)) * np.pi))) / np.pi
    return replace(pooled, p=min(pooled.p, float(p)), others=min(len(null) for null in nulls))


def shifted_map_copies(b: Grid) -> list[Grid]:
    """B shifted round the edges by steps of a quarter, each as it is and flipped: 63 maps; B in its own place is left out."""
    cells = len(b)
    steps = sorted({round(cells * quarter / 4) for quarter in range(4)})
    faces = (b, b[:, ::-1], b[::-1], b[::-1, ::-1])
    copies = [(np.roll(face, (down, right), (0, 1)), down, right, face is b) for face in faces for down in steps for right in steps]
    return [copy for copy, down, right, upright in copies if not (upright and down == right == 0)]


class AgreementLevel(StrEnum):
    """The level of agreement of a pair of maps; the values are the words that the page and the manifest show."""

    NOT_CONVERGED = "not converged"
    BY_CHANCE = "no better than chance"
    INCONCLUSIVE = "not told from chance"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"

    @property
    def beyond_chance(self) -> bool:
        return self in (AgreementLevel.WEAK, AgreementLevel.MODERATE, AgreementLevel.STRONG)


def classify_agreement(kappa: float, p: float) -> AgreementLevel:
    """Strong from .6, moderate from .3, weak from .1, all of them only where p is at most .05.

    Under .1 nothing is in common. From .1 on with a larger p something may be: one picture has little power to tell.
    """
    if kappa < 0.1:
        return AgreementLevel.BY_CHANCE
    if p > 0.05:
        return AgreementLevel.INCONCLUSIVE
    return AgreementLevel.WEAK if kappa < 0.3 else AgreementLevel.MODERATE if kappa < 0.6 else AgreementLevel.STRONG


WARNING = "Agreeing explanations can all be wrong."
