"""The command-line options of the recipes that learn from pictures, and what they amount to."""

import re
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from errors import UserError
from models.cards.card import LARGEST_SIDE
from models.training.training_settings import Balance, Loss, Schedule, TrainingSettings, TrainingStage

RATE_AFTER_FROZEN = 0.2  # of the rate for layers that are already trained
NOT_IN_PLAN = ("out", "cache", "fresh")  # do not affect the weights


def add_image_options(parser: ArgumentParser, backbone: str, epochs: int) -> None:
    """Data, network and training; `backbone` and `epochs` are the recipe's own defaults."""
    from typing import get_args

    parser.add_argument("--data", type=Path, required=True, help="folder with the pictures, laid out as said above")
    parser.add_argument("--cache", type=Path, help="folder that keeps the decoded pictures (default: cache inside --out)")
    parser.add_argument("--fresh", action="store_true", help="start over, whatever checkpoint lies in --out")
    parser.add_argument("--name", help="what the classifier and its folder in --out are called (default: the recipe's name)")
    net = parser.add_argument_group("network")
    net.add_argument("--backbone", default=backbone, help="a network's name, stacked, or the path of a model file (default: %(default)s)")
    net.add_argument("--weights", help="random, imagenet, or for stacked a MobileNetV2's file (default: imagenet where there are any)")
    net.add_argument("--size", type=int, nargs="+", help="side of the picture, or height and width, in pixels (default: the network's own)")
    after = f"after them the rate begins at {RATE_AFTER_FROZEN:g} of --rate"
    net.add_argument("--frozen-epochs", type=int, default=0, help=f"epochs first in which only the head learns; {after} (default: none)")
    net.add_argument("--open-layers", type=int, help="after that only the last so many layers with weights learn (default: all)")
    net.add_argument("--features", type=int, default=0, metavar="N", help="compute the frozen part once, for N forms of each picture")
    how = parser.add_argument_group("training")
    how.add_argument("--epochs", type=int, default=epochs, help="times to go through the pictures (default: %(default)s)")
    how.add_argument("--rate", type=float, default=1e-3, help="learning rate to begin with (default: %(default)s)")
    how.add_argument("--schedule", default="cosine", choices=get_args(Schedule), help="how it falls (default: %(default)s)")
    how.add_argument("--patience", type=int, default=8, help="epochs without improvement after which to stop (default: %(default)s)")
    how.add_argument("--batch", type=int, default=32, help="pictures a step (default: %(default)s)")
    how.add_argument("--loss", default="cross-entropy", choices=get_args(Loss), help="focal cares less for easy pictures")
    how.add_argument(
        "--balance",
        default="weights",
        choices=get_args(Balance),
        help="what makes up for rare classes; logits: training adds the log of each class's share to its logit (default: %(default)s)",
    )
    how.add_argument("--average", type=float, default=0.0, help="decay of the weights' running mean, 0 for none (default: %(default)s)")


def parse_training_settings(options: Namespace) -> TrainingSettings:
    """UserError for a number out of range."""
    return TrainingSettings(
        options.schedule, options.loss, options.balance, options.batch, options.patience, options.average, seed=options.seed
    )


def parse_training_stages(options: Namespace) -> tuple[TrainingStage, ...]:
    """First the head alone, if requested, then the open layers. UserError where nothing would be trained."""
    for name, least in (("frozen_epochs", 0), ("open_layers", 0), ("features", 0)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} is {value}; give a whole number of at least {least}.")
    if options.features and options.open_layers is None:
        raise UserError("--features computes the frozen layers once, but all layers learn; say with --open-layers how many do.")
    frozen = (TrainingStage(options.frozen_epochs, options.rate, 0),) if options.frozen_epochs else ()
    return (*frozen, TrainingStage(options.epochs, options.rate * (RATE_AFTER_FROZEN if frozen else 1), options.open_layers))


def parse_classifier_name(options: Namespace) -> str:
    """The classifier's name. UserError for one that cannot be a folder's everywhere."""
    name = str(options.name or options.recipe)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise UserError(f"--name is {name[:80]!r}; give at most 64 of a to z, digits, dots, dashes and underscores, no dot or dash first.")
    return name


def parse_image_size(options: Namespace, default: int) -> tuple[int, int]:
    """The size that the options give, or `default`: (H, W) in pixels."""
    sides = options.size or [default]
    if len(sides) > 2 or not 16 <= min(sides) <= max(sides) <= LARGEST_SIDE:
        raise UserError(f"--size is {' '.join(map(str, sides))}; give a side, or height and width, of 16 to {LARGEST_SIDE} pixels.")
    return sides[0], sides[-1]


def options_fixed_by_checkpoint(options: Namespace) -> dict[str, Any]:
    """What a checkpoint must agree with."""
    return {
        name: value if isinstance(value, int | float | list) else str(value)
        for name, value in vars(options).items()
        if name not in NOT_IN_PLAN
    }
