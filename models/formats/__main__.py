"""`python -m models.formats`: prints the table of model formats, or writes it into a page of documentation."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from models.formats.format_registry import markdown_format_table
from models.output.command_line import run_for_exit_status
from models.output.markdown import write_between_markers

BEGIN, END = "<!-- formats: made by `python -m models.formats --write docs/models.md` -->", "<!-- end of formats -->"


def main(arguments: list[str] | None = None) -> int:
    """0, or 2 after invalid arguments."""
    parser = ArgumentParser("python -m models.formats", description="Lists the formats of models that are read here.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in FILE")
    path = parser.parse_args(arguments).write
    return run_for_exit_status(lambda: print(markdown_format_table()) if path is None else write_format_table(path))


def write_format_table(path: Path) -> None:
    """Writes the table between its markers in the file at `path`. UserError where they are missing."""
    write_between_markers(path, BEGIN, END, markdown_format_table())


if __name__ == "__main__":
    sys.exit(main())
