"""Compares all maps of one picture with each other: how far each pair agrees beyond chance, and what all families have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from explainers.grid import Grid
from explainers.method import Family
from explainers.method_runner import MethodResult
from explainers.metrics.agreement.attenuation_correction import (
    LEAST,
    disattenuated_correlation,
    disattenuated_kappa,
    mean_without_method_noise,
)
from explainers.metrics.agreement.consensus import consensus_map, count_family_votes, mean_across_family_pairs
from explainers.metrics.agreement.control_maps import CENTRE, EDGES, control_accounts_for_agreement
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.raw_similarity import RawSimilarity
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.significance import WARNING, AgreementLevel, Significance, classify_agreement
from explainers.metrics.agreement.similarity import MapEvidence, PairSimilarity, evidence_on_grid, normalise_positive_part, sign_agreement
from explainers.metrics.robustness.reliability import (
    ReliabilityScore,
    RepeatedMaps,
    RepeatSource,
    half_run_maps,
    pearson_correlation,
    reliability_scores,
    spearman_brown_reliability,
)

DISPLACED_CHANCE = (
    "Chance is estimated by shifting and flipping the maps, which does not know the methods' habits, such as the centre; "
    "a library of other pictures (python -m app library) would be surer."
)


class SelfAgreementSource(StrEnum):
    """How a pair's agreement of each map with itself is known; the values stand in the manifest."""

    MEASURED = "measured"
    EXACT = "taken as exact"


@dataclass(frozen=True)
class PairAgreement:
    """What is known of one pair of maps. likeness: the scores before chance is taken out. chance: of the mean similarity, with its kappa.

    raw: the similarities that people know, with chance in them; raw_by_chance: what unrelated pictures' maps reach of each on average.
    p: adjusted for the number of pairs. ceiling: kappa*, 0 chance, 1 where the two agree as well as each agrees with itself, None with a
    `reason`; it rests on Pearson's correlation, for which alone the methods' own noise can be taken out.
    explained_by: controls that both maps agree with at least as well as with each other. level: the conclusion.
    self_agreement: measured, or taken as exact where one of the two draws nothing and was not run on a noisy picture; the noise
    that this overlooks can only have lowered kappa*, which is then a lower bound. unreliable: there is no ceiling because one of the two
    methods does not agree with itself.
    """

    first: str
    second: str
    likeness: PairSimilarity
    raw: RawSimilarity
    raw_by_chance: RawSimilarity
    chance: Significance
    p: float
    ceiling: float | None
    reason: str
    explained_by: tuple[str, ...]
    within_family: bool
    level: AgreementLevel
    self_agreement: SelfAgreementSource = SelfAgreementSource.MEASURED
    unreliable: bool = False

    def to_json(self) -> dict[str, Any]:
        """Chance is taken out of kappa, p and as_well_as_themselves; it is still in likeness and raw."""
        return {
            "pair": [self.first, self.second],
            "word": self.level,
            "kappa": self.chance.kappa,
            "p": self.p,
            "others": self.chance.others,
            "as_well_as_themselves": self.ceiling,
            "self_agreement": self.self_agreement,
            "why_not": self.reason,
            "explained_by": self.explained_by,
            "likeness": {**self.likeness.to_json(), "by_chance": self.chance.mean},
            "raw": {**self.raw.to_json(), "by_chance": self.raw_by_chance.to_json()},
            "weaker": self.chance.weaker,
        }


@dataclass(frozen=True)
class MapConsistency:
    """All pairs of one picture's maps. kappa: the mean over pairs of families, each family counted once; None without two families.

    ceiling: the same mean of kappa*. weaker: some pair's chance rests on displaced copies. controls: control -> title -> kappa.
    weaker_controls: control -> titles whose kappa with it rests on displaced copies; it explains no pair whose own kappa does not.
    left_out: title -> why the method is in no pair, or in none that counts. consensus: (G, G) or None. votes: families a cell.
    """

    pair_agreements: tuple[PairAgreement, ...]
    kappa: float | None
    ceiling: float | None
    weaker: bool
    stability: Mapping[str, ReliabilityScore]
    controls: Mapping[str, Mapping[str, float]]
    left_out: Mapping[str, str]
    consensus: Grid | None
    votes: NDArray[np.int64]
    weaker_controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warning: str = WARNING

    def to_json(self) -> dict[str, Any]:
        return {
            "kappa": self.kappa,
            "as_well_as_themselves": self.ceiling,
            "weaker": self.weaker,
            "warning": self.warning,
            "pairs": [each.to_json() for each in self.pair_agreements],
            "stability": {title: each.to_json() for title, each in self.stability.items()},
            "controls": self.controls,
            "weaker_controls": self.weaker_controls,
            "left_out": self.left_out,
            "consensus": self.consensus,
            "votes": self.votes,
        }


@dataclass(frozen=True)
class ReferenceMaps:
    """What a picture's maps are compared with. library: None without one. picture: its digest. controls: as `control_maps` gives them."""

    library: MapLibrary | None = None
    picture: str = ""
    controls: Mapping[str, Grid] | None = None


def measure_consistency(
    results: Sequence[MethodResult], size: tuple[int, int], background: ReferenceMaps, jitters: Mapping[str, RepeatedMaps]
) -> MapConsistency:
    """Everything from the results of one case. size: (H, W) of the picture. jitters: `maps_under_noise` by title; may be empty."""
    found = [each for each in (evidence_on_grid(result, size) for result in results) if each is not None]
    halves = {result.method.title: half_run_maps(result, size) for result in results}
    readings = {title: each for title, each in halves.items() if each is not None} | dict(jitters)
    return consistency_from_maps(found, readings, reliability_scores(results, readings), background)


def consistency_from_maps(
    found: Sequence[MapEvidence], readings: Mapping[str, RepeatedMaps], stable: Mapping[str, ReliabilityScore], background: ReferenceMaps
) -> MapConsistency:
    """found: the maps on the common grid. readings: for the ceiling. stable: how reliable each method is; both by title."""
    shown = [each for each in found if each.share is not None]
    controls = background.controls or {}
    shares = {each.title: each.share for each in shown if each.share is not None}
    nulls = NullDistributions({**shares, **controls}, background.library, background.picture)
    not_converged = {title for title, each in stable.items() if each.converged is False}
    with_controls = {control: {title: nulls.kappa(title, control) for title in shares} for control in controls}
    self_agreements = _SelfAgreements(nulls, readings, list(shares))
    pair_agreements = [_pair_agreement(a, b, nulls, self_agreements, with_controls) for a, b in combinations(shown, 2)]
    pair_agreements = _with_levels(pair_agreements, not_converged)
    kappa, ceiling = _means(pair_agreements, {each.title: each.family for each in shown})
    reasons = {each.title: each.reason for each in found if each.share is None}
    return MapConsistency(
        pair_agreements=tuple(pair_agreements),
        kappa=kappa,
        ceiling=ceiling,
        weaker=any(each.chance.weaker for each in pair_agreements),
        stability=dict(stable),
        controls=with_controls,
        left_out={**reasons, **{title: stable[title].sentence for title in shares if title in not_converged}},
        consensus=consensus_map(shown),
        votes=count_family_votes(shown),
        weaker_controls={name: weak for name in controls if (weak := tuple(title for title in shares if nulls.weaker(title, name)))},
    )


def weaker_controls_sentence(found: MapConsistency) -> str:
    """Which controls rest on less than the pairs; empty where none does, or where the pairs rest on no more."""
    names = () if found.weaker else tuple(found.weaker_controls)
    if not names:
        return ""
    shortage = f"The library holds too few maps of {' and '.join(names)} or of a method held against it"
    return f"{shortage}: chance is estimated by shifting and flipping there, which is weaker, and such a control explains no pair."


def controls_warning_sentence(names: Sequence[str]) -> str:
    """Why agreement may mean little; empty without a name."""
    reasons = {EDGES: "both follow the picture's edges as well", CENTRE: "both light the centre as much"}
    return "; ".join(reasons.get(name, f"both agree as well with {name}") for name in names)


def _means(pair_agreements: Sequence[PairAgreement], families: dict[str, Family]) -> tuple[float | None, float | None]:
    """kappa and kappa* over pairs of families, of the pairs that have a score."""
    counted = [each for each in pair_agreements if each.level != AgreementLevel.NOT_CONVERGED]
    kappas = {(each.first, each.second): each.chance.kappa for each in counted}
    ceilings = {(each.first, each.second): each.ceiling for each in counted if each.ceiling is not None}
    return mean_across_family_pairs(kappas, families), mean_across_family_pairs(ceilings, families)


def _pair_agreement(
    a: MapEvidence,
    b: MapEvidence,
    nulls: NullDistributions,
    self_agreements: "_SelfAgreements",
    controls: Mapping[str, Mapping[str, float]],
) -> PairAgreement:
    """Its level depends on the other pairs: `_with_levels`."""
    chance = nulls.chance(a.title, b.title)
    alike = [name for name in controls if all(nulls.weaker(title, name) == chance.weaker for title in (a.title, b.title))]
    explained = tuple(
        name for name in alike if control_accounts_for_agreement(chance.kappa, (controls[name][a.title], controls[name][b.title]))
    )
    ceiling = self_agreements.ceiling(a.title, b.title)
    sign = sign_agreement(a.signed, b.signed) if a.signed_method and b.signed_method else None
    overlap, mass, rank = nulls.scores(a.title, b.title)
    return PairAgreement(
        first=a.title,
        second=b.title,
        likeness=PairSimilarity(
            first=a.title, second=b.title, top_overlap=overlap, shared_mass=mass, rank_correlation=rank, same_sign=sign
        ),
        raw=nulls.raw(a.title, b.title),
        raw_by_chance=nulls.raw_by_chance(a.title, b.title),
        chance=chance,
        p=chance.p,
        ceiling=ceiling.value,
        reason=ceiling.reason,
        explained_by=explained,
        within_family=a.family == b.family,
        level=AgreementLevel.NOT_CONVERGED,
        self_agreement=self_agreements.how(a.title, b.title),
        unreliable=ceiling.unreliable,
    )


def _with_levels(pair_agreements: Sequence[PairAgreement], not_converged: set[str]) -> list[PairAgreement]:
    """With p adjusted over the pairs that get a score, and the level."""
    scored = [each for each in pair_agreements if not {each.first, each.second} & not_converged]
    adjusted = false_discovery_control([each.chance.p for each in scored], method="bh").tolist()
    by_pair = {(each.first, each.second): p for each, p in zip(scored, adjusted, strict=True)}
    return [_with_level(each, by_pair.get((each.first, each.second))) for each in pair_agreements]


def _with_level(pair_agreement: PairAgreement, p: float | None) -> PairAgreement:
    """p: None where the pair gets no score."""
    if p is None:
        return replace(pair_agreement, level=AgreementLevel.NOT_CONVERGED)
    return replace(pair_agreement, p=p, level=classify_agreement(pair_agreement.chance.kappa, p))


@dataclass(frozen=True)
class _Ceiling:
    """kappa*; None with a reason, and then unreliable where a method's own readings do not agree."""

    value: float | None
    reason: str = ""
    unreliable: bool = False


class _SelfAgreements:
    """How well each method agrees with itself."""

    def __init__(self, nulls: NullDistributions, readings: Mapping[str, RepeatedMaps], titles: Sequence[str]) -> None:
        self._nulls = nulls
        self._halves: dict[str, tuple[Grid, Grid]] = {}
        for title in titles:
            if title in readings:
                first, second = normalise_positive_part(readings[title].first), normalise_positive_part(readings[title].second)
                if first is not None and second is not None:
                    self._halves[title] = first, second
        self._how = {title: each.how for title, each in readings.items()}
        self._own = {title: pearson_correlation(*halves) for title, halves in self._halves.items()}

    def how(self, a: str, b: str) -> SelfAgreementSource:
        """Whether both methods' agreement with themselves was measured."""
        exact = RepeatSource.EXACT in (self._how.get(a), self._how.get(b))
        return SelfAgreementSource.EXACT if exact else SelfAgreementSource.MEASURED

    def ceiling(self, a: str, b: str) -> _Ceiling:
        for title in (a, b):
            if title not in self._halves:
                return _Ceiling(None, f"{title} has no two readings with positive evidence.")
            if self._own[title] < LEAST:
                why = f"{title} is not reliable: its own two readings correlate at {self._own[title]:.2f}."
                return _Ceiling(None, why, unreliable=True)
        (a1, a2), (b1, b2) = self._halves[a], self._halves[b]
        true = disattenuated_correlation((pearson_correlation(a1, b2), pearson_correlation(a2, b1)), (self._own[a], self._own[b]))
        if true is None:
            return _Ceiling(None)
        chance = mean_without_method_noise(self._nulls.mean_correlation(a, b), (self._reliability(a), self._reliability(b)))
        return _Ceiling(disattenuated_kappa(true, chance))

    def _reliability(self, title: str) -> float:
        """Of the whole map: a half run is half of it, the map of a noisy picture is one as good."""
        return spearman_brown_reliability(self._own[title]) if self._how[title] == RepeatSource.HALF_RUNS else self._own[title]
