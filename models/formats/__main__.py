"""`python -m models.formats`: prints the table of model formats, or writes it into a page of documentation."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from errors import UserError
from models.formats.registry import formats_table
from models.output.command_line import exit_status

BEGIN, END = "<!-- formats: made by `python -m models.formats --write docs/models.md` -->", "<!-- end of formats -->"


def main(arguments: list[str] | None = None) -> int:
    """0, or 2 after a mistake in what was given."""
    parser = ArgumentParser("python -m models.formats", description="Lists the formats of models that are read here.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its marks in FILE")
    path = parser.parse_args(arguments).write
    return exit_status(lambda: print(formats_table()) if path is None else write_table(path))


def write_table(path: Path) -> None:
    """Puts the table between its marks in the file at `path`. UserError where they are missing."""
    try:
        text = path.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a text file with the marks {BEGIN} and {END}; put them where the table belongs.") from error
    path.write_text(f"{before}{BEGIN}\n\n{formats_table()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
