"""Makes the table and the goals of the speed benchmark from what the runs left behind."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.output.markdown import markdown_table

CLOSE = 0.01
"""Fidelities that differ by less count as equal."""
OVERALL = 10
RELIABLE = 0.85
FIRST_MAP = 200
BEYOND = 0.15
_CALLS = ("evaluations", "first call, s", "s")
COST_HEAD = ("map", *_CALLS, "package", *_CALLS, "processor, s", "MB", "times faster")
_AGREEMENT = ("run to run", "its top 20 %", "with own limit", "its top 20 %")
FIDELITY_HEAD = ("map", "by", *_AGREEMENT, "insertion - deletion", "converged", "with each other")


@dataclass(frozen=True)
class Cost:
    """What one map of one picture took. first: seconds of the first call of a process; seconds: of the fastest call."""

    evaluations: float
    first: float
    seconds: float
    processor: float
    megabytes: float


NO_COST = Cost(0, 0, 0, 0, 0)
SUMMABLE = ("evaluations", "first", "seconds", "processor")


@dataclass(frozen=True)
class Fidelity:
    """One map's agreement with itself (run) and with its own limit, each Spearman and overlap of the top 20 %, and its faithfulness.

    NaN where a figure does not apply: a deterministic map has no run to run, a stochastic one no limit. itself: the limit is the map
    itself, so that figure is 1 by construction. converged: share of the runs that report convergence. Over several pictures, reached: the
    share with a run to run of .85; settled: the share on which every run reports convergence.
    """

    run: tuple[float, float]
    limit: tuple[float, float]
    faithful: float
    converged: float = float("nan")
    itself: bool = False
    reached: float = float("nan")
    settled: float = float("nan")


@dataclass(frozen=True)
class CombinedRun:
    """All seven maps at once.

    bare: seconds of the bare model with the same evaluations. first_map: until every panel had one, in evaluations: in a process that
    has compiled nothing yet, in one that has opened the model as the page does, in a later call. opening: the time of opening.
    """

    cost: Cost
    bare: float
    bare_processor: float
    first_map: tuple[float, float, float]
    opening: float


Key = tuple[str, str]
"""The map's name, and who made it: `ours` or `theirs`."""


def mean_cost(costs: Iterable[Cost]) -> Cost:
    """The mean over pictures; the highest memory of all."""
    rows = list(costs)
    means = {name: float(np.mean([getattr(row, name) for row in rows])) for name in SUMMABLE}
    return Cost(**means, megabytes=max(row.megabytes for row in rows))


def known_mean(values: Iterable[float]) -> float:
    """Of those that are numbers."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def mean_fidelity(found: Iterable[Fidelity]) -> Fidelity:
    """The mean over pictures."""
    rows = list(found)
    run, limit = (
        (known_mean(getattr(r, name)[0] for r in rows), known_mean(getattr(r, name)[1] for r in rows)) for name in ("run", "limit")
    )
    means = known_mean(r.faithful for r in rows), known_mean(r.converged for r in rows)
    reached, settled = (float(np.mean(found)) for found in ([r.run[0] >= RELIABLE for r in rows], [r.converged == 1 for r in rows]))
    return Fidelity(run, limit, *means, any(r.itself for r in rows), reached, settled)


def cost_table(ours: dict[str, Cost], theirs: dict[str, tuple[str, Cost]], whole: Cost) -> list[str]:
    """Lines: what each map took, here and there, and all of them together."""
    rows = []
    for name, own in ours.items():
        package, cost = theirs.get(name, ("", NO_COST))
        rows.append((name, *_our_cells(own), package, *_their_cells(cost), f"{cost.seconds / own.seconds:,.1f}"))
    total = total_cost(cost for _, cost in theirs.values())
    rows.append(("**all**", *_our_cells(whole), "together", *_their_cells(total), f"**{total.seconds / whole.seconds:,.1f}**"))
    lines = markdown_table(COST_HEAD, rows).splitlines()
    lines.append(
        f"\nAll of ours: {whole.processor:.1f} s of the processor ({total.processor / whole.processor:.1f} times less), "
        f"{whole.megabytes:,.0f} MB at most beyond the loaded model. First calls: {total.first / whole.first:.1f} times faster. "
        "Our LIME and SHAP share one pool of answers; each is shown with all answers it rests on, and the time that it spent itself."
    )
    return lines


def _our_cells(cost: Cost) -> tuple[str, ...]:
    return f"{cost.evaluations:,.0f}", f"{cost.first:.2f}", f"{cost.seconds:.2f}"


def _their_cells(cost: Cost) -> tuple[str, ...]:
    seconds = f"{cost.first:.1f}", f"{cost.seconds:.1f}", f"{cost.processor:.1f}"
    return f"{cost.evaluations:,.0f}", *seconds, f"{cost.megabytes:,.0f}"


def total_cost(costs: Iterable[Cost]) -> Cost:
    """One after the other: sums, and the highest memory."""
    rows = list(costs)
    sums = {name: sum(getattr(row, name) for row in rows) for name in SUMMABLE}
    return Cost(**sums, megabytes=max((row.megabytes for row in rows), default=0.0))


def fidelity_table(found: dict[Key, Fidelity], alike: dict[str, float]) -> list[str]:
    """Lines: the fidelity of each map, here and there. alike: Spearman between the two."""
    rows = []
    for (name, maker), trust in found.items():
        figures = [format_figure(value) for value in (*trust.run, *trust.limit, trust.faithful, trust.converged)]
        rows.append((name, maker, *figures, format_figure(alike.get(name, float("nan"))) if maker == "ours" else ""))
    return markdown_table(FIDELITY_HEAD, rows).splitlines()


def format_figure(value: float) -> str:
    """Two decimals, or nothing."""
    return "" if np.isnan(value) else f"{value:.2f}"


def goal_lines(whole: CombinedRun, theirs: Cost | None, trust: dict[Key, Fidelity]) -> list[str]:
    """Each goal with its figure and whether it holds. theirs: all packages together; None where not all took part."""
    goals: list[tuple[str, bool]] = []
    if theirs:
        ratio = theirs.seconds / whole.cost.seconds
        goals.append((f"all seven {ratio:.1f} times faster (goal {OVERALL})", ratio >= OVERALL))
    if trust and theirs:
        goals.append(fidelity_goal(trust))
    for name in ("LIME", "SHAP") if trust else ():
        own = trust[name, "ours"]
        words = f"{name} run to run {own.run[0]:.2f} (goal {RELIABLE}), reached on {own.reached:.0%} of the pictures; "
        words += f"says converged in {own.converged:.0%} of the runs, in every run on {own.settled:.0%} of the pictures"
        goals.append((words, own.run[0] >= RELIABLE))
    opened = f"once the model has been opened as the page does before anybody asks, which takes {whole.opening:.0f} more"
    for figure, when in zip(whole.first_map, ("in a process that has compiled nothing", opened, "in a later call"), strict=True):
        words = f"first map in every panel within {figure:.0f} evaluations' worth {when} (goal {FIRST_MAP})"
        goals.append((words, figure <= FIRST_MAP))
    shares = 1 - whole.bare / whole.cost.seconds, 1 - whole.bare_processor / whole.cost.processor
    for share, of in zip(shares, ("time by the clock", "processor's time"), strict=True):
        goals.append((f"beyond the bare model {share:.1%} of the {of} (goal {BEYOND:.0%})", share <= BEYOND))
    return [f"{'holds ' if held else 'MISSED'}  {words}" for words, held in goals]


def fidelity_goal(trust: dict[Key, Fidelity]) -> tuple[str, bool]:
    """Whether no map is worse than theirs; maps that cannot be compared are reported with our figures and do not count."""
    names = list(dict.fromkeys(name for name, _ in trust))
    apart = [remark for name in names if (remark := not_comparable(name, trust))]
    worse = [remark for name in names if not not_comparable(name, trust) and (remark := lower_fidelity(name, trust))]
    words = f"no map of lower fidelity{': but ' if worse else ''}{'; '.join(worse)}"
    return words + (f". Not judged: {'; '.join(apart)}" if apart else ""), not worse


def not_comparable(name: str, trust: dict[Key, Fidelity]) -> str:
    """Where a figure is 1 by construction, because a map that is made without chance was held against itself: whose, and what ours is."""
    ours, theirs = trust.get((name, "ours")), trust.get((name, "theirs"))
    if ours is None or theirs is None or not (ours.itself or theirs.itself):
        return ""
    whose = "both are" if ours.itself and theirs.itself else f"{'ours' if ours.itself else 'theirs'} is"
    figures = "" if ours.itself else f", ours {ours.limit[0]:.2f}, its top 20 % {ours.limit[1]:.2f}"
    return f"{name} ({whose} 1 by construction, being compared with itself{figures})"


def lower_fidelity(name: str, trust: dict[Key, Fidelity]) -> str:
    """Where our map is worse than theirs, or nothing: in agreement with the own limit where both have one, else run to run.

    Both the rank correlation and the overlap of the strongest 20 % count. A map made without chance agrees with itself, however far it is
    from its limit.
    """
    ours, theirs = trust.get((name, "ours")), trust.get((name, "theirs"))
    if ours is None or theirs is None:
        return ""
    kind = "run" if np.isnan(ours.limit[0] + theirs.limit[0]) else "limit"
    where = "run to run" if kind == "run" else "with its own limit"
    pairs = zip(("", ", its top 20 %"), getattr(ours, kind), getattr(theirs, kind), strict=True)
    return "; ".join(f"{name} {where}{which} {here:.2f}, theirs {there:.2f}" for which, here, there in pairs if here < there - CLOSE)
