"""Inspects one model by its file and by its answers to images; an untrusted one stays in a sandboxed process."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from errors import UserError
from models.cards.card import Card, CardNote, file_sha256, is_scaling_note, unique_labels
from models.cards.edited_card import card_with_preprocessing, parse_preprocessing
from models.classifiers.base_classifier import BaseClassifier
from models.inspection.inspection_report import InspectionFinding, InspectionReport
from models.inspection.labelled_image import LabelledImage
from models.inspection.map_quality_warnings import DEAD_LAYER_IMAGES, find_map_quality_warnings
from models.inspection.model_facts import model_facts, report_layers
from models.inspection.model_structure import ModelStructure, parse_model_structure
from models.inspection.preprocessing_recommendation import (
    PreprocessingRecommendation,
    preprocessing_findings,
    ranking_certainty_sentence,
    recommend_preprocessing,
)
from models.inspection.preprocessing_runs import Progress
from models.inspection.scaling import find_scaling_problems
from models.loading import IMAGENET, load_classifier, resolve_model_path
from models.sandbox.ipc import ProtocolError
from models.sandbox.worker_process import WorkerLimits

__all__ = ["LabelledImage", "inspect_model"]

_OPENED = "It was tried to open it."


def inspect_model(
    name: str | Path,
    pictures: Sequence[LabelledImage] = (),
    trust: bool = True,
    labels: Sequence[str] = (),
    progress: Progress = lambda *_: None,
    preprocessing: str = "",
    limits: WorkerLimits | None = None,
) -> InspectionReport:
    """Inspects the model of a path or name, as `models.loading.load_classifier` takes them.

    A model that cannot be opened or evaluated gives a report with a finding of level "refused". labels: the names of the model's classes
    in order, which replace those of its own files; UserError where their number is not the model's. progress: starts again with every
    member of an ensemble; what it raises, other than UserError, ends the inspection. preprocessing: what a person chose, as
    `models.cards.edited_card.parse_preprocessing` takes it; the card that is proposed has it. limits: of the process of a model that is
    not trusted.
    """
    try:
        served = load_classifier(name, trust, limits)
    except UserError as error:
        return _refusal(str(name), error)
    with contextlib.ExitStack() as exit_stack:
        for each in _members(served):
            exit_stack.callback(each.close)
        for each in dict.fromkeys((*_members(served), served)):
            _set_labels(each, labels)
        try:
            report = _inspect(served, _path(name), pictures, bool(labels), progress)
            return replace(report, proposed=_with_choice(report, preprocessing, _path(name))) if preprocessing else report
        except (UserError, MemoryError) as error:
            return _refusal(served.card.name, error)


def _refusal(name: str, error: Exception) -> InspectionReport:
    return InspectionReport(name, (InspectionFinding("file", str(error), _OPENED, "refused"),))


def _members(served: Any) -> tuple[Any, ...]:
    return tuple(each.classifier for each in served.members) or (served,)


def _set_labels(served: BaseClassifier[Any], labels: Sequence[str]) -> None:
    if not labels:
        return
    if len(labels) != len(served.labels):
        raise UserError(f"--labels has {len(labels)} lines, but {served.card.name} tells {len(served.labels)} classes apart; give as many.")
    served.card = replace(served.card, labels=unique_labels(list(labels)))
    served.labels = tuple(label.name for label in served.card.labels)


def _inspect(served: Any, path: Path | None, pictures: Sequence[LabelledImage], labels_given: bool, progress: Progress) -> InspectionReport:
    """path: the model's file or folder, None for built-in models and members. labels_given: whether the caller named the classes."""
    if served.members:
        return _ensemble(served, pictures, progress)
    shuffled = _shuffle(pictures)
    images = np.stack([served.fit(each.picture) for each in shuffled]) if shuffled else np.zeros((0, *served.size, 3), np.float32)
    recommendation = recommend_preprocessing(served, images, [each.label for each in shuffled], progress) if shuffled else None
    structure = _structure(served, images[:DEAD_LAYER_IMAGES])
    findings = (
        *_file(served, path),
        *model_facts(served, structure, path, labels_given),
        *find_scaling_problems(structure, served.card, recommendation is not None and recommendation.proven),
        *(preprocessing_findings(recommendation, served) if recommendation else ()),
        *find_map_quality_warnings(served, structure, recommendation.current if recommendation else None),
    )
    return InspectionReport(
        served.card.name,
        findings,
        report_layers(served, structure),
        recommendation.candidates if recommendation else (),
        ranking_certainty_sentence(recommendation) if recommendation else "",
        served.card,
        _proposed_card(served.card, recommendation, path, labels_given),
        len(shuffled),
        recommendation.labelled if recommendation else 0,
    )


def _shuffle(pictures: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Shuffled, so that the first few are of every class."""
    return [pictures[number] for number in np.random.default_rng(0).permutation(len(pictures))]


def _structure(served: Any, images: np.ndarray) -> ModelStructure:
    if served.protection is not None:
        try:
            return parse_model_structure(served.remote_structure(images))
        except ProtocolError as error:
            raise UserError(f"{served.card.name} describes itself in a way that is none ({error}); use another model.") from error
    from models.inspection.model_structure_reader import read_model_structure

    return read_model_structure(served, images)


def _path(name: str | Path) -> Path | None:
    return None if str(name).startswith(IMAGENET) else resolve_model_path(name)


def _file(served: BaseClassifier[Any], path: Path | None) -> Iterator[InspectionFinding]:
    where = "in this process, as one that is trusted" if served.protection is None else f"in a process of its own: {served.protection}"
    what = (
        "ImageNet's weights" if path is None else f"{path.name}, {'a folder' if path.is_dir() else f'{path.stat().st_size / 1e6:.1f} MB'}"
    )
    yield InspectionFinding("file", f"{what}, could be opened and answers.", f"It ran {where}.")


def _proposed_card(card: Card, recommendation: PreprocessingRecommendation | None, path: Path | None, labels_given: bool) -> Card | None:
    """The card with the preprocessing that the images support, or with the given class names; None where nothing is to be fixed."""
    improvement = recommendation.improvement if recommendation else None
    if improvement is None and not labels_given:
        return None
    assumed = [note for note in card.notes if is_scaling_note(note)]
    kept = [note for note in card.notes if note not in assumed and not CardNote.OWN_PROCESS.begins(note)]
    notes = [f"Scaling and colour are the doctor's. {ranking_certainty_sentence(recommendation)}"] if improvement and recommendation else []
    if improvement is None and card.inferred:
        notes = assumed
    return replace(
        card,
        scaling=improvement.preprocessing.scaling if improvement else card.scaling,
        colour=improvement.preprocessing.colour if improvement else card.colour,
        inferred=card.inferred and improvement is None,
        notes=(*notes, *kept),
        sha256=_sha256(path),
    )


def _with_choice(report: InspectionReport, preprocessing: str, path: Path | None) -> Card | None:
    """The card that is proposed, or the model's own, with the preprocessing that a person chose."""
    card = report.proposed or report.card
    if card is None:
        return None
    made = card_with_preprocessing(card, *parse_preprocessing(preprocessing, card))
    return replace(made, notes=tuple(note for note in made.notes if not CardNote.OWN_PROCESS.begins(note)), sha256=_sha256(path))


def _sha256(path: Path | None) -> str:
    return file_sha256(path) if path is not None and path.is_file() else ""


def _ensemble(served: Any, pictures: Sequence[LabelledImage], progress: Progress) -> InspectionReport:
    """Each member is inspected by itself, since each has its own preprocessing."""
    findings = [
        InspectionFinding(
            "branches", f"An ensemble of {len(served.members)}: {', '.join(each.name for each in served.members)}.", "A list names them."
        )
    ]
    layers = []
    for each in served.members:
        report = _inspect(each.classifier, None, pictures, False, progress)
        findings += [replace(finding, says=f"{each.name}: {finding.says}") for finding in report.findings if finding.about != "file"]
        findings += (
            [InspectionFinding("preprocessing", f"{each.name}: {report.certainty}", "The ranking of the ways.")] if report.certainty else []
        )
        layers += [replace(layer, name=f"{each.name}/{layer.name}") for layer in report.layers]
    return InspectionReport(
        served.card.name,
        tuple(findings),
        tuple(layers),
        certainty="Each member prepares pictures in its own way; inspect each by itself to have its ways ranked." if pictures else "",
        card=served.card,
        pictures=len(pictures),
    )
