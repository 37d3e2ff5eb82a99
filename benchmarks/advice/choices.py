"""What each map of one picture is worth, and what every way of choosing one of them is worth over many pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods import SEVEN
from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.metrics.faithfulness.hidden_place import map_shares_with_consensus, measure_hidden_place, strongest_place
from explainers.metrics.localisation.evidence_overlap import energy_inside_mask
from explainers.report_card.known_evidence_cases import KnownEvidenceCase
from explainers.report_card.map_recommendation import recommended_map
from models.classifiers.score import Score

RESAMPLES = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One picture's maps. worth: title -> share of its positive part in the evidence, 0 where it has none; the consensus among them.

    falls: title -> fall of the score with its strongest tenth hidden. shares: the classifier's card. picture: what it is a picture of.
    """

    key: str
    picture: str
    worth: Mapping[str, float]
    falls: Mapping[str, float]
    shares: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "picture": self.picture,
            "worth": dict(self.worth),
            "falls": dict(self.falls),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Row":
        return cls(written["key"], written["picture"], written["worth"], written["falls"], written["shares"])

    @property
    def methods(self) -> list[str]:
        return [title for title in self.worth if title != CONSENSUS]


def row_of(classifier: Any, known: KnownEvidenceCase, picture: str, card: Mapping[str, float], settings: ExplanationSettings) -> Row:
    """Runs the seven, hides the strongest tenth of each and of the consensus, and measures all against the evidence."""
    case = Case(classifier, known.image, Score(known.target), settings)
    results = list({result.method.title: result for result in run_methods(case, [method() for method in SEVEN])}.values())
    grids = map_shares_with_consensus(results, case.size)
    falls = {title: measure_hidden_place(case, title, strongest_place(share, case.size)).fall for title, share in grids.items()}
    maps = {result.method.title: result.attribution.values for result in results if result.attribution is not None}
    worth = {title: energy_inside_mask(values, known.evidence) or 0.0 if title in grids else 0.0 for title, values in maps.items()}
    worth[CONSENSUS] = energy_inside_mask(grids[CONSENSUS].astype(np.float32), known.evidence) or 0.0 if grids else 0.0
    return Row(known.key, picture, worth, falls, card)


Choice = Callable[[Row], float]
"""What the chosen map of a picture is worth."""


def by_advice(weight: float) -> Choice:
    """The map that the rule advises; where no map has evidence there is nothing to choose."""
    return lambda row: row.worth[recommended_map(row.shares, row.falls, weight)] if row.falls else 0.0


def at_random(row: Row) -> float:
    """The mean over the methods: what a choice by chance is worth on average."""
    return float(np.mean([row.worth[title] for title in row.methods]))


def always(title: str) -> Choice:
    """The same method, or the consensus, for every picture."""
    return lambda row: row.worth[title]


def best_of_all(row: Row) -> float:
    """An oracle's choice among the methods."""
    return max(row.worth[title] for title in row.methods)


def best_fixed(rows: Sequence[Row]) -> str:
    """The method that is worth most on average."""
    return max(rows[0].methods, key=lambda title: float(np.mean([row.worth[title] for row in rows])))


def halves(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Every second picture in either half; rows of one picture stay together."""
    pictures = sorted({row.picture for row in rows})
    first = set(pictures[::2])
    return [row for row in rows if row.picture in first], [row for row in rows if row.picture not in first]


def interval(rows: Sequence[Row], value: Choice, seed: int = 0) -> tuple[float, float, float]:
    """Mean over rows, and its 95 % interval by resampling pictures, each with all its rows."""
    by_picture: dict[str, list[float]] = {}
    for row in rows:
        by_picture.setdefault(row.picture, []).append(value(row))
    sums = np.array([[sum(values), len(values)] for values in by_picture.values()], float)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(RESAMPLES, len(sums)))
    totals = sums[drawn].sum(axis=1)
    low, high = np.quantile(totals[:, 0] / totals[:, 1], (0.025, 0.975))
    return float(sums[:, 0].sum() / sums[:, 1].sum()), float(low), float(high)
