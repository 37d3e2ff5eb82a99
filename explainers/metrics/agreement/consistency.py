"""Compares all maps of one picture with each other: how far each pair agrees beyond chance, and what all families have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from explainers.metrics.agreement.control_maps import CENTRE, CONTENT, EDGES
from explainers.metrics.agreement.family_agreement import FamilyAgreement, family_agreements, reason_agreement_cannot_be_told
from explainers.metrics.agreement.null_distribution import NullDistributions
from explainers.metrics.agreement.partial_agreement import PartialAgreement
from explainers.metrics.agreement.raw_similarity import RawSimilarity
from explainers.metrics.agreement.reference_library import MapLibrary
from explainers.metrics.agreement.significance import (
    WARNING,
    AgreementLevel,
    AgreementObstacle,
    KappaInterval,
    Significance,
    classify_agreement,
)
from explainers.metrics.agreement.similarity import MapEvidence, PairSimilarity, evidence_on_grid, normalise_positive_part, sign_agreement
from explainers.metrics.robustness.reliability import (
    ReliabilityScore,
    RepeatedMaps,
    RepeatedReadingSource,
    half_run_maps,
    pearson_correlation,
    reliability_scores,
    spearman_brown_reliability,
)

NO_CHANCE = (
    "Whether maps agree beyond chance cannot be told yet: that takes the same methods' maps of more than 30 other pictures, a library, "
    "and there is none for this model."
)
"""What is said where nothing can be."""


class SelfAgreementSource(StrEnum):
    """How a pair's agreement of each map with itself is known; the values stand in the manifest."""

    MEASURED = "measured"
    EXACT = "taken as exact"


@dataclass(frozen=True)
class PairAgreement:
    """What is known of one pair of maps. likeness: the scores before chance is taken out. chance: of the mean similarity, with its kappa.

    chance, raw_by_chance and ceiling are None without a library, or where it holds too few maps of one of the two.
    raw: the similarities that people know, with chance in them; raw_by_chance: what unrelated pictures' maps reach of each on average.
    p: of this pair alone. ceiling: kappa*, 0 chance, 1 where the two agree as well as each agrees with itself, None with a
    `reason`; it rests on Pearson's correlation, for which alone the methods' own noise can be taken out.
    explained_by: controls after which too little of the agreement remains. level: the conclusion; of two families' pairs it says that maps
    agree only where the families do, so that it is corrected as they are. obstacle: why it cannot be told yet.
    self_agreement: measured, or taken as exact where one of the two draws nothing and was not run on a noisy picture; the noise
    that this overlooks can only have lowered kappa*, which is then a lower bound. unreliable: there is no ceiling because one of the two
    methods does not agree with itself.
    """

    first: str
    second: str
    likeness: PairSimilarity
    raw: RawSimilarity
    raw_by_chance: RawSimilarity | None
    chance: Significance | None
    ceiling: float | None
    reason: str
    explained_by: tuple[str, ...]
    within_family: bool
    converged: bool
    level: AgreementLevel = AgreementLevel.CANNOT_TELL
    obstacle: AgreementObstacle = AgreementObstacle.NOTHING
    self_agreement: SelfAgreementSource = SelfAgreementSource.MEASURED
    unreliable: bool = False

    @property
    def p(self) -> float | None:
        return self.chance.p if self.chance else None

    def to_json(self) -> dict[str, Any]:
        """Chance is taken out of kappa, p and as_well_as_themselves; it is still in likeness and raw."""
        chance, by_chance = self.chance, self.raw_by_chance
        return {
            "pair": [self.first, self.second],
            "word": self.level,
            "why_no_word": self.obstacle,
            "kappa": chance.kappa if chance else None,
            "interval": chance.interval.to_json() if chance else None,
            "p": self.p,
            "others": chance.others if chance else 0,
            "as_well_as_themselves": self.ceiling,
            "self_agreement": self.self_agreement,
            "why_not": self.reason,
            "explained_by": self.explained_by,
            "likeness": {**self.likeness.to_json(), "by_chance": chance.mean if chance else None},
            "raw": {**self.raw.to_json(), "by_chance": by_chance.to_json() if by_chance else None},
        }


@dataclass(frozen=True)
class MapConsistency:
    """All pairs of one picture's maps. kappa: the mean over pairs of families, each family counted once; None without two, or a library.

    interval: of kappa, over resampled libraries. ceiling: the same mean of kappa*. families: the pairs of families, which alone are tested.
    controls: control -> title -> kappa. left_out: title -> why the method is in no pair, or in none that counts. consensus: (G, G) or None.
    votes: families a cell.
    """

    pair_agreements: tuple[PairAgreement, ...]
    families: tuple[FamilyAgreement, ...]
    kappa: float | None
    interval: KappaInterval | None
    ceiling: float | None
    stability: Mapping[str, ReliabilityScore]
    controls: Mapping[str, Mapping[str, float]]
    left_out: Mapping[str, str]
    consensus: Grid | None
    votes: NDArray[np.int64]
    warning: str = WARNING

    @property
    def weighed(self) -> bool:
        """Whether there was a chance to compare any two maps with."""
        return any(each.chance is not None for each in self.pair_agreements)

    def to_json(self) -> dict[str, Any]:
        return {
            "kappa": self.kappa,
            "interval": self.interval.to_json() if self.interval else None,
            "as_well_as_themselves": self.ceiling,
            "warning": self.warning,
            "families": [each.to_json() for each in self.families],
            "pairs": [each.to_json() for each in self.pair_agreements],
            "stability": {title: each.to_json() for title, each in self.stability.items()},
            "controls": self.controls,
            "left_out": self.left_out,
            "consensus": self.consensus,
            "votes": self.votes,
        }


@dataclass(frozen=True)
class ReferenceMaps:
    """What a picture's maps are compared with. library: None without one. picture: its digest. controls: as `control_maps` gives them.

    target: the class that is explained; None where it does not matter.
    """

    library: MapLibrary | None = None
    picture: str = ""
    controls: Mapping[str, Grid] | None = None
    target: int | None = None


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
    nulls = NullDistributions({**shares, **controls}, background.library, background.picture, background.target, tuple(controls))
    not_converged = {title for title, each in stable.items() if each.converged is False}
    families = {each.title: each.family for each in shown}
    tested = family_agreements(families, [title for title in shares if title not in not_converged], nulls)
    self_agreements = _SelfAgreements(nulls, readings, list(shares))
    partial = PartialAgreement(shares, controls)
    pairs = [_pair_agreement(a, b, nulls, self_agreements, partial) for a, b in combinations(shown, 2)]
    pairs = [replace(each, converged=not {each.first, each.second} & not_converged) for each in pairs]
    by_families = {frozenset((each.first, each.second)): each for each in tested}
    pairs = [_with_level(each, by_families.get(frozenset((families[each.first], families[each.second])))) for each in pairs]
    kappa, ceiling = _means(pairs, families)
    reasons = {each.title: each.reason for each in found if each.share is None}
    return MapConsistency(
        pair_agreements=tuple(pairs),
        families=tested,
        kappa=kappa,
        interval=nulls.interval([each.pairs for each in tested]),
        ceiling=ceiling,
        stability=dict(stable),
        controls={control: _kappas(nulls, control, shares) for control in controls},
        left_out={**reasons, **{title: stable[title].sentence for title in shares if title in not_converged}},
        consensus=consensus_map(shown),
        votes=count_family_votes(shown),
    )


def _kappas(nulls: NullDistributions, control: str, titles: Iterable[str]) -> dict[str, float]:
    """Of each method with the control, where the library holds enough maps."""
    return {title: kappa for title in titles if (kappa := nulls.kappa(title, control)) is not None}


REASONS = {
    EDGES: "both follow the picture's edges",
    CENTRE: "both light the centre",
    CONTENT: "both follow where the picture differs from what hides it",
}
"""Control -> why two maps that share it may agree."""


def controls_warning_sentence(names: Sequence[str]) -> str:
    """Why agreement may mean little; empty without a name."""
    return "; ".join(REASONS.get(name, f"both follow {name}") for name in names)


def _means(pair_agreements: Sequence[PairAgreement], families: dict[str, Family]) -> tuple[float | None, float | None]:
    """kappa and kappa* over pairs of families, of the pairs that have a score."""
    counted = [each for each in pair_agreements if each.converged]
    kappas = {(each.first, each.second): each.chance.kappa for each in counted if each.chance is not None}
    ceilings = {(each.first, each.second): each.ceiling for each in counted if each.ceiling is not None}
    return mean_across_family_pairs(kappas, families), mean_across_family_pairs(ceilings, families)


def _pair_agreement(
    a: MapEvidence, b: MapEvidence, nulls: NullDistributions, self_agreements: "_SelfAgreements", partial: PartialAgreement
) -> PairAgreement:
    """Its level is only known beside the families': `_with_level`."""
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
        chance=nulls.chance(a.title, b.title),
        ceiling=ceiling.value,
        reason=ceiling.reason,
        explained_by=partial.explanations(a.title, b.title),
        within_family=a.family == b.family,
        converged=True,
        self_agreement=self_agreements.how(a.title, b.title),
        unreliable=ceiling.unreliable,
    )


def _with_level(pair: PairAgreement, families: FamilyAgreement | None) -> PairAgreement:
    """families: the pair's own, or None within one family, where nothing is claimed and nothing corrected."""
    level = classify_agreement(pair.chance.interval, pair.p) if pair.chance and pair.converged else AgreementLevel.CANNOT_TELL
    if level.beyond_chance and families is not None and not families.level.beyond_chance:
        level = AgreementLevel.CANNOT_TELL
    return replace(pair, level=level, obstacle=reason_agreement_cannot_be_told(level, pair.converged, pair.chance is not None))


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
        exact = RepeatedReadingSource.EXACT in (self._how.get(a), self._how.get(b))
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
        mean = self._nulls.mean_correlation(a, b)
        if true is None or mean is None:
            return _Ceiling(None, "" if true is None else f"There is no library with enough maps of {a} and {b}.")
        return _Ceiling(disattenuated_kappa(true, mean_without_method_noise(mean, (self._reliability(a), self._reliability(b)))))

    def _reliability(self, title: str) -> float:
        """Of the whole map: a half run is half of it, the map of a noisy picture is one as good."""
        return spearman_brown_reliability(self._own[title]) if self._how[title] == RepeatedReadingSource.HALF_RUNS else self._own[title]
