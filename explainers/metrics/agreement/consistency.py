"""Weighs all maps of one picture against each other: how far each pair agrees beyond chance, and what all families have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from explainers.method import Family
from explainers.metrics.agreement.attenuation import LEAST, disattenuate, kappa_star, mean_without_noise, reliability
from explainers.metrics.agreement.controls import CENTRE, EDGES, explains
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.raw_similarity import Raw
from explainers.metrics.agreement.reference_library import Library
from explainers.metrics.agreement.significance import WARNING, Significance, benjamini_hochberg, words
from explainers.metrics.agreement.similarity import (
    Evidence,
    Grid,
    Pair,
    across_families,
    consensus,
    evidence,
    positive_share,
    same_sign,
    votes,
)
from explainers.metrics.robustness.reliability import EXACT, HALVES, RepeatedReadings, Stability, correlation, half_runs, stabilities
from explainers.runner import Result

UNSETTLED = "not converged"
MEASURED = "measured"
WEAKER = (
    "Chance is estimated by shifting and flipping the maps, which does not know the methods' habits, such as the centre; "
    "a library of other pictures (python -m app library) would be surer."
)


@dataclass(frozen=True)
class PairAgreement:
    """What is known of one pair of maps. likeness: the scores before chance is taken out. chance: of the headline, with its kappa.

    raw: the similarities that people know, with chance in them; raw_by_chance: what unrelated pictures' maps reach of each on average.
    p: adjusted for the number of pairs. ceiling: kappa*, 0 chance, 1 where the two agree as well as each agrees with itself, None with a
    `reason`; it rests on Pearson's correlation, for which alone the methods' own noise can be taken out.
    explained_by: controls that both maps agree with at least as well as with each other. word: the verdict.
    self_agreement: measured, or taken as exact where one of the two draws nothing and was not asked about a jittered picture; the noise
    that this overlooks can only have lowered kappa*, which is then a lower bound.
    """

    first: str
    second: str
    likeness: Pair
    raw: Raw
    raw_by_chance: Raw
    chance: Significance
    p: float
    ceiling: float | None
    reason: str
    explained_by: tuple[str, ...]
    within_family: bool
    word: str
    self_agreement: str = MEASURED


@dataclass(frozen=True)
class Consistency:
    """All verdicts on one picture's maps. kappa: the mean over pairs of families, each family counted once; None without two families.

    ceiling: the same mean of kappa*. weaker: some pair's chance rests on displaced copies. controls: control -> title -> kappa.
    weaker_controls: control -> titles whose kappa with it rests on displaced copies; it explains no pair whose own kappa does not.
    left_out: title -> why the method is in no pair, or in none that counts. consensus: (G, G) or None. votes: families a cell.
    """

    verdicts: tuple[PairAgreement, ...]
    kappa: float | None
    ceiling: float | None
    weaker: bool
    stability: Mapping[str, Stability]
    controls: Mapping[str, Mapping[str, float]]
    left_out: Mapping[str, str]
    consensus: Grid | None
    votes: NDArray[np.int64]
    weaker_controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warning: str = WARNING


@dataclass(frozen=True)
class Background:
    """What a picture's maps are held against. library: None without one. picture: its digest. controls: as `controls_of` gives them."""

    library: Library | None = None
    picture: str = ""
    controls: Mapping[str, Grid] | None = None


def consistency(
    results: Sequence[Result], size: tuple[int, int], background: Background, jitters: Mapping[str, RepeatedReadings]
) -> Consistency:
    """Everything from what a study gave. size: (H, W) of the picture. jitters: readings of `stability.jittered`, by title; may be empty."""
    found = [each for each in (evidence(result, size) for result in results) if each is not None]
    halves = {result.method.title: half_runs(result, size) for result in results}
    readings = {title: each for title, each in halves.items() if each is not None} | dict(jitters)
    return build_consistency(found, readings, stabilities(results, readings), background)


def build_consistency(
    found: Sequence[Evidence], readings: Mapping[str, RepeatedReadings], stable: Mapping[str, Stability], background: Background
) -> Consistency:
    """found: the maps on the common grid. readings: for the ceiling. stable: how reliable each method is; both by title."""
    shown = [each for each in found if each.share is not None]
    controls = background.controls or {}
    shares = {each.title: each.share for each in shown if each.share is not None}
    nulls = NullDistributions({**shares, **controls}, background.library, background.picture)
    unsettled = {title for title, each in stable.items() if each.converged is False}
    with_controls = {control: {title: nulls.kappa(title, control) for title in shares} for control in controls}
    selves = _Selves(nulls, readings, list(shares))
    verdicts = [_verdict(a, b, nulls, selves, with_controls) for a, b in combinations(shown, 2)]
    verdicts = _worded(verdicts, unsettled)
    kappa, ceiling = _means(verdicts, {each.title: each.family for each in shown})
    reasons = {each.title: each.reason for each in found if each.share is None}
    return Consistency(
        verdicts=tuple(verdicts),
        kappa=kappa,
        ceiling=ceiling,
        weaker=any(each.chance.weaker for each in verdicts),
        stability=dict(stable),
        controls=with_controls,
        left_out={**reasons, **{title: stable[title].sentence for title in shares if title in unsettled}},
        consensus=consensus(shown),
        votes=votes(shown),
        weaker_controls={name: weak for name in controls if (weak := tuple(title for title in shares if nulls.weaker(title, name)))},
    )


def short_words(found: Consistency) -> str:
    """Which controls rest on less than the pairs; empty where none does, or where the pairs rest on no more."""
    names = () if found.weaker else tuple(found.weaker_controls)
    if not names:
        return ""
    said = f"The library holds too few maps of {' and '.join(names)} or of a method held against it"
    return f"{said}: chance is estimated by shifting and flipping there, which is weaker, and such a control explains no pair."


def control_words(names: Sequence[str]) -> str:
    """Why agreement may mean little; empty without a name."""
    said = {EDGES: "both follow the picture's edges as well", CENTRE: "both light the centre as much"}
    return "; ".join(said.get(name, f"both agree as well with {name}") for name in names)


def _means(verdicts: Sequence[PairAgreement], families: dict[str, Family]) -> tuple[float | None, float | None]:
    """kappa and kappa* over pairs of families, of the pairs that have a score."""
    counted = [each for each in verdicts if each.word != UNSETTLED]
    kappas = {(each.first, each.second): each.chance.kappa for each in counted}
    ceilings = {(each.first, each.second): each.ceiling for each in counted if each.ceiling is not None}
    return across_families(kappas, families), across_families(ceilings, families)


def _verdict(
    a: Evidence, b: Evidence, nulls: NullDistributions, selves: "_Selves", controls: Mapping[str, Mapping[str, float]]
) -> PairAgreement:
    chance = nulls.chance(a.title, b.title)
    pair = a.title, b.title
    alike = [name for name in controls if all(nulls.weaker(title, name) == chance.weaker for title in pair)]
    explained = tuple(name for name in alike if explains(chance.kappa, (controls[name][a.title], controls[name][b.title])))
    ceiling, reason = selves.ceiling(a.title, b.title)
    sign = same_sign(a.signed, b.signed) if a.signed_method and b.signed_method else None
    likeness = Pair(a.title, b.title, *nulls.scores(a.title, b.title), sign)
    return PairAgreement(
        *(*pair, likeness, nulls.raw(*pair), nulls.raw_by_chance(*pair), chance),
        p=chance.p,
        ceiling=ceiling,
        reason=reason,
        explained_by=explained,
        within_family=a.family == b.family,
        word="",
        self_agreement=selves.how(*pair),
    )


def _worded(verdicts: Sequence[PairAgreement], unsettled: set[str]) -> list[PairAgreement]:
    """With p adjusted over the pairs that get a score, and the verdict in words."""
    scored = [each for each in verdicts if not {each.first, each.second} & unsettled]
    adjusted = dict(
        zip(((each.first, each.second) for each in scored), benjamini_hochberg([each.chance.p for each in scored]), strict=True)
    )
    return [_with_word(each, adjusted.get((each.first, each.second))) for each in verdicts]


def _with_word(verdict: PairAgreement, p: float | None) -> PairAgreement:
    return replace(verdict, word=UNSETTLED) if p is None else replace(verdict, p=p, word=words(verdict.chance.kappa, p))


class _Selves:
    """How well each method agrees with itself."""

    def __init__(self, nulls: NullDistributions, readings: Mapping[str, RepeatedReadings], titles: Sequence[str]) -> None:
        self._nulls = nulls
        self._halves: dict[str, tuple[Grid, Grid]] = {}
        for title in titles:
            if title in readings:
                first, second = positive_share(readings[title].first), positive_share(readings[title].second)
                if first is not None and second is not None:
                    self._halves[title] = first, second
        self._how = {title: each.how for title, each in readings.items()}
        self._own = {title: correlation(*halves) for title, halves in self._halves.items()}

    def how(self, a: str, b: str) -> str:
        """Whether both methods' agreement with themselves was measured."""
        return EXACT if EXACT in (self._how.get(a), self._how.get(b)) else MEASURED

    def ceiling(self, a: str, b: str) -> tuple[float | None, str]:
        """kappa* and, where there is none, the reason."""
        for title in (a, b):
            if title not in self._halves:
                return None, f"{title} has no two readings with positive evidence."
            if self._own[title] < LEAST:
                return None, f"{title} is not reliable: its own two readings correlate at {self._own[title]:.2f}."
        (a1, a2), (b1, b2) = self._halves[a], self._halves[b]
        true = disattenuate((correlation(a1, b2), correlation(a2, b1)), (self._own[a], self._own[b]))
        if true is None:
            return None, ""
        chance = mean_without_noise(self._nulls.mean_correlation(a, b), (self._reliability(a), self._reliability(b)))
        return kappa_star(true, chance), ""

    def _reliability(self, title: str) -> float:
        """Of the whole map: a half run is half of it, a jittered picture's map is one as good."""
        return reliability(self._own[title]) if self._how[title] == HALVES else self._own[title]
