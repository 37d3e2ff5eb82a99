"""`python -m app inspect`: a report on a model, and the card that it should have."""

import argparse
from pathlib import Path

from app.cli.command_line_flags import MODEL_HELP, add_trust_flag, options_from_arguments
from app.options import InspectOptions

HELP = "say what a model is, how it wants its pictures, and what will go wrong with its maps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="pictures that show how the model wants them: a folder a class, such folders in test/ or train/, or pictures alone",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="a text or JSON with the names of the model's classes in the order of its answers; or a .csv with the columns file and class: "
        "what each picture shows",
    )
    parser.add_argument(
        "--preprocessing",
        default="",
        metavar="SCALING",
        help="how you know that the model wants its pictures, such as 0..255 or 'caffe bgr': the card to write with --fix has it",
    )
    parser.add_argument(
        "--fix", action="store_true", help="write the card that the report proposes, after a yes; an old one is kept as .bak"
    )
    parser.add_argument("--yes", action="store_true", help="with --fix: do not ask")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the report as JSON")
    add_trust_flag(parser)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    options = options_from_arguments(InspectOptions, chosen)
    from app.commands.inspect import print_inspection

    return print_inspection(options)
