"""`python -m app explain`: overlays, maps and a manifest of picture files."""

import argparse
import signal
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
from app.options import ExplainOptions

HELP = "explain pictures and write overlays, maps and a manifest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    usual = ExplainOptions((), "phantoms", Path("-"))
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="picture files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write: overlays, maps.npz, manifest.json")
    parser.add_argument("--model", default=usual.model, metavar="MODEL", help=f"{MODEL_HELP}; {usual.model} where none is given")
    add_methods_flag(parser)
    parser.add_argument(
        "--set", action="append", default=[], dest="parameters", metavar="METHOD.PARAMETER=VALUE", help="such as occlusion.window=32"
    )
    parser.add_argument("--target", default=usual.target, metavar="CLASS", help="class to explain, by name or number (top: the likeliest)")
    parser.add_argument("--rather-than", metavar="CLASS", help="explain what speaks for the target rather than for this class")
    parser.add_argument(
        "--score", default=usual.score, choices=("centred", "logit", "probability"), help="what is explained (centred logit)"
    )
    add_preset_flag(parser, usual.preset)
    parser.add_argument(
        "--fill", default=usual.fill, metavar="FILL", help="what replaces hidden parts: blur, mean colour, black, segment mean"
    )
    parser.add_argument("--segments", type=int, default=usual.segments, metavar="N", help=f"superpixels aimed at ({usual.segments})")
    parser.add_argument("--budget", type=int, metavar="N", help="pictures that one method may ask the model about (the preset's)")
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        dest="layers",
        metavar="LAYER",
        help="a layer that the CAM family reads; may be given several times (the last of each branch)",
    )
    parser.add_argument(
        "--metadata",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what the model takes besides the picture, such as age=55; may be given several times (all missing)",
    )
    parser.add_argument("--head", metavar="NAME", help="which of a model's several answers is explained (the card's, or the first)")
    parser.add_argument(
        "--second-picture",
        type=Path,
        metavar="FILE",
        help="for a model that takes two pictures: the other one, which gets a map too (without it, the same picture is given twice)",
    )
    add_seed_flag(parser, usual.seed)
    parser.add_argument(
        "--measures",
        default=usual.measures,
        choices=("none", "agreement", "all"),
        help="what to judge the maps by: agreement costs next to nothing, all costs tens of thousands of evaluations (agreement)",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="where the evidence is known to lie, white on black; or a folder of masks called as the pictures",
    )
    parser.add_argument(
        "--page", type=int, default=usual.page, metavar="N", help="page or frame of files that have several: TIFF, DICOM, GIF (1)"
    )
    parser.add_argument(
        "--hide",
        action="append",
        default=[],
        metavar="PLACE",
        help="hide a place and evaluate again, beside 20 others: consensus, a method's name (its strongest tenth), or a mask "
        "as --mask takes it; may be given several times (the consensus, in one way)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary; errors still speak")
    add_engine_flag(parser)
    add_trust_flag(parser)


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    options = options_from_arguments(ExplainOptions, chosen)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a terminated run tidies up as an interrupted one does
    from models.loading import start_loading_classifier

    loading = start_loading_classifier(options.model, options.trust)  # a process of its own starts while this one imports the methods
    from app.commands.explain import explain_pictures

    return explain_pictures(options, loading)
