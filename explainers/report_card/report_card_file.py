"""A classifier's report card: for each method the share of cases whose known evidence its strongest place held."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from errors import UserError
from explainers.report_card.known_evidence_cases import EvidenceKind

FORMAT = 1
"""Of the file; raised whenever an older one can no longer be read as it stands."""
CHANCE, CENTRE, CONSENSUS = "chance", "the centre", "consensus"
LEAST_CASES = 20
"""Fewer cases say nothing of a method."""
REBUILD = "make it again: python -m app report-card"


@dataclass(frozen=True)
class KnownEvidenceOutcome:
    """One case. found: title -> whether the strongest place lay in the evidence; a map without positive evidence has not found it.

    chance: the evidence's share of the picture. centre, consensus: the same of a bell over the middle and of the families' consensus.
    reliability: of methods that draw. fills: how far the map made over the mean colour correlates with the usual one; of some cases only.
    """

    key: str
    kind: EvidenceKind
    chance: float
    centre: bool
    consensus: bool
    found: Mapping[str, bool]
    reliability: Mapping[str, float]
    fills: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "chance": self.chance,
            "centre": self.centre,
            "consensus": self.consensus,
            "found": dict(self.found),
            "reliability": dict(self.reliability),
            "fills": dict(self.fills),
        }


@dataclass(frozen=True)
class FoundCount:
    """found of `cases`, with Wilson's 95 % interval of the share."""

    title: str
    found: int
    cases: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.found / self.cases if self.cases else 0.0

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "found": self.found, "cases": self.cases, "share": self.share, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class ReportCard:
    """made_with: the model's sha256, the settings and each method's revision. outcomes: of every case, in order."""

    made_with: Mapping[str, Any]
    outcomes: tuple[KnownEvidenceOutcome, ...]

    @property
    def titles(self) -> tuple[str, ...]:
        """Of the methods, in the order of the first case."""
        return tuple(self.outcomes[0].found) if self.outcomes else ()

    def tallies(self, kind: EvidenceKind | None = None) -> list[FoundCount]:
        """Of every method, the one that found it most often first; of one kind of case, or of all."""
        outcomes = [each for each in self.outcomes if kind in (None, each.kind)]
        return sorted((_tally(title, [each.found[title] for each in outcomes]) for title in self.titles), key=lambda each: -each.found)

    def baselines(self, kind: EvidenceKind | None = None) -> list[FoundCount]:
        """Of the consensus, and of the bell over the middle of the picture."""
        outcomes = [each for each in self.outcomes if kind in (None, each.kind)]
        return [_tally(CONSENSUS, [each.consensus for each in outcomes]), _tally(CENTRE, [each.centre for each in outcomes])]

    def chance(self, kind: EvidenceKind | None = None) -> float:
        """The share of cases that a place drawn without knowledge would find."""
        return _mean([each.chance for each in self.outcomes if kind in (None, each.kind)])

    @property
    def kinds(self) -> dict[EvidenceKind, int]:
        """How many cases of each kind there are."""
        counts = {kind: sum(each.kind == kind for each in self.outcomes) for kind in EvidenceKind}
        return {kind: count for kind, count in counts.items() if count}

    def reliability(self, title: str) -> float | None:
        """The method's mean over the cases; None where it draws nothing."""
        values = [each.reliability[title] for each in self.outcomes if title in each.reliability]
        return _mean(values) if values else None

    def between_fills(self, title: str) -> float | None:
        """The mean correlation of the method's maps made over two fills; None where none was made twice."""
        values = [each.fills[title] for each in self.outcomes if title in each.fills]
        return _mean(values) if values else None

    @property
    def conclusive(self) -> bool:
        """Whether there are cases enough to speak of."""
        return len(self.outcomes) >= LEAST_CASES

    def mismatch(self, made_with: Mapping[str, Any]) -> str:
        """Why the card does not hold for a classifier and methods; empty where it does. made_with: theirs."""
        if self.made_with.get("model") != made_with.get("model"):
            return f"The report card was made with another model; {REBUILD}."
        now, then = made_with["methods"], self.made_with.get("methods", {})
        changed = [title for title in then if title in now and now[title] != then[title]]
        return f"The report card was made with another {', '.join(changed)}; {REBUILD}." if changed else ""

    def to_json(self) -> dict[str, Any]:
        """What is counted stands beside the cases that it is counted from, for a reader; only these are read back."""
        return {
            "format": FORMAT,
            "made_with": dict(self.made_with),
            "kinds": {str(kind): count for kind, count in self.kinds.items()},
            "chance": self.chance(),
            "tallies": [each.to_json() for each in (*self.tallies(), *self.baselines())],
            "cases": [each.to_json() for each in self.outcomes],
        }


def read_card(text: str, name: str) -> ReportCard:
    """The card that `to_json` wrote. UserError for any other text. name: of the file, for the sentence."""
    try:
        written = json.loads(text)
        if written["format"] != FORMAT:
            raise UserError(f"{name} has format {str(written['format'])[:20]}, and this version reads {FORMAT}; {REBUILD}.")
        made_with, outcomes = dict(written["made_with"]), tuple(_outcome(each) for each in written["cases"])
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{name} is no report card ({type(error).__name__}); delete it, or {REBUILD}.") from error
    titles = {tuple(each.found) for each in outcomes}
    if len(titles) > 1 or len({each.key for each in outcomes}) < len(outcomes):
        raise UserError(f"{name} is no report card: its cases do not fit together; delete it, or {REBUILD}.")
    return ReportCard(made_with, outcomes)


def _outcome(written: Mapping[str, Any]) -> KnownEvidenceOutcome:
    return KnownEvidenceOutcome(
        key=str(written["key"]),
        kind=EvidenceKind(written["kind"]),
        chance=float(written["chance"]),
        centre=bool(written["centre"]),
        consensus=bool(written["consensus"]),
        found={str(title): bool(found) for title, found in written["found"].items()},
        reliability={str(title): float(value) for title, value in written["reliability"].items()},
        fills={str(title): float(value) for title, value in written["fills"].items()},
    )


def _tally(title: str, found: Sequence[bool]) -> FoundCount:
    """Wilson 1927 (J. Am. Stat. Assoc. 22, 209), by scipy."""
    if not found:
        return FoundCount(title, 0, 0, 0.0, 1.0)
    interval = binomtest(sum(found), len(found)).proportion_ci(0.95, method="wilson")
    return FoundCount(title, sum(found), len(found), float(interval.low), float(interval.high))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
