"""The table of the zoo, a row a model, and which goals hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.zoo_parts.checks.model_check import BLANK, MAP, NEGATIVE_MAP, NOT_ALLOWED, ModelCheck
from benchmarks.zoo_parts.checks.package_workers import PACKAGES, WorkerFailure
from explainers.methods import METHODS, SEVEN
from models.output.markdown import markdown_table_head, markdown_table_row

LEAST = 0.95
TOLERANCE = 0.02
EXTRA = tuple(method for method in METHODS if method not in SEVEN)


@dataclass(frozen=True)
class Row:
    """One model. theirs: package -> its answer, `{"maps": ...}` or `{"error": ...}`."""

    name: str
    format: str
    ours: ModelCheck
    theirs: dict[str, dict[str, Any]] = field(default_factory=dict)


def table_head(packages: Sequence[str]) -> str:
    """The table's first two lines."""
    columns = [
        "model",
        "format",
        "maps of the seven",
        "of the others",
        "image gradient's error",
        "layers'",
        *(PACKAGES[p] for p in packages),
    ]
    return markdown_table_head(columns)


def table_line(row: Row, packages: Sequence[str]) -> str:
    """One model's line."""
    if row.ours.error:
        cells = [f"not loaded: {row.ours.error[:100]}", "", "", ""]
    else:
        shares = [f"{row.ours.counted(methods, MAP, NEGATIVE_MAP)} / {row.ours.allowed(methods)}" for methods in (SEVEN, EXTRA)]
        cells = [*shares, _error(row.ours.image_error), _error(row.ours.layer_error)]
    return markdown_table_row([row.name, row.format, *cells, *(_share(row.theirs[package]) for package in packages)])


def _error(error: float | None) -> str:
    return "" if error is None else f"{error:.1e}"


def _share(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return answer["error"] if isinstance(answer["error"], WorkerFailure) else "not opened"
    maps = answer["maps"]
    return f"{list(maps.values()).count(MAP)} / {len(maps)}"


def goal_lines(rows: Sequence[Row], packages: Sequence[str]) -> list[str]:
    """A line a goal, with its figure."""
    loaded = [row for row in rows if not row.ours.error]
    kinds = [kind for row in loaded for kind in row.ours.maps.values() if kind != NOT_ALLOWED]
    finite = sum(kind in (MAP, NEGATIVE_MAP, BLANK) for kind in kinds)
    shown, negative = sum(kind in (MAP, NEGATIVE_MAP) for kind in kinds), kinds.count(NEGATIVE_MAP)
    errors = [error for row in loaded for error in (row.ours.image_error, row.ours.layer_error) if error is not None]
    worst = max(errors, default=0.0)
    goals = [
        (f"{len(loaded)} of {len(rows)} models load (goal: all)", len(loaded) == len(rows)),
        (f"{finite} of {len(kinds)} maps that the format allows are finite (goal: all)", finite == len(kinds)),
        (
            f"{(shown - negative) / max(len(kinds), 1):.1%} show something positive (goal {LEAST:.0%}); of the "
            f"others {negative} hold evidence that is all against the class, and {kinds.count(BLANK)} vary by rounding alone",
            shown - negative >= LEAST * len(kinds),
        ),
        (f"{len(errors)} gradients, off from differences by at most {worst:.1e} (goal {TOLERANCE:.0e})", worst <= TOLERANCE),
    ]
    goals += [_compared_with(rows, package) for package in packages]
    return [f"{'holds ' if held else 'MISSED'}  {words}" for words, held in goals]


def _compared_with(rows: Sequence[Row], package: str) -> tuple[str, bool]:
    """Row by row and technique by technique: where the package has a map, so have we."""
    answers = [row.theirs[package] for row in rows]
    opened = sum("maps" in answer for answer in answers)
    made = sum(kind == MAP for answer in answers for kind in answer.get("maps", {}).values())
    behind = [
        f"{row.name}: {title}"
        for row in rows
        for title, kind in row.theirs[package].get("maps", {}).items()
        if kind == MAP and row.ours.maps.get(title) not in (MAP, NEGATIVE_MAP)
    ]
    words = f"{PACKAGES[package]} opens {opened} of {len(rows)} and makes {made} maps; where it has one, so have we"
    return words + (f", but not for {'; '.join(behind)}" if behind else ""), not behind
