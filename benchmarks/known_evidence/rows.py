"""One map of one picture measured against its known evidence, baselines without explanation, and the goals with their verdicts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explainers.explanation_case import Case
from explainers.metrics.localisation.evidence_overlap import energy_inside_mask, pointing_game_hit

RANDOM, CENTRE, ACTIVATION = "random", "centre (Gaussian)", "mean activation"
NEAR = 1 / 16  # of the picture's side: 8 px at 128, 4 px at 64
LIKE_THE_AREA = 0.02
"""How far a random map's energy may be from the area that it is measured in."""


@dataclass(frozen=True)
class Row:
    """Shares of a map's energy in the evidence and near it, whether it points near it, its cost, and its rank correlation with the truth.

    None where the map is blank, or where there is nothing to compare with.
    """

    inside: float | None
    near: float | None
    points: float | None
    evaluations: int = 0
    converged: bool = True
    ranks: float | None = None


@dataclass(frozen=True)
class Goal:
    """What was aimed at, in words with its figure, and whether it holds."""

    words: str
    holds: bool


def baselines(seed: int, mask: np.ndarray, case: Case) -> dict[str, np.ndarray]:
    """What needs no explanation: noise, the middle of the picture, and the mean activation, blind to the class; and `mask` (H, W)."""
    side = len(mask)
    away = (np.indices((side, side)) - (side - 1) / 2) / (side / 4)
    return {
        RANDOM: np.random.default_rng(seed).random((side, side), np.float32),
        CENTRE: np.exp(-(away**2).sum(axis=0) / 2).astype(np.float32),
        "mask": mask.astype(np.float32),
        ACTIVATION: case.features()[0].maps.mean(axis=-1),
    }


def measure_map(values: np.ndarray, evidence: np.ndarray, near: np.ndarray, tolerance: float, **known: Any) -> Row:
    """The row of one map. tolerance: pixels by which it may miss the evidence and still point at it."""
    return Row(
        energy_inside_mask(values, evidence), energy_inside_mask(values, near), pointing_game_hit(values, evidence, tolerance), **known
    )


def table_cells(title: str, rows: list[Row], columns: tuple[str, ...]) -> tuple[str, ...]:
    """One row of a table: the means of the columns; blank maps are counted and left out of the means."""
    means = [f"{mean(getattr(row, name) for row in rows):.3f}" for name in columns]
    blank = sum(row.inside is None for row in rows)
    evaluations = np.mean([row.evaluations for row in rows])
    converged = "" if evaluations == 0 else f"{np.mean([row.converged for row in rows]):.2f}"
    return title, *means, str(blank), converged, f"{evaluations:.0f}"


def mean(values: Iterable[float | None]) -> float:
    """Of those that are known."""
    known = [value for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def random_goal(found: float, area: float, where: str) -> Goal:
    """A random map has as much of its energy somewhere as the place has of the area."""
    return Goal(f"random has {found:.3f} of its energy {where}, which is {area:.3f} of the area", abs(found - area) <= LIKE_THE_AREA)


def at_least(title: str, figure: float, goal: float, what: str) -> Goal:
    """A figure that is to reach a number."""
    return Goal(f"{title} {figure:.3f} {what} (goal {goal:.2f})", figure >= goal)


def goal_lines(about: str, goals: list[Goal]) -> str:
    """How many goals hold, and which do not."""
    missed = [goal.words for goal in goals if not goal.holds]
    summary = f"{len(goals) - len(missed)} of {len(goals)} goals of {about} hold"
    return f"{summary}; missed: {'; '.join(missed)}." if missed else f"{summary}."
