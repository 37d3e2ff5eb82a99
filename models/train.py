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
from models.cards.card import file_sha256
from models.datasets import splits
from models.output.atomic_files import replace_durably, staging_directory
from models.training import checkpoint
from models.training.recipes import RECIPES, training_recipe_by_name
from models.training.trained_model import TrainedModel, TrainingOutcome

if TYPE_CHECKING:
    from models.evaluation.evaluation_records import EvaluationData

STORE = Path(__file__).parent / "store"
OUTPUT_OPTIONS = ("--out", "--cache")
RESUME_HELP = (
    "Every epoch ends with a checkpoint in --out, from which the same command goes on after a kill. It ends with the weights of an "
    "unbroken run as far as two unbroken ones have the same: on a processor to the last bit with small_cnn, but for rounding, which "
    "training makes larger, with networks such as MobileNetV2; with TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 before the "
    "command those agree too, at the pace of one core."
)
NO_RESUME_HELP = (
    "Weights and card are made in one go: there is no checkpoint, so that a stopped run begins again, no version and no evaluation page."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one recipe and saves NAME.keras and NAME.json; 0 when done, 2 after a mistake in the arguments."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = ArgumentParser("python -m models.train", description=__doc__, allow_abbrev=False)
    names = parser.add_subparsers(dest="recipe", required=True, metavar="recipe")
    for name in RECIPES:
        _add_recipe(names, name)
    options = parser.parse_args(words)
    try:
        made = training_recipe_by_name(options.recipe).make_classifier(options)
        weights = (
            _save_classifier(made, options.out, _command(words))
            if made.outcome is None
            else save_model_version(made, made.outcome, options.out, _command(words))
        )
        print(f"Saved {weights}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(_stopped_message(options.out, words), file=sys.stderr)
        return 130
    return 0


def _add_recipe(names: "_SubParsersAction[ArgumentParser]", name: str) -> None:
    """Adds one recipe's options. Recipes that train on a folder require --out for the checkpoint; the others are small and bundled."""
    layout = getattr(training_recipe_by_name(name), "LAYOUT", "")
    about = f"{training_recipe_by_name(name).HELP}. " + (f"--data must hold {layout}. {RESUME_HELP}" if layout else NO_RESUME_HELP)
    one = names.add_parser(
        name, help=training_recipe_by_name(name).HELP, description=about, allow_abbrev=False
    )  # an --ou would end up on the card
    what = "folder for the weights, the card" + (", the checkpoint and the evaluation" if layout else " (default: the bundled store)")
    one.add_argument("--out", type=Path, required=bool(layout), default=None if layout else STORE, help=what)
    one.add_argument("--seed", type=int, default=0, help="decides every random draw (default: 0)")
    training_recipe_by_name(name).add_options(one)


def _save_classifier(made: TrainedModel, out: Path, command: str) -> Path:
    """Saves the weights and the card, with their hash and the command that made them; returns the weights' path.

    What was there of that name is replaced only when both are on the disk.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made ({error.strerror}); choose another with --out.") from error
    weights = out / f"{made.card.name}.keras"
    with _disk_errors(out), staging_directory(weights) as folder:
        unfinished = folder / weights.name
        made.model.save(unfinished)
        dataclasses.replace(made.card, made_by=command, sha256=file_sha256(unfinished)).write(unfinished.with_suffix(".json"))
        replace_durably(*((path, out / path.name) for path in (unfinished, unfinished.with_suffix(".json"))))
    return weights


def save_model_version(made: TrainedModel, outcome: TrainingOutcome, out: Path, command: str) -> Path:
    """Saves a classifier of real pictures as a new version, with its split, history and evaluation; returns the weights' path."""
    folder = out / made.card.name
    with versions.create_version(folder) as version, _disk_errors(out):
        weights = _save_classifier(made, version, command)
        splits.write_split(outcome.split, version / "split.csv")
        (version / "history.json").write_text(json.dumps(outcome.history, indent=1) + "\n", encoding="utf-8")
        if outcome.test:
            _evaluate_saved_classifier(weights, outcome.test)
    checkpoint.remove_checkpoint(out)
    return (versions.latest_version_folder(folder) or folder) / weights.name


def _evaluate_saved_classifier(weights: Path, test: "EvaluationData") -> None:
    """Evaluates the saved classifier on the test pictures; writes evaluation.json, evaluation.html and the figures on its card."""
    from models.evaluation.classifier_evaluation import card_with_results, evaluate_classifier
    from models.evaluation.evaluation_writer import write_evaluation
    from models.loading import load_classifier

    classifier = load_classifier(weights)
    found = evaluate_classifier(classifier, test)
    card_with_results(classifier.card, found).write(weights.with_suffix(".json"))
    write_evaluation(found, weights.parent)
    for name, figure in found.overall.items():
        if figure.value is not None:
            between = "" if figure.low is None else f" ({figure.low:.3f} to {figure.high:.3f})"
            print(f"Test {name}: {figure.value:.3f}{between}")


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """UserError where the disk takes no more of what is kept."""
    try:
        yield
    except OSError as error:
        raise UserError(f"The classifier cannot be written to {out} ({error.strerror or error}); make room, and ask again.") from error


def _stopped_message(out: Path, words: Sequence[str]) -> str:
    """What to do after a stopped run; --fresh would delete the checkpoint to resume from."""
    if not (out / checkpoint.NAME).exists():
        return "Stopped before a whole epoch was kept; the next run begins again."
    again = shlex.join(["python", "-m", "models.train", *(word for word in words if word != "--fresh")])
    return f"Stopped. This goes on from the last whole epoch: {again}"


def _command(words: Sequence[str]) -> str:
    """The command without output options, which do not affect the weights."""
    words_kept: list[str] = []
    skip = False
    for word in words:
        if skip or word.partition("=")[0] in OUTPUT_OPTIONS or word == "--fresh":
            skip = not skip and word in OUTPUT_OPTIONS
        else:
            words_kept.append(word)
    return shlex.join(["python", "-m", "models.train", *words_kept])


if __name__ == "__main__":
    sys.exit(main())
