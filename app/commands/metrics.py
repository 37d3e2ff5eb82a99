"""The table of metrics in Markdown, written by the metrics themselves."""

from pathlib import Path

from app.metrics import Kind
from explainers.metrics import METRICS
from models.output.markdown import markdown_table, write_between_markers

BEGIN, END = "<!-- metrics: made by `python -m app metrics --write docs/metrics.md` -->", "<!-- end of metrics -->"
HEAD = ("metric", "family", "definition", "what it says", "computed", "source")
FLAGS = {"region": "`--mask`", "mosaic": "`grid-game`"}
"""An input that a metric needs -> what gives it on the command line."""


def markdown_metric_table() -> str:
    """A Markdown table, one line per metric."""
    return markdown_table(HEAD, [_row(kind) for kind in METRICS])


def write_metric_table(path: Path) -> None:
    """Puts the table of metrics between its marks in the file at `path`. UserError where they are missing."""
    write_between_markers(path, BEGIN, END, markdown_metric_table())


def _row(kind: Kind) -> list[str]:
    computed = next((flag for name, flag in FLAGS.items() if name in kind.inputs()), "`all`" if kind.on_request else "always")
    cells = (kind.title, kind.family, kind.formula, kind.description, computed, kind.source)
    return [cell.replace("|", "\\|") for cell in cells]
