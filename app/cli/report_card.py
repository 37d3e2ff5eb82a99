"""`python -m app report-card`: which methods find evidence that is known, on one classifier."""

import argparse
from pathlib import Path

from app.cli.command_line_flags import MODEL_HELP, add_preset_flag, add_seed_flag, add_trust_flag, options_from_arguments
from app.options import ReportCardOptions

HELP = "test the methods on a model with evidence that is known, and keep the result beside it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    usual = ReportCardOptions("phantoms", Path("-"))
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="a folder of pictures of several classes")
    parser.add_argument(
        "--masks", type=Path, metavar="DIR", help="a folder of masks, white where the evidence lies, called as the pictures; some will do"
    )
    parser.add_argument("--cases", type=int, default=usual.cases, metavar="N", help=f"cases of known evidence to make ({usual.cases})")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (beside the model: NAME.report_card.json)")
    add_preset_flag(parser, usual.preset)
    add_seed_flag(parser, usual.seed)
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table; errors still speak")
    add_trust_flag(parser)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    options = options_from_arguments(ReportCardOptions, chosen)
    from app.commands.report_card import make_report_card

    return make_report_card(options)
