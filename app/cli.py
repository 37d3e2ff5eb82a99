"""The command line: which words and flags there are. What they do is imported only when it is asked for."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from app import __version__
from app.options import ExplainOptions, GridGameOptions, InspectOptions, LibraryOptions, ServeOptions
from models.command_line import exit_status, silence_tensorflow
from models.store import bundled

T = TypeVar("T")

COMMANDS = ("serve", "explain", "inspect", "library", "grid-game", "methods")
MODEL_HELP = f"a model file or folder, hf://owner/name, imagenet:MobileNetV2 and the like, or bundled: {', '.join(bundled())}"
TRUST_HELP = "run the model in this process: only for a maker you know (else in one that reaches no files, network or programs)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status: 0 done, 1 partly failed, 2 a mistake in what was given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in (*COMMANDS, "-h", "--help", "--version"):
        given = ["serve", *given]
    chosen = _parser().parse_args(given)
    return exit_status(lambda: int(chosen.run(chosen)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Crosscheck compares how explanation techniques account for an image classifier's decision.",
        epilog="Without a command the page is served: python -m app --model my.keras",
    )
    parser.add_argument("--version", action="version", version=f"Crosscheck {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="{" + ",".join(COMMANDS) + "}", required=True)
    _add_serve(commands.add_parser("serve", help="open the page in a browser (the default)"))
    _add_explain(commands.add_parser("explain", help="explain pictures and write overlays, maps and a manifest"))
    _add_inspect(
        commands.add_parser("inspect", help="say what a model is, how it wants its pictures, and what will go wrong with its maps")
    )
    _add_library(commands.add_parser("library", help="explain many pictures to learn what a model's maps have in common by habit"))
    _add_game(commands.add_parser("grid-game", help="lay a model's own surest pictures side by side and see which methods tell them apart"))
    _add_methods(commands.add_parser("methods", help="print the table of methods"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    usual = ServeOptions()
    several = f"{MODEL_HELP}; may be given several times"
    parser.add_argument("--model", action="append", default=[], dest="models", metavar="MODEL", help=several)
    parser.add_argument("--examples", type=Path, metavar="DIR", help="a folder of pictures to offer beside the bundled ones")
    host, port = os.environ.get("GRADIO_SERVER_NAME", usual.host), os.environ.get("GRADIO_SERVER_PORT", usual.port)
    parser.add_argument("--host", default=host, help=f"address to listen on ({host}; 0.0.0.0 lets others in); also GRADIO_SERVER_NAME")
    parser.add_argument("--port", type=int, default=port, help=f"port to listen on ({port}; 0 picks a free one); also GRADIO_SERVER_PORT")
    parser.add_argument("--concurrency", type=int, default=usual.concurrency, metavar="N", help="jobs that may ask the model at once (1)")
    parser.add_argument("--queue", type=int, default=usual.queue, metavar="N", help=f"visitors that may wait ({usual.queue})")
    parser.add_argument("--budget", type=float, default=usual.budget, metavar="SECONDS", help=f"longest explanation ({usual.budget:g})")
    parser.add_argument("--open", action="store_true", dest="open_browser", help="open the page in the browser of this machine")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.add_argument(
        "--allow-model-upload", action="store_true", help="let visitors bring a model; it runs in a process that can reach nothing"
    )
    parser.set_defaults(run=_serve)


def _serve(chosen: argparse.Namespace) -> int:
    options = _options(ServeOptions, chosen)
    silence_tensorflow()
    from app.page import serve

    serve(options)
    return 0


def _options(kind: type[T], chosen: argparse.Namespace) -> T:
    """What was chosen, as the dataclass `kind`, whose fields are called as the flags' destinations; its defaults for what has no flag."""
    given = {field.name: getattr(chosen, field.name) for field in fields(kind) if hasattr(chosen, field.name)}  # type: ignore[arg-type]
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


def _add_explain(parser: argparse.ArgumentParser) -> None:
    usual = ExplainOptions((), "phantoms", Path("-"))
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="picture files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write: overlays, maps.npz, manifest.json")
    parser.add_argument("--model", default=usual.model, metavar="MODEL", help=f"{MODEL_HELP}; {usual.model} where none is given")
    parser.add_argument("--methods", nargs="+", default=[], metavar="METHOD", help="such as grad_cam lime; all where none is named")
    parser.add_argument(
        "--set", action="append", default=[], dest="parameters", metavar="METHOD.PARAMETER=VALUE", help="such as occlusion.window=32"
    )
    parser.add_argument("--target", default=usual.target, metavar="CLASS", help="class to explain, by name or number (top: the likeliest)")
    parser.add_argument("--rather-than", metavar="CLASS", help="explain what speaks for the target rather than for this class")
    parser.add_argument(
        "--score", default=usual.score, choices=("centred", "logit", "probability"), help="what is explained (centred logit)"
    )
    parser.add_argument(
        "--preset", default=usual.preset, type=str.capitalize, choices=("Fast", "Balanced", "Thorough"), help="how much to spend"
    )
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
        help="what the model is told beside the picture, such as age=55; may be given several times (all missing)",
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="of everything that is drawn (0)")
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
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary; errors still speak")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.set_defaults(run=_explain)


def _explain(chosen: argparse.Namespace) -> int:
    options = _options(ExplainOptions, chosen)
    silence_tensorflow()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a terminated run tidies up as an interrupted one does
    from models.loading import start_loading

    begun = start_loading(options.model, options.trust)  # a process of its own starts while this one imports what explains
    from app.commands.explain import explain

    return explain(options, begun)


def _add_inspect(parser: argparse.ArgumentParser) -> None:
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
        help="a text with the model's classes, one a line in the order of its answers; or a .csv with the columns file and class: "
        "what each picture shows",
    )
    parser.add_argument(
        "--fix", action="store_true", help="write the card that the report proposes, after a yes; an old one is kept as .bak"
    )
    parser.add_argument("--yes", action="store_true", help="with --fix: do not ask")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the report as JSON")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.set_defaults(run=_inspect)


def _inspect(chosen: argparse.Namespace) -> int:
    options = _options(InspectOptions, chosen)
    silence_tensorflow()
    from app.commands.inspect import inspect

    return inspect(options)


def _add_library(parser: argparse.ArgumentParser) -> None:
    usual = LibraryOptions("phantoms", Path("-"))
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="a folder of more than 30 pictures, better 100 or 200")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the file to write (beside the model: NAME.library.npz)")
    parser.add_argument(
        "--preset", default=usual.preset, type=str.capitalize, choices=("Fast", "Balanced", "Thorough"), help="how much to spend"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary; errors still speak")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.set_defaults(run=_library)


def _library(chosen: argparse.Namespace) -> int:
    options = _options(LibraryOptions, chosen)
    silence_tensorflow()
    from app.commands.library import build

    return build(options)


def _add_game(parser: argparse.ArgumentParser) -> None:
    usual = GridGameOptions("phantoms", Path("-"))
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="a folder of pictures of several classes")
    parser.add_argument("--methods", nargs="+", default=[], metavar="METHOD", help="such as grad_cam lime; all where none is named")
    parser.add_argument("--side", type=int, default=usual.side, metavar="N", help=f"pictures a side of a mosaic ({usual.side})")
    parser.add_argument("--mosaics", type=int, default=usual.mosaics, metavar="N", help=f"mosaics to lay ({usual.mosaics})")
    parser.add_argument(
        "--preset", default=usual.preset, type=str.capitalize, choices=("Fast", "Balanced", "Thorough"), help="how much to spend"
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="of everything that is drawn (0)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a JSON file to write beside the table")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no table; errors still speak")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.set_defaults(run=_game)


def _game(chosen: argparse.Namespace) -> int:
    options = _options(GridGameOptions, chosen)
    silence_tensorflow()
    from app.commands.grid_game import play

    return play(options)


def _add_methods(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between its two marks in FILE instead of printing it")
    parser.set_defaults(run=_methods)


def _methods(chosen: argparse.Namespace) -> int:
    from app.commands.methods import method_table, write_table

    if chosen.write:
        write_table(chosen.write)
    else:
        print(method_table())
    return 0
