"""Tables in Markdown."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from errors import UserError


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A head, a rule and a line for each row; cells are written as `str` gives them."""
    return "\n".join([markdown_table_head(head), *map(markdown_table_row, rows)])


def markdown_table_head(head: Sequence[str]) -> str:
    """The first two lines of a table whose rows are printed one by one."""
    return f"{markdown_table_row(head)}\n{markdown_table_row(['---'] * len(head))}"


def markdown_table_row(cells: Sequence[object]) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def write_between_markers(path: Path, begin: str, end: str, table: str) -> None:
    """Puts the table between the two marks in the file at `path`. UserError where they are missing."""
    try:
        text = path.read_text(encoding="utf-8")
        before, rest = text.split(begin)
        _, after = rest.split(end)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a text file with the marks {begin} and {end}; put them where the table belongs.") from error
    path.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")
