"""Whether the advice may be shown: fixed on one half of the pictures of every set, judged on the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.advice.choices import Choice, Row, always, at_random, best_fixed, best_of_all, by_advice, halves, interval
from explainers.metrics.agreement.consensus import CONSENSUS
from explainers.report_card.map_recommendation import WEIGHTS
from models.output.markdown import markdown_table

HEAD = ("set", "pictures", "advice", "random", "best fixed method", "consensus", "oracle", "advice - random", "advice - best fixed")
MARGIN = 0.01
"""Most that the advice may fall short of the best fixed method on average, with an interval that reaches 0."""


@dataclass(frozen=True)
class SetVerdict:
    """One set's second half. beats: the interval of advice less random lies above 0. holds: no worse than the best fixed method."""

    name: str
    pictures: int
    advice: tuple[float, float, float]
    over_random: tuple[float, float, float]
    over_fixed: tuple[float, float, float]
    fixed: str

    @property
    def beats(self) -> bool:
        return self.over_random[1] > 0

    @property
    def holds(self) -> bool:
        return self.over_fixed[0] >= -MARGIN and self.over_fixed[2] >= 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "pictures": self.pictures,
            "advice": _rounded(self.advice),
            "over_random": _rounded(self.over_random),
            "over_fixed": _rounded(self.over_fixed),
            "fixed": self.fixed,
            "beats_random": self.beats,
            "no_worse_than_fixed": self.holds,
        }


def chosen_weight(sets: Mapping[str, Sequence[Row]]) -> float:
    """The weight that is worth most on the first halves, each set counted once; of equal ones the smallest."""
    first = [halves(rows)[0] for rows in sets.values()]
    return max(WEIGHTS, key=lambda weight: (round(float(np.mean([_mean(rows, weight) for rows in first])), 6), -weight))


def _beyond(advice: Choice, other: Choice) -> Choice:
    """How much more the advice is worth on a row."""
    return lambda row: advice(row) - other(row)


def verdicts(sets: Mapping[str, Sequence[Row]], weight: float) -> list[SetVerdict]:
    """Of every set's second half. The best fixed method is that of the first half."""
    found = []
    for name, rows in sets.items():
        first, second = halves(rows)
        fixed, advice = best_fixed(first), by_advice(weight)
        found.append(
            SetVerdict(
                name,
                len({row.picture for row in second}),
                interval(second, advice),
                interval(second, _beyond(advice, at_random)),
                interval(second, _beyond(advice, always(fixed))),
                fixed,
            )
        )
    return found


def verdict_table(sets: Mapping[str, Sequence[Row]], found: Sequence[SetVerdict]) -> str:
    """A line for each set, of its second half, each figure with its 95 % interval."""
    rows = []
    for each in found:
        second = halves(sets[each.name])[1]
        others = [interval(second, value) for value in (at_random, always(each.fixed), always(CONSENSUS), best_of_all)]
        figures = [_words(each.advice), *map(_words, others)]
        figures[2] = f"{each.fixed} {figures[2]}"
        rows.append((each.name, f"{each.pictures}", *figures, _words(each.over_random), _words(each.over_fixed)))
    return markdown_table(HEAD, rows)


def passes(found: Sequence[SetVerdict], wanted: Sequence[str]) -> bool:
    """Whether the advice beats random and is no worse than the best fixed method on every set that is wanted; a missing one fails."""
    by_name = {each.name: each for each in found}
    return all(name in by_name and by_name[name].beats and by_name[name].holds for name in wanted)


def _mean(rows: Sequence[Row], weight: float) -> float:
    advice = by_advice(weight)
    return float(np.mean([advice(row) for row in rows]))


def _words(value: tuple[float, float, float]) -> str:
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def _rounded(value: tuple[float, float, float]) -> list[float]:
    return [round(each, 4) for each in value]
