"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A head, a rule and a line for each row; cells are written as `str` gives them."""
    return "\n".join([markdown_head(head), *map(markdown_row, rows)])


def markdown_head(head: Sequence[str]) -> str:
    """The first two lines of a table whose rows are printed one by one."""
    return f"{markdown_row(head)}\n{markdown_row(['---'] * len(head))}"


def markdown_row(cells: Sequence[object]) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(str, cells))} |"
