"""Loads a classifier by path or by name, and checks that its card and its weights belong together."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card, sha256_of
from models.cards.ensemble_file import read_ensemble_file
from models.cards.sidecar_files import WEIGHT_SUFFIXES, card_path, holds_architecture
from models.location import IMAGENET, path_of
from models.store import bundled

if TYPE_CHECKING:
    from models.classifiers.ensemble import Ensemble
    from models.classifiers.forward_only import ForwardOnly
    from models.classifiers.keras_classifier import Classifier
    from models.classifiers.sandboxed import SandboxedClassifier

    Served = Classifier | Ensemble | ForwardOnly | SandboxedClassifier


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
    from models.classifiers.sandboxed import start_sandboxed

    return start_sandboxed(path_of(name))


def load_in_process(name: str | Path) -> "Classifier | ForwardOnly":
    """As `load`, but no ensemble, and in this process."""
    if str(name).startswith(IMAGENET):
        from models.formats.imagenet import load_imagenet

        return load_imagenet(str(name).removeprefix(IMAGENET))
    from models.classifiers.build import build_classifier
    from models.formats.registry import open_model
    from models.graph.runtime import Runtime

    path = path_of(name)
    model, card = open_model(path), _card_beside(path)
    if isinstance(model, Runtime):
        from models.classifiers.forward_only import forward_only

        return forward_only(model, card, path)
    return build_classifier(model, card, path)


def _card_beside(path: Path) -> Card | None:
    beside = card_path(path)
    if not beside.exists() or (path.suffix in WEIGHT_SUFFIXES and holds_architecture(beside)):
        return None
    card = Card.read(beside)
    if card.sha256 and path.is_file() and card.sha256 != (found := sha256_of(path)):
        raise UserError(
            f"{beside.name} is the card of other weights: it says sha256 {card.sha256[:12]}..., {path.name} has {found[:12]}...."
        )
    return card
