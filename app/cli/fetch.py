"""`python -m app fetch`: what the page would otherwise fetch when a visitor first chooses it."""

import argparse

HELP = "download MobileNetV2's ImageNet weights (14 MB), so that the page need not"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no flags: the environment says where from and where to."""
    parser.epilog = (
        "CROSSCHECK_CACHE names the folder that keeps them (else crosscheck in the user's cache folder); "
        "CROSSCHECK_IMAGENET_SOURCE another address to fetch them from, with #sha256=HEX after it."
    )


def run_subcommand(chosen: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    from app.commands.fetch import fetch_imagenet_weights

    fetch_imagenet_weights()
    return 0
