"""Examines one model by its file and by what it answers to pictures; one that is not trusted stays in a process of its own."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from errors import UserError
from models.cards.card import Card, KnownNote, distinct, sha256_of
from models.classifiers.base import BaseClassifier
from models.inspection.candidate_runs import Progress
from models.inspection.facts import facts, layer_reports
from models.inspection.labelled_image import LabelledImage
from models.inspection.problems import LOOKED_AT, find_problems
from models.inspection.recommendation import PreprocessingRecommendation, certainty_sentence, recommend, recommendation_findings
from models.inspection.report import Finding, Report
from models.inspection.scaling import inside
from models.inspection.structure import ModelStructure, parse_structure
from models.loading import IMAGENET, load, path_of
from models.sandbox.ipc import ProtocolError

__all__ = ["LabelledImage", "inspect_model"]

_OPENED = "It was tried to open it."


def inspect_model(
    name: str | Path,
    pictures: Sequence[LabelledImage] = (),
    trust: bool = True,
    labels: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> Report:
    """What there is to say of the model at a path or of a name, as `models.loading.load` takes them.

    A model that cannot be opened, or not asked, is a report with a finding of level "refused". labels: what the model's classes are
    called, in their order, where that is known better than its own files know it; UserError where their number is not the model's.
    progress: begins anew with every member of an ensemble; what it raises, other than UserError, ends the examination.
    """
    try:
        served = load(name, trust)
    except UserError as error:
        return _refused(str(name), error)
    with contextlib.ExitStack() as leaving:
        for each in _members(served):
            if hasattr(each, "close"):
                leaving.callback(each.close)
        for each in dict.fromkeys((*_members(served), served)):
            _rename(each, labels)
        try:
            return _examined(served, _path(name), pictures, bool(labels), progress)
        except (UserError, MemoryError) as error:
            return _refused(served.card.name, error)


def _refused(name: str, error: Exception) -> Report:
    return Report(name, (Finding("file", str(error), _OPENED, "refused"),))


def _members(served: Any) -> tuple[Any, ...]:
    return tuple(each.classifier for each in served.members) if hasattr(served, "members") else (served,)


def _rename(served: BaseClassifier[Any], labels: Sequence[str]) -> None:
    if not labels:
        return
    if len(labels) != len(served.labels):
        raise UserError(f"--labels has {len(labels)} lines, but {served.card.name} tells {len(served.labels)} classes apart; give as many.")
    served.card = replace(served.card, labels=distinct(list(labels)))
    served.labels = tuple(label.name for label in served.card.labels)


def _examined(served: Any, path: Path | None, pictures: Sequence[LabelledImage], given: bool, progress: Progress) -> Report:
    """path: where the model lies, None where it is built in or one of several. given: whether its classes' names were given."""
    if hasattr(served, "members"):
        return _ensemble(served, pictures, progress)
    shown = _mixed(pictures)
    images = np.stack([served.fit(each.picture) for each in shown]) if shown else np.zeros((0, *served.size, 3), np.float32)
    wanted = recommend(served, images, [each.label for each in shown], progress) if shown else None
    anatomy = _anatomy(served, images[:LOOKED_AT])
    findings = (
        *_file(served, path),
        *facts(served, anatomy, path, given),
        *inside(anatomy, served.card, wanted is not None and wanted.proven),
        *(recommendation_findings(wanted, served) if wanted else ()),
        *find_problems(served, anatomy, wanted.today if wanted else None),
    )
    return Report(
        served.card.name,
        findings,
        layer_reports(served, anatomy),
        wanted.candidates if wanted else (),
        certainty_sentence(wanted) if wanted else "",
        served.card,
        _proposed(served.card, wanted, path, given),
        len(shown),
        wanted.known if wanted else 0,
    )


def _mixed(pictures: Sequence[LabelledImage]) -> list[LabelledImage]:
    """In another order, so that the first few are of every class."""
    return [pictures[number] for number in np.random.default_rng(0).permutation(len(pictures))]


def _anatomy(served: Any, images: np.ndarray) -> ModelStructure:
    if hasattr(served, "anatomy"):
        try:
            return parse_structure(served.anatomy(images))
        except ProtocolError as error:
            raise UserError(f"{served.card.name} describes itself in a way that is none ({error}); use another model.") from error
    from models.inspection.structure_reader import read_structure

    return read_structure(served, images)


def _path(name: str | Path) -> Path | None:
    return None if str(name).startswith(IMAGENET) else path_of(name)


def _file(served: BaseClassifier[Any], path: Path | None) -> Iterator[Finding]:
    where = (
        "in this process, as one that is trusted" if not hasattr(served, "protection") else f"in a process of its own: {served.protection}"
    )
    what = (
        "ImageNet's weights" if path is None else f"{path.name}, {'a folder' if path.is_dir() else f'{path.stat().st_size / 1e6:.1f} MB'}"
    )
    yield Finding("file", f"{what}, could be opened and answers.", f"It ran {where}.")


def _proposed(card: Card, wanted: PreprocessingRecommendation | None, path: Path | None, given: bool) -> Card | None:
    """The card with the way that pictures show to be right, or with the names that were given; None where there is nothing to mend."""
    better = wanted.better if wanted else None
    if better is None and not given:
        return None
    assumed = [note for note in card.notes if KnownNote.ASSUMED_SCALING.begins(note)]
    kept = [note for note in card.notes if note not in assumed and not KnownNote.OWN_PROCESS.begins(note)]
    notes = [f"Scaling and colour are the doctor's. {certainty_sentence(wanted)}"] if better and wanted else []
    if better is None and card.inferred:
        notes = assumed
    return replace(
        card,
        scaling=better.preparing.scaling if better else card.scaling,
        colour=better.preparing.colour if better else card.colour,
        inferred=False,
        notes=(*notes, *kept),
        sha256=sha256_of(path) if path is not None and path.is_file() else "",
    )


def _ensemble(served: Any, pictures: Sequence[LabelledImage], progress: Progress) -> Report:
    """Each member is examined by itself, since each prepares pictures in its own way."""
    findings = [
        Finding(
            "branches", f"An ensemble of {len(served.members)}: {', '.join(each.name for each in served.members)}.", "A list names them."
        )
    ]
    layers = []
    for each in served.members:
        report = _examined(each.classifier, None, pictures, False, progress)
        findings += [replace(finding, says=f"{each.name}: {finding.says}") for finding in report.findings if finding.about != "file"]
        findings += [Finding("preprocessing", f"{each.name}: {report.sure}", "The ranking of the ways.")] if report.sure else []
        layers += [replace(layer, name=f"{each.name}/{layer.name}") for layer in report.layers]
    return Report(
        served.card.name,
        tuple(findings),
        tuple(layers),
        sure="Each member prepares pictures in its own way; inspect each by itself to have its ways ranked." if pictures else "",
        card=served.card,
        pictures=len(pictures),
    )
