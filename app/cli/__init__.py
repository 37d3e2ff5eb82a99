"""The command line. Each command is a module here, with its flags; what it does is imported only when it runs."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from app import __version__
from app.cli import explain, fetch, grid_game, inspect, library, methods, metrics, report_card, serve
from models.output.command_line import run_for_exit_status, silence_tensorflow


class CommandModule(Protocol):
    """A module whose name is the command's. HELP: a line that says what it does."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the command's flags."""

    def run_subcommand(self, chosen: argparse.Namespace) -> int:
        """Runs the command; returns its exit status. Raises UserError."""


COMMANDS: tuple[CommandModule, ...] = (serve, explain, inspect, library, report_card, grid_game, methods, metrics, fetch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command, `serve` where none is named; returns its exit status: 0 done, 1 partly failed, 2 wrong input."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in (*map(command_name, COMMANDS), "-h", "--help", "--version"):
        given = [command_name(serve), *given]
    chosen = _parser().parse_args(given)
    silence_tensorflow()
    return run_for_exit_status(lambda: int(chosen.run_subcommand(chosen)))


def command_name(command: CommandModule) -> str:
    """grid-game for the module app.cli.grid_game."""
    return str(getattr(command, "__name__", "")).rpartition(".")[2].replace("_", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Crosscheck compares how explanation techniques account for an image classifier's decision.",
        epilog="Without a command the page is served: python -m app --model my.keras",
    )
    parser.add_argument("--version", action="version", version=f"Crosscheck {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="{" + ",".join(map(command_name, COMMANDS)) + "}", required=True)
    for command in COMMANDS:
        own = commands.add_parser(command_name(command), help=command.HELP)
        command.add_arguments(own)
        own.set_defaults(run_subcommand=command.run_subcommand)
    return parser
