"""Makes a classifier and its card: `python -m models.train phantoms --out DIR`."""

import dataclasses
import json
import shlex
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models import versions
from models.cards.card import sha256_of
from models.datasets import splits
from models.training import checkpoint
from models.training.recipes import RECIPES, recipe
from models.training.trained_model import TrainedModel, TrainingOutcome

if TYPE_CHECKING:
    from models.evaluation.records import EvaluationData

STORE = Path(__file__).parent / "store"
PLACES = ("--out", "--cache")
GOES_ON = (
    "Every epoch ends with a checkpoint in --out, from which the same command goes on after a kill. It ends with the weights of an "
    "unbroken run as far as two unbroken ones have the same: on a processor to the last bit with small_cnn, but for rounding, which "
    "training makes larger, with networks such as MobileNetV2; with TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 before the "
    "command those agree too, at the pace of one core."
)
IN_ONE_GO = (
    "Weights and card are made in one go: there is no checkpoint, so that a stopped run begins anew, no version and no evaluation page."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one recipe and saves NAME.keras and NAME.json; 0 when done, 2 after a mistake in what was asked."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = ArgumentParser("python -m models.train", description=__doc__, allow_abbrev=False)
    names = parser.add_subparsers(dest="recipe", required=True, metavar="recipe")
    for name in RECIPES:
        _add(names, name)
    options = parser.parse_args(given)
    try:
        made = recipe(options.recipe).make(options)
        weights = save(made, options.out, _command(given)) if made.learnt is None else keep(made, made.learnt, options.out, _command(given))
        print(f"Saved {weights}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(_stopped(options.out, given), file=sys.stderr)
        return 130
    return 0


def _add(names: "_SubParsersAction[ArgumentParser]", name: str) -> None:
    """One recipe's options. What learns from a folder must be told where to put a checkpoint; the others are small and bundled."""
    layout = getattr(recipe(name), "LAYOUT", "")
    about = f"{recipe(name).HELP}. " + (f"--data must hold {layout}. {GOES_ON}" if layout else IN_ONE_GO)
    one = names.add_parser(name, help=recipe(name).HELP, description=about, allow_abbrev=False)  # an --ou would go on the card
    what = "folder for the weights, the card" + (", the checkpoint and the evaluation" if layout else " (default: the bundled store)")
    one.add_argument("--out", type=Path, required=bool(layout), default=None if layout else STORE, help=what)
    one.add_argument("--seed", type=int, default=0, help="decides every random draw (default: 0)")
    recipe(name).options(one)


def save(made: TrainedModel, out: Path, command: str) -> Path:
    """Writes the weights and, beside them, the card with their hash and the command that made them; gives the weights' path."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
    weights = out / f"{made.card.name}.keras"
    with _room(out):
        made.model.save(weights)
        dataclasses.replace(made.card, made_by=command, sha256=sha256_of(weights)).write(weights.with_suffix(".json"))
    return weights


def keep(made: TrainedModel, learnt: TrainingOutcome, out: Path, command: str) -> Path:
    """Judges a classifier of real pictures and keeps it, with its split and its history, as a new version; gives the weights' path."""
    folder = out / made.card.name
    with versions.new(folder) as version, _room(out):
        weights = save(made, version, command)
        splits.write(learnt.divided, version / "split.csv")
        (version / "history.json").write_text(json.dumps(learnt.history, indent=1) + "\n", encoding="utf-8")
        if learnt.test:
            judge(weights, learnt.test)
    checkpoint.remove(out)
    return (versions.latest(folder) or folder) / weights.name


def judge(weights: Path, test: "EvaluationData") -> None:
    """Asks the saved classifier about the test pictures, writes evaluation.json and evaluation.html, and its figures on its card."""
    from models.evaluation.assessment import evaluate, with_results
    from models.evaluation.writer import write_evaluation
    from models.loading import load

    asked = load(weights)
    found = evaluate(asked, test)
    with_results(asked.card, found).write(weights.with_suffix(".json"))
    write_evaluation(found, weights.parent)
    for name, figure in found.overall.items():
        if figure.value is not None:
            between = "" if figure.low is None else f" ({figure.low:.3f} to {figure.high:.3f})"
            print(f"Test {name}: {figure.value:.3f}{between}")


@contextmanager
def _room(out: Path) -> Iterator[None]:
    """UserError where the disk takes no more of what is kept."""
    try:
        yield
    except OSError as error:
        raise UserError(f"The classifier cannot be written to {out} ({error.strerror or error}); make room, and ask again.") from error


def _stopped(out: Path, given: Sequence[str]) -> str:
    """What a person who stopped the run can do next; --fresh would delete what there is to go on from."""
    if not (out / checkpoint.NAME).exists():
        return "Stopped before a whole epoch was kept; the next run begins anew."
    again = shlex.join(["python", "-m", "models.train", *(word for word in given if word != "--fresh")])
    return f"Stopped. This goes on from the last whole epoch: {again}"


def _command(given: Sequence[str]) -> str:
    """What was typed, less where things are put, which says nothing about the weights."""
    kept: list[str] = []
    skip = False
    for word in given:
        if skip or word.partition("=")[0] in PLACES or word == "--fresh":
            skip = not skip and word in PLACES
        else:
            kept.append(word)
    return shlex.join(["python", "-m", "models.train", *kept])


if __name__ == "__main__":
    sys.exit(main())
