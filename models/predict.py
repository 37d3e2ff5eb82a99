"""Predicts the classes of pictures, with calibrated probabilities: `python -m models.predict PICTURE... --model M`."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from errors import UserError
from models.output.command_line import run_tensorflow_command

if TYPE_CHECKING:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every picture was predicted, 1 where some could not be read, 2 where none could, or after a mistake in the arguments."""
    parser = ArgumentParser("python -m models.predict", description="Says what pictures show, with calibrated probabilities.")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="picture files")
    parser.add_argument("--model", required=True, help="a model file or folder, imagenet:NAME, or the name of a bundled classifier")
    parser.add_argument("--trust", action="store_true", help="run the model in this process: only for a maker you know")
    parser.add_argument("--metadata", nargs="+", default=[], metavar="NAME=VALUE", help="what the model takes beside the picture: age=55")
    parser.add_argument("--top", type=_count, default=5, metavar="N", help="how many classes to name, the likeliest first (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of words")
    options = parser.parse_args(arguments)

    def command() -> int:
        from models.cards.metadata import parse_metadata
        from models.loading import load_classifier

        served = load_classifier(options.model, options.trust)
        if options.metadata:
            served = served.with_metadata(parse_metadata(served.card.metadata, options.metadata))
        failed = 0
        for file in options.pictures:
            try:
                prediction = _predict_picture_file(served, file, options.top)
            except UserError as error:
                failed += 1
                print(f"{file}: {error}", file=sys.stderr)
            else:
                print(json.dumps(prediction, ensure_ascii=False) if options.json else _prediction_summary(prediction), flush=True)
        return 0 if not failed else 2 if failed == len(options.pictures) else 1

    return run_tensorflow_command(command)


def _predict_picture_file(served: Any, file: Path, top: int) -> dict[str, Any]:
    """The picture's path, its most probable classes with their probabilities at the card's temperature, and the given metadata in words,
    where the model takes some. UserError where the picture cannot be read.
    """
    from models.datasets.batch_decode import read_image

    probabilities = served.predict(served.fit(read_image(file)))
    likeliest = np.argsort(-probabilities, kind="stable")[:top]
    classes = [{"class": int(i), "label": served.labels[i], "probability": round(float(probabilities[i]), 6)} for i in likeliest]
    prediction = {"picture": str(file), "model": served.card.name, "prediction": classes}
    return {**prediction, "metadata": served.metadata_text} if served.card.metadata else prediction


def _prediction_summary(prediction: dict[str, Any]) -> str:
    """The picture's path, its metadata if the model takes any, and a line for each class."""
    metadata = f" ({prediction['metadata']})" if "metadata" in prediction else ""
    return "\n".join(
        [prediction["picture"] + metadata, *(f"  {each['probability']:7.2%}  {each['label']}" for each in prediction["prediction"])]
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000):
        raise ArgumentTypeError(f"{text!r} is no number of classes; give a whole number from 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
