"""`python -m app grid-game`: the grid pointing game."""

import argparse
from pathlib import Path

from app.cli.command_line_flags import (
    MODEL_HELP,
    add_engine_flag,
    add_methods_flag,
    add_preset_flag,
    add_seed_flag,
    add_trust_flag,
    options_from_arguments,
)
from app.options import GridGameOptions

HELP = "lay a model's own surest pictures side by side and see which methods tell them apart"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    usual = GridGameOptions("phantoms", Path("-"))
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="a folder of pictures of several classes")
    add_methods_flag(parser)
    parser.add_argument("--side", type=int, default=usual.side, metavar="N", help=f"pictures a side of a mosaic ({usual.side})")
    parser.add_argument("--mosaics", type=int, default=usual.mosaics, metavar="N", help=f"mosaics to lay ({usual.mosaics})")
    add_preset_flag(parser, usual.preset)
    add_seed_flag(parser, usual.seed)
    parser.add_argument("--out", type=Path, metavar="FILE", help="a JSON file to write beside the table")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table; errors still speak")
    add_engine_flag(parser)
    add_trust_flag(parser)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    options = options_from_arguments(GridGameOptions, chosen)
    from app.commands.grid_game import play_grid_game

    return play_grid_game(options)
