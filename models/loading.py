"""Loads a classifier by path or by name, and checks that its card and its weights belong together."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import Card, sha256_of
from models.cards.ensemble_file import read_ensemble_file
from models.cards.sidecar_files import card_path, holds_architecture
from models.formats.keras_file import model_file
from models.store import bundled

if TYPE_CHECKING:
    from models.classifiers.ensemble import Ensemble
    from models.classifiers.forward_only import ForwardOnly
    from models.classifiers.keras_classifier import Classifier
    from models.classifiers.sandboxed import SandboxedClassifier
    from models.graph.trace import Trace

    Served = Classifier | Ensemble | ForwardOnly | SandboxedClassifier

IMAGENET, HUB = "imagenet:", "hf://"


def load(name: str | Path, trust: bool = True) -> "Served":
    """The classifier at a path, of a bundled name, `imagenet:NAME` or `hf://owner/name`, or the ensemble that a JSON file lists.

    trust: whether a model from a path may run in this process; else each gets a process of its own that can reach nothing. Bundled ones
    and ImageNet's are always trusted. UserError says in one sentence what is wrong with the model.
    """
    return start_loading(name, trust)()


def start_loading(name: str | Path, trust: bool = True) -> Callable[[], "Served"]:
    """As `load`, but only begins: whoever calls what is given waits. What needs a process of its own is under way meanwhile."""
    members = None if str(name) in bundled() else read_ensemble_file(Path(name))
    if not members:
        return _begin_one(name, trust)
    begun = [_begin_one(member, trust) for member in members.members]

    def joined() -> "Served":
        from models.classifiers.ensemble import Ensemble

        return Ensemble(members.name, [each() for each in begun])

    return joined


def _begin_one(name: str | Path, trust: bool) -> Callable[[], "Served"]:
    if trust or str(name) in bundled() or str(name).startswith(IMAGENET):
        return lambda: load_in_process(name)
    from models.classifiers.sandboxed import start_sandboxed as begin_guarded

    return begin_guarded(path_of(name))


def load_in_process(name: str | Path) -> "Classifier | ForwardOnly":
    """As `load`, but no ensemble, and in this process."""
    if str(name).startswith(IMAGENET):
        from models.formats.imagenet import load_imagenet

        return load_imagenet(str(name).removeprefix(IMAGENET))
    from models.formats.registry import open_model
    from models.graph.runtime import Runtime

    path = path_of(name)
    model, card = open_model(path), _card_beside(path)
    if isinstance(model, Runtime):
        from models.classifiers.forward_only import forward_only

        return forward_only(model, card, path)
    return build_classifier(model, card, path)


def path_of(name: str | Path) -> Path:
    """The file or folder of a model that is none of ImageNet's; what lies on the Hub is fetched. UserError."""
    if str(name).startswith(HUB):
        from models.formats.hub import fetched

        return fetched(str(name))
    return model_file(bundled().get(str(name), Path(name)))


def build_classifier(model: Any, card: Card | None, path: Path) -> "Classifier":
    """A classifier from a Keras model in memory (Keras 2 or 3); without a card one is inferred. UserError where they do not fit.

    path: where the model lies; its name is used in messages, and labels.txt is looked for beside it.
    """
    from models.classifiers.card_inference import infer_card
    from models.classifiers.keras_classifier import Classifier
    from models.graph.inputs import inputs_of
    from models.graph.probes import answers, traced

    if card is None:
        trace, card = infer_card(model, path)
    else:
        inputs_of(model, path.name).check_card(card, path.name)
        trace = traced(model, card, path.name)
        _check_output(card, trace, path.name)
    _check_answers(card, answers(trace, path.name), trace, path.name)
    made = Classifier(trace, card)
    _ = made.default_layers  # says now, not at the first map, that the card names a layer which is not there
    return made


def _card_beside(path: Path) -> Card | None:
    beside = card_path(path)
    if not beside.exists() or (path.suffix in (".h5", ".hdf5") and holds_architecture(beside)):
        return None
    card = Card.read(beside)
    if card.sha256 and path.is_file() and card.sha256 != (found := sha256_of(path)):
        raise UserError(
            f"{beside.name} is the card of other weights: it says sha256 {card.sha256[:12]}..., {path.name} has {found[:12]}...."
        )
    return card


def _check_output(card: Card, trace: "Trace", name: str) -> None:
    from models.graph.probes import units

    numbers = units(trace, name)
    if numbers != (1 if card.head == "sigmoid" else len(card.labels)):
        raise UserError(
            f"The card has {len(card.labels)} labels and head '{card.head}', but {name} gives {numbers} numbers; mend 'labels' or 'head'."
        )
    fitting = {"softmax": ("softmax",), "sigmoid": ("sigmoid", "multi-label")}.get(trace.head.activation)
    if fitting and card.head not in fitting:
        raise UserError(f"The card says head '{card.head}', but {name} ends in a {trace.head.activation}; mend the card's 'head'.")


def _check_answers(card: Card, raw: NDArray[np.float64], trace: "Trace", name: str) -> None:
    """raw: what the model answered to a few pictures. Numbers that cannot be what the head says are refused, not squeezed into shape."""
    from models.graph.probes import broken, sums_to_one

    if not np.isfinite(raw).all():
        weights = [f"{weight} ({share:.0%} of it)" for weight, share in broken(trace)]
        why = f"so are some of its weights, {', '.join(weights[:3])}: save or download it again" if weights else "its scaling overflows it"
        raise UserError(f"{name} answers with numbers that are not finite; {why}.")
    if trace.head.activation or card.head == "logits":
        return
    if raw.min() < -1e-3 or raw.max() > 1 + 1e-3 or (card.head == "softmax" and not sums_to_one(raw)):
        seen = f"{raw.min():.3g} to {raw.max():.3g}"
        raise UserError(f"The card says head '{card.head}', but {name} answers with {seen}, no probabilities; mend 'head' to 'logits'.")
