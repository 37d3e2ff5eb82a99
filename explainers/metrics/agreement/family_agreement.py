"""Whether families of methods agree: one test for each pair of families, corrected over those alone, because they are what counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from scipy.stats import false_discovery_control

from explainers.method import Family
from explainers.metrics.agreement.null_distribution import FamilyPairSignificance, NullDistributions
from explainers.metrics.agreement.significance import AgreementLevel, AgreementObstacle, classify_agreement

TitlePair = tuple[str, str]


@dataclass(frozen=True)
class FamilyAgreement:
    """Two families of methods. pairs: of their methods, those that have converged. chance: None without a library or without a pair.

    p: of the pairs' mean similarity, adjusted over the pairs of families. obstacle: why the level says that it cannot be told yet.
    """

    first: Family
    second: Family
    pairs: tuple[TitlePair, ...]
    chance: FamilyPairSignificance | None
    p: float | None
    level: AgreementLevel
    obstacle: AgreementObstacle

    def to_json(self) -> dict[str, Any]:
        """detectable: the kappa that unrelated maps exceed in one of 20 cases. class_share: the part of kappa that a class shares."""
        chance = self.chance
        return {
            "families": [self.first, self.second],
            "word": self.level,
            "why_not": self.obstacle,
            "kappa": chance.kappa if chance else None,
            "interval": chance.interval.to_json() if chance else None,
            "p": self.p,
            "detectable": chance.detectable if chance else None,
            "others": chance.pictures if chance else 0,
            "same_class": chance.same_class if chance else None,
            "same_class_others": chance.same_class_pictures if chance else 0,
            "class_share": chance.class_share if chance else None,
        }


def family_agreements(families: Mapping[str, Family], converged: Sequence[str], nulls: NullDistributions) -> tuple[FamilyAgreement, ...]:
    """Every pair of families that have a map. families: title -> family of all maps. converged: titles of the maps that are stable."""
    members: dict[Family, list[str]] = {}
    for title, family in families.items():
        members.setdefault(family, []).append(title)
    found = []
    for first, second in combinations(members, 2):
        pairs = tuple((a, b) for a in members[first] for b in members[second] if {a, b} <= set(converged))
        found.append((first, second, pairs, nulls.shared(pairs)))
    tested = [number for number, (*_, chance) in enumerate(found) if chance is not None]
    adjusted = false_discovery_control([chance.p for *_, chance in found if chance is not None], method="bh").tolist()
    ps = dict(zip(tested, adjusted, strict=True))
    return tuple(_with_level(first, second, pairs, chance, ps.get(n)) for n, (first, second, pairs, chance) in enumerate(found))


def _with_level(
    first: Family, second: Family, pairs: tuple[TitlePair, ...], chance: FamilyPairSignificance | None, p: float | None
) -> FamilyAgreement:
    level = classify_agreement(chance.interval if chance else None, p)
    return FamilyAgreement(first, second, pairs, chance, p, level, reason_agreement_cannot_be_told(level, bool(pairs), chance is not None))


def reason_agreement_cannot_be_told(level: AgreementLevel, converged: bool, weighed: bool) -> AgreementObstacle:
    """Why nothing can be said yet. converged: whether the maps are stable. weighed: whether there is a chance to compare with."""
    if level is not AgreementLevel.CANNOT_TELL:
        return AgreementObstacle.NOTHING
    if not converged:
        return AgreementObstacle.NOT_CONVERGED
    return AgreementObstacle.LITTLE_POWER if weighed else AgreementObstacle.NO_LIBRARY
