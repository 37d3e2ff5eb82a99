"""`python -m app metrics`: the table of metrics."""

import argparse
from pathlib import Path

HELP = "print the table of metrics"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its two marks in FILE instead of printing it")


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    from app.commands.metrics import markdown_metric_table, write_metric_table

    if chosen.write:
        write_metric_table(chosen.write)
    else:
        print(markdown_metric_table())
    return 0
