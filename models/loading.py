"""From a name to a file, and from a file to a classifier: by path, by bundled name, or by name on the Hugging Face Hub."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from errors import UserError
from models.cards.card import Card, file_sha256
from models.cards.ensemble_file import read_ensemble_file
from models.cards.sidecar_files import WEIGHT_SUFFIXES, is_architecture_file, model_card_path
from models.formats.format_registry import ACCEPTED, ACCEPTED_IN_FOLDER, FOLDER_MARKERS, is_model_folder, is_model_path
from models.formats.imagenet import IMAGENET, check_imagenet_name
from models.formats.model_hub import HUB, fetch_hub_model
from models.sandbox.checks.unsupported_formats import refuse_unsupported_folder
from models.sandbox.worker_process import WorkerLimits
from models.store import bundled_models
from models.versions import latest_version_folder

if TYPE_CHECKING:
    from models.classifiers.ensemble import EnsembleClassifier
    from models.classifiers.forward_only import ForwardOnlyClassifier
    from models.classifiers.keras_classifier import KerasClassifier
    from models.classifiers.sandboxed_classifier import SandboxedClassifier

    Served = KerasClassifier | EnsembleClassifier | ForwardOnlyClassifier | SandboxedClassifier


__all__ = [
    "HUB",
    "IMAGENET",
    "find_model_file",
    "load_classifier",
    "load_classifier_in_process",
    "resolve_model_path",
    "start_loading_classifier",
]


def load_classifier(name: str | Path, trust: bool = True, limits: WorkerLimits | None = None) -> "Served":
    """The classifier at a path, of a bundled name, `imagenet:NAME` or `hf://owner/name`, or the ensemble that a JSON file lists.

    trust: whether a model from a path may run in this process; else each gets a process of its own that can reach nothing. Bundled ones
    and ImageNet's are always trusted. limits: of each such process. UserError says in one sentence what is wrong with the model.
    """
    return start_loading_classifier(name, trust, limits)()


def start_loading_classifier(name: str | Path, trust: bool = True, limits: WorkerLimits | None = None) -> Callable[[], "Served"]:
    """As `load`, but only begins: calling the result waits. A process of its own, where one is needed, starts meanwhile."""
    members = None if str(name) in bundled_models() else read_ensemble_file(Path(name))
    if not members:
        return _begin_one(name, trust, limits)
    begun = [_begin_one(member, trust, limits) for member in members.members]

    def joined() -> "Served":
        from models.classifiers.ensemble import EnsembleClassifier

        return EnsembleClassifier(members.name, [each() for each in begun])

    return joined


def _begin_one(name: str | Path, trust: bool, limits: WorkerLimits | None) -> Callable[[], "Served"]:
    if trust or str(name) in bundled_models() or str(name).startswith(IMAGENET):
        return lambda: load_classifier_in_process(name)
    from models.classifiers.sandboxed_classifier import start_sandboxed_classifier

    return start_sandboxed_classifier(resolve_model_path(name), limits)


def load_classifier_in_process(name: str | Path) -> "KerasClassifier | ForwardOnlyClassifier":
    """As `load_classifier`, but no ensemble, and in this process."""
    if str(name).startswith(IMAGENET):
        from models.formats.imagenet import load_imagenet

        return load_imagenet(str(name).removeprefix(IMAGENET))
    from models.classifiers.classifier_builder import build_classifier
    from models.formats.format_registry import open_model
    from models.graph.runtime_network import RuntimeNetwork

    path = resolve_model_path(name)
    model, card = open_model(path), _card_beside(path)
    if isinstance(model, RuntimeNetwork):
        from models.classifiers.forward_only import build_forward_only_classifier

        return build_forward_only_classifier(model, card, path)
    return build_classifier(model, card, path)


def _card_beside(path: Path) -> Card | None:
    beside = model_card_path(path)
    if not beside.exists() or (path.suffix in WEIGHT_SUFFIXES and is_architecture_file(beside)):
        return None
    card = Card.read(beside)
    if card.sha256 and path.is_file() and card.sha256 != (found := file_sha256(path)):
        raise UserError(
            f"{beside.name} is the card of other weights: it says sha256 {card.sha256[:12]}..., {path.name} has {found[:12]}...."
        )
    return card


def resolve_model_path(name: str | Path) -> Path:
    """The file or folder of a model that is none of ImageNet's; what lies on the Hub is fetched. UserError."""
    if str(name).startswith(HUB):
        return fetch_hub_model(str(name))
    return find_model_file(bundled_models().get(str(name), Path(name)))


def check_model_exists(name: str) -> None:
    """UserError where a name stands for no model at all; nothing is opened or fetched."""
    if name in bundled_models() or name.startswith(HUB):
        return
    if name.startswith(IMAGENET):
        check_imagenet_name(name.removeprefix(IMAGENET))
    elif not os.path.exists(name):
        raise UserError(_missing(Path(name)))


def _missing(path: Path) -> str:
    return f"There is no file or folder {str(path)[:200]}; give the path of {ACCEPTED}."


def find_model_file(path: Path) -> Path:
    """The model that `path` is, a file or a SavedModel's folder, or the one in that folder; of a folder of versions the latest's."""
    if not os.path.exists(path):  # which, unlike Path.exists, takes an impossible name for a missing one
        raise UserError(_missing(path))
    if path.is_file():
        return path.parent if path.name in FOLDER_MARKERS and is_model_folder(path.parent) else path
    if not path.is_dir():
        raise UserError(f"{path} is neither a file nor a folder; give the path of {ACCEPTED}.")
    if is_model_folder(path):
        return path
    path = latest_version_folder(path) or path
    found = sorted(each for each in path.iterdir() if is_model_path(each))
    if len(found) != 1:
        refuse_unsupported_folder(path, found)
        names = ", ".join(each.name for each in found) or "none"
        raise UserError(f"The folder {path} must hold one model ({ACCEPTED_IN_FOLDER}); found: {names}.")
    return found[0]
