"""`python -m app library`: the maps of many pictures, which chance agreement is estimated from."""

import argparse
from pathlib import Path

from app.cli.command_line_flags import MODEL_HELP, add_engine_flag, add_preset_flag, add_trust_flag, options_from_arguments
from app.options import LibraryOptions

HELP = "explain many pictures to learn what a model's maps have in common by habit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    usual = LibraryOptions("phantoms", Path("-"))
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="a folder of more than 30 pictures, better 100 or 200")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (beside the model: NAME.library.npz)")
    add_preset_flag(parser, usual.preset)
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary; errors still speak")
    add_engine_flag(parser)
    add_trust_flag(parser)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    options = options_from_arguments(LibraryOptions, chosen)
    from app.commands.library import build_map_library

    return build_map_library(options)
