"""`python -m app methods`: the table of methods."""

import argparse
from pathlib import Path

HELP = "print the table of methods"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its two marks in FILE instead of printing it")


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    from app.commands.methods import markdown_method_table, write_method_table

    if chosen.write:
        write_method_table(chosen.write)
    else:
        print(markdown_method_table())
    return 0
