"""`python -m app serve`: the page."""

import argparse
import os
from pathlib import Path
from typing import Any

from app.cli.command_line_flags import MODEL_HELP, add_engine_flag, add_trust_flag, options_from_arguments
from app.options import ServeOptions
from errors import UserError

HELP = "open the page in a browser (the default)"
VARIABLES = {
    "models": "CROSSCHECK_MODEL",
    "examples": "CROSSCHECK_EXAMPLES",
    "title": "CROSSCHECK_TITLE",
    "budget": "CROSSCHECK_BUDGET",
}
"""Destination of a flag -> the environment variable that stands for it where it is not given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags."""
    usual = ServeOptions()
    several = f"{MODEL_HELP}; may be given several times; also CROSSCHECK_MODEL, with commas between several"
    parser.add_argument("--model", action="append", default=argparse.SUPPRESS, dest="models", metavar="MODEL", help=several)
    parser.add_argument(
        "--examples",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="a folder of pictures to offer beside the bundled ones; NAME_mask.png says where the evidence of NAME.jpg lies; "
        "also CROSSCHECK_EXAMPLES",
    )
    parser.add_argument(
        "--title", default=argparse.SUPPRESS, metavar="TEXT", help=f"what the page is called ({usual.title}); also CROSSCHECK_TITLE"
    )
    host, port = os.environ.get("GRADIO_SERVER_NAME", usual.host), os.environ.get("GRADIO_SERVER_PORT", usual.port)
    parser.add_argument("--host", default=host, help=f"address to listen on ({host}; 0.0.0.0 lets others in); also GRADIO_SERVER_NAME")
    parser.add_argument("--port", type=int, default=port, help=f"port to listen on ({port}; 0 picks a free one); also GRADIO_SERVER_PORT")
    parser.add_argument("--concurrency", type=int, default=usual.concurrency, metavar="N", help="jobs that may ask the model at once (1)")
    parser.add_argument("--queue", type=int, default=usual.queue, metavar="N", help=f"visitors that may wait ({usual.queue})")
    parser.add_argument(
        "--budget",
        type=float,
        default=argparse.SUPPRESS,
        metavar="SECONDS",
        help=f"longest explanation ({usual.budget:g}); also CROSSCHECK_BUDGET",
    )
    parser.add_argument("--open", action="store_true", dest="open_browser", help="open the page in the browser of this machine")
    add_engine_flag(parser)
    parser.add_argument(
        "--no-download", action="store_false", dest="download", help="offer no classifier whose weights would have to be fetched first"
    )
    add_trust_flag(parser)
    parser.add_argument(
        "--allow-model-upload", action="store_true", help="let visitors bring a model; it runs in a process that can reach nothing"
    )
    own = f"whose the processes of visitors' models are where the server runs as root ({usual.sandbox_user})"
    parser.add_argument("--sandbox-user", default=usual.sandbox_user, metavar="NAME", help=own)
    parser.add_argument(
        "--proxies", type=int, default=usual.proxies, metavar="N", help="proxies in front of the server whose header is trusted (0: none)"
    )
    parser.add_argument(
        "--proxy-header", default=usual.proxy_header, metavar="NAME", help=f"header that names the visitor's address ({usual.proxy_header})"
    )


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    for destination, value in _from_environment().items():
        if not hasattr(chosen, destination):
            setattr(chosen, destination, value)
    options = options_from_arguments(ServeOptions, chosen)
    from models.loading import check_model_exists

    for name in options.models:
        check_model_exists(name)
    from app.page import serve

    serve(options)
    return 0


def _from_environment() -> dict[str, Any]:
    """Destination -> value of every variable that is set and not empty. UserError."""
    given = {destination: value for destination, variable in VARIABLES.items() if (value := os.environ.get(variable, "").strip())}
    found: dict[str, Any] = dict(given)
    if "models" in given:
        found["models"] = [name for part in given["models"].split(",") if (name := part.strip())]
    if "examples" in given:
        found["examples"] = Path(given["examples"])
    if "budget" in given:
        try:
            found["budget"] = float(given["budget"])
        except ValueError as error:
            raise UserError(f"CROSSCHECK_BUDGET is {given['budget']!r}, which is no number; give seconds, such as 60.") from error
    return found
