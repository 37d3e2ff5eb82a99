"""Writes what a benchmark prints to benchmarks/results/NAME.md, under the command, date, commit and machine that produced it."""

import argparse
import io
import re
import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from app.commands.provenance import git_commit_hash
from benchmarks.shared.machine import machine_line
from errors import UserError
from models.output.command_line import run_for_exit_status

FOLDER = Path(__file__).parents[1] / "results"

OPTION = argparse.ArgumentParser(add_help=False)
"""A parent for the parser of every benchmark."""
OPTION.add_argument(
    "--write", nargs="?", const="", metavar="NAME", help="also write what is printed to benchmarks/results/NAME.md (NAME: the benchmark's)"
)


def run_benchmark(benchmark: str, main: Callable[[], int | None]) -> int:
    """Runs `main` and returns its exit status; with --write among the arguments, keeps what it prints.

    A run that fails or is interrupted leaves the results of the last one as they are.
    """
    write = OPTION.parse_known_args()[0].write
    if write is None:
        return run_for_exit_status(main)
    printed = io.StringIO()

    def recorded() -> int:
        file = results_file(write or benchmark.rpartition(".")[2])
        with redirect_stdout(_Tee(sys.stdout, printed)):
            status = main() or 0
        if not status:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(results_text(benchmark, sys.argv[1:], printed.getvalue()), encoding="utf-8")
        return status

    return run_for_exit_status(recorded)


def results_file(name: str) -> Path:
    """Where results of that name are kept. UserError where the name is not one plain word."""
    if not re.fullmatch(r"[\w-]+", name):
        raise UserError(f"--write is {name!r}; give a name of letters, digits, - and _, or none for the benchmark's own.")
    return FOLDER / f"{name}.md"


def results_text(benchmark: str, arguments: list[str], printed: str) -> str:
    """A Markdown page: title, command, provenance, then what was printed, as it is where it holds a table, as a block of text elsewhere."""
    command = shlex.join(["python", "-m", f"benchmarks.{benchmark}", *arguments])
    body = printed.strip()
    if "\n|" not in f"\n{body}":
        body = f"```text\n{body}\n```"
    made = f"{datetime.now(UTC):%Y-%m-%d}, commit {git_commit_hash()}, {machine_line()}."
    return f"# benchmarks.{benchmark}\n\n    {command}\n\n{made}\n\n{body}\n"


class _Tee(io.TextIOBase):
    """Writes to two streams."""

    def __init__(self, first: TextIO, second: TextIO) -> None:
        self._streams = (first, second)

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._streams[0].flush()
