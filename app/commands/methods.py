"""Markdown tables: of the methods, and of where maps point."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.commands.arguments import method_slug
from app.formatting import format_fraction
from explainers.method import Method, ParameterChoice, ParameterRange
from explainers.methods import METHODS
from models.output.markdown import markdown_table, write_between_markers

BEGIN, END = "<!-- methods: made by `python -m app methods --write docs/methods.md` -->", "<!-- end of methods -->"
_ASKS = {"outputs": "outputs for changed pictures", "gradients": "gradients of the picture", "features": "a layer's maps and gradients"}


def markdown_method_table() -> str:
    """A Markdown table, one line per method."""
    head = ["method", "`--methods`", "family", "signed", "asks the model for", "parameters (default, bounds)", "source"]
    return markdown_table(head, map(_row, METHODS))


def write_method_table(path: Path) -> None:
    """Puts the table of methods between its marks in the file at `path`. UserError where they are missing."""
    write_between_markers(path, BEGIN, END, markdown_method_table())


def markdown_localisation_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table, one line per map. rows: as in the manifest; what is not known is left empty."""
    head = ["map", "energy inside", "IoU at the mask's area", "rank accuracy", "points at it"]
    names = ("energy", "overlap", "ranks", "points")
    return markdown_table(head, [[row["title"], *(format_fraction(row[name]) for name in names)] for row in rows])


def _row(method: type[Method]) -> list[str]:
    parameters = [_parameter(name, bounds, getattr(method(), name)) for name, bounds in method.parameters().items()]
    signed = "yes" if method.signed else "no"
    cells = [
        method.title,
        f"`{method_slug(method)}`",
        method.family,
        signed,
        _ASKS[method.asks],
        "; ".join(parameters) or "none",
        method.source,
    ]
    return [cell.replace("|", "\\|") for cell in cells]


def _parameter(name: str, bounds: ParameterRange | ParameterChoice, default: object) -> str:
    if isinstance(bounds, ParameterChoice):
        return f"`{name}` ({default}; {', '.join(option for option in bounds.options if option != default)})"
    return f"`{name}` ({default:g}; {bounds.low:g} to {bounds.high:g})"
