"""Loads a classifier by path or by name, and checks that its card and its weights belong together."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import UserError
from models.card import Card, Head, Label, distinct, sha256_of
from models.files import model_file, open_keras
from models.store import bundled

if TYPE_CHECKING:
    from models.classifier import Classifier
    from models.trace import Trace

DEFAULT_SIZE = 224
IMAGENET = "imagenet:"


def load(name: str | Path) -> "Classifier":
    """The classifier at a path, of a bundled name, or `imagenet:NAME`. UserError says what is wrong with it in one sentence."""
    if str(name).startswith(IMAGENET):
        from models.imagenet import load_imagenet

        return load_imagenet(str(name).removeprefix(IMAGENET))
    path = model_file(bundled().get(str(name), Path(name)))
    return classifier(open_keras(path), _card_beside(path), path)


def classifier(model: Any, card: Card | None, path: Path) -> "Classifier":
    """A classifier from a Keras model in memory (Keras 2 or 3); without a card one is inferred. UserError where they do not fit.

    path: where the model lies; its name is used in messages, and labels.txt is looked for beside it.
    """
    from models.classifier import Classifier

    start = _checked_input(card, model, path.name) if card else _inferred_input(model, path)
    trace = _traced(model, start, path.name)
    whole = _checked_output(card, trace, path.name) if card else _inferred_output(start, trace, path)
    return Classifier(trace, whole)


def _inferred_input(model: Any, path: Path) -> Card:
    """Size from the model, scaling and colour from signs in it; labels and head are not known before it is traced."""
    from models.keras_model import expected_input, image_input

    height, width, channels = image_input(model, path.name)
    expected = expected_input(model)
    return Card(
        name=path.parent.name if path.stem in ("model", "keras_model") else path.stem,
        labels=(Label("0"), Label("1")),
        size=(height or DEFAULT_SIZE, width or DEFAULT_SIZE),
        colour="grey" if channels == 1 else expected.colour,
        scaling=expected.scaling,
        inferred=True,
        notes=(f"No card: input scaling {expected.scaling} assumed, because {expected.because}.",),
    )


def _inferred_output(card: Card, trace: "Trace", path: Path) -> Card:
    units = _units(trace, path.name)
    heads: dict[str, Head] = {"softmax": "softmax", "sigmoid": "sigmoid" if units == 1 else "multi-label"}
    head = heads.get(trace.head.activation, "logits")
    if head == "logits" and units == 1:
        raise UserError(f"{path.name} gives one number without a sigmoid; write a card with head 'sigmoid' if that is what it means.")
    return dataclasses.replace(card, labels=_labels(path, max(units, 2)), head=head)


def _card_beside(path: Path) -> Card | None:
    beside = path.with_suffix(".json")
    if not beside.exists():
        return None
    card = Card.read(beside)
    if card.sha256 and card.sha256 != (found := sha256_of(path)):
        raise UserError(
            f"{beside.name} is the card of other weights: it says sha256 {card.sha256[:12]}..., {path.name} has {found[:12]}...."
        )
    return card


def _labels(path: Path, classes: int) -> tuple[Label, ...]:
    """From labels.txt beside the model, a line a class; Teachable Machine's leading numbers are dropped."""
    file = path.parent / "labels.txt"
    if not file.exists():
        return distinct([f"class {number}" for number in range(classes)])
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) != classes:
        raise UserError(f"labels.txt has {len(lines)} lines, but {path.name} tells {classes} classes apart; it needs one line a class.")
    if all(line.split(maxsplit=1)[0] == str(i) and " " in line for i, line in enumerate(lines)):
        lines = [line.split(maxsplit=1)[1] for line in lines]
    return distinct(lines)


def _checked_input(card: Card, model: Any, name: str) -> Card:
    from models.keras_model import image_input

    height, width, channels = image_input(model, name)
    if (height or card.size[0], width or card.size[1]) != card.size:
        raise UserError(
            f"The card says pictures of {card.size[0]} x {card.size[1]}, but {name} takes {height} x {width}; mend the card's 'size'."
        )
    if channels == 1 and card.colour != "grey":
        raise UserError(f"The card says colour '{card.colour}', but {name} takes one channel; mend the card's 'colour' to 'grey'.")
    return card


def _traced(model: Any, card: Card, name: str) -> "Trace":
    from models.keras_model import image_input, innermost_layers
    from models.preprocessing import prepare
    from models.trace import Trace

    channels = image_input(model, name)[2]
    leaves = {layer.name for layer in innermost_layers(model)}
    return Trace(lambda images: prepare(images, card, channels), lambda images: model(images, training=False), card.size, leaves)


def _units(trace: "Trace", name: str) -> int:
    shape = trace.output.shape
    if shape.rank != 2 or shape[1] is None:
        raise UserError(f"{name} gives output of shape {tuple(shape)}; a classifier gives one number a class, (None, classes).")
    return int(shape[1])


def _checked_output(card: Card, trace: "Trace", name: str) -> Card:
    units = _units(trace, name)
    if units != (1 if card.head == "sigmoid" else len(card.labels)):
        raise UserError(
            f"The card has {len(card.labels)} labels and head '{card.head}', but {name} gives {units} numbers; mend 'labels' or 'head'."
        )
    fitting = {"softmax": ("softmax",), "sigmoid": ("sigmoid", "multi-label")}.get(trace.head.activation)
    if fitting and card.head not in fitting:
        raise UserError(f"The card says head '{card.head}', but {name} ends in a {trace.head.activation}; mend the card's 'head'.")
    return card
