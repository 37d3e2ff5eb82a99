"""Makes a classifier and its card: `python -m models.train phantoms --out DIR`."""

import dataclasses
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from errors import UserError
from models.card import sha256_of
from models.recipes import RECIPES, Made, recipe

STORE = Path(__file__).parent / "store"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one recipe and saves NAME.keras and NAME.json; 0 when done, 2 after a mistake in what was asked."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = ArgumentParser("python -m models.train", description=__doc__)
    names = parser.add_subparsers(dest="recipe", required=True, metavar="recipe")
    for name in RECIPES:
        one = names.add_parser(name, help=recipe(name).HELP, description=recipe(name).HELP)
        one.add_argument("--out", type=Path, default=STORE, help="folder for the weights and the card (default: the bundled store)")
        one.add_argument("--seed", type=int, default=0, help="decides every random draw (default: 0)")
        recipe(name).options(one)
    options = parser.parse_args(given)
    try:
        made = recipe(options.recipe).make(options)
        print(f"Saved {save(made, options.out, _command(given))}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def save(made: Made, out: Path, command: str) -> Path:
    """Writes the weights and, beside them, the card with their hash and the command that made them; gives the weights' path."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
    weights = out / f"{made.card.name}.keras"
    made.model.save(weights)
    dataclasses.replace(made.card, made_by=command, sha256=sha256_of(weights)).write(weights.with_suffix(".json"))
    return weights


def _command(given: Sequence[str]) -> str:
    """What was typed, less the folder, which says nothing about the weights."""
    kept = [word for i, word in enumerate(given) if not word.startswith("--out") and (i == 0 or given[i - 1] != "--out")]
    return shlex.join(["python", "-m", "models.train", *kept])


if __name__ == "__main__":
    sys.exit(main())
