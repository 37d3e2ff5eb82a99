"""Describes a model in sentences: its inputs, output, classes and layers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.cards.card import Card, CardNote, is_scaling_note
from models.cards.sidecar_files import LABELS
from models.classifiers.base_classifier import BaseClassifier
from models.inspection.inspection_report import InspectionFinding, LayerReport
from models.inspection.model_structure import ModelStructure

_LABEL_FILES = ("*label*", "*class*")
_SHOWN = 6
_TRACED_GRAPH = "its traced graph"


def model_facts(
    served: BaseClassifier[Any], structure: ModelStructure, path: Path | None, labels_given: bool
) -> Iterator[InspectionFinding]:
    """path: the model's file or folder, None where it is built in. labels_given: whether the caller gave the classes' names."""
    yield from _inputs(structure)
    yield _head(served, structure)
    yield _labels(served.card, path, labels_given)
    for note in served.card.notes:
        if CardNote.NAMES_NOT_USED.begins(note) and not labels_given:
            yield InspectionFinding("labels", note, "It was read with the model.", "warning")
    yield _preprocessing(served.card)
    yield from _layers(served, structure)


def report_layers(served: BaseClassifier[Any], structure: ModelStructure) -> tuple[LayerReport, ...]:
    """Every spatial layer, from the input to the output."""
    fields, used = dict(structure.receptive_fields), {layer.name for layer in served.default_layers}
    return tuple(LayerReport(x.name, x.grid, x.channels, fields.get(x.name), x.name in used) for x in served.layers)


def _inputs(structure: ModelStructure) -> Iterator[InspectionFinding]:
    known = "The shapes that its file gives." if structure.runtime_kind else "The shapes that its layers were built with."
    words = "input" if len(structure.inputs) == 1 else f"{len(structure.inputs)} inputs"
    yield InspectionFinding("inputs", f"It takes {words} {', '.join(map(str, structure.inputs))}.", known)
    yield InspectionFinding("outputs", f"It gives {structure.output}.", known)


def _head(served: BaseClassifier[Any], structure: ModelStructure) -> InspectionFinding:
    card, names = served.card, served.labels
    ends = f"The last operation of {_TRACED_GRAPH} is a {structure.final_activation}." if structure.final_activation else _probed(card)
    match card.head:
        case "sigmoid":
            says = (
                f"A single sigmoid: one number, the probability of '{names[1]}'. '{names[0]}' is explained by the negative of the same "
                "logit, so its map is the other's with the signs turned."
            )
        case "multi-label":
            says = (
                f"Multi-label: a sigmoid for each of {len(names)} classes, each explained by its own logit. That a class is absent is "
                "explained by the same map with its signs turned."
            )
        case "softmax" if len(names) == 2:
            says = (
                "Two units with a softmax: each class is explained by its logit less the mean of both, so that the one's map is the "
                "other's with the signs turned."
            )
        case "softmax":
            says = f"A softmax over {len(names)} classes: each is explained by its logit less the mean of all."
        case _:
            says = (
                f"{len(names)} numbers without an activation, taken for the logits of classes that exclude each other. If they measure "
                "something (a regression), it is no classifier and its maps mean nothing here."
            )
    if served.logits_from_probabilities:
        says += " The logits are taken from its probabilities, where these are not too near 0 or 1."
    return InspectionFinding("head", says, ends)


def _preprocessing(card: Card) -> InspectionFinding:
    note = next((note for note in card.notes if is_scaling_note(note)), "Nothing but its format is known.")
    says = f"Pictures are brought to {card.size[0]} x {card.size[1]} pixels ({card.fit}) and given to it as {card.scaling}, {card.colour}."
    return InspectionFinding("preprocessing", says, note if card.inferred else "Its card says so.")


def _probed(card: Card) -> str:
    return f"{'It has no card and was' if card.inferred else 'Its card says so, and it was'} asked about three pictures that nobody took."


def _labels(card: Card, path: Path | None, labels_given: bool) -> InspectionFinding:
    names = [label.name for label in card.labels]
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    if labels_given:
        return InspectionFinding("labels", f"{len(names)} classes: {listed}.", "They were given with the question.")
    if not card.inferred:
        return InspectionFinding("labels", f"{len(names)} classes: {listed}.", "Its card says so.")
    if CardNote.NAMED_IN_FILE in card.notes:
        return InspectionFinding("labels", f"{len(names)} classes: {listed}.", "The file names them itself.")
    if named := next((note for note in card.notes if CardNote.NAMED_BY.begins(note)), None):
        file = named.removeprefix(CardNote.NAMED_BY).strip(" .")
        return InspectionFinding("labels", f"{len(names)} classes: {listed}.", f"{file} with the model says so.")
    near = [] if path is None else sorted({file.name for place in _LABEL_FILES for file in path.parent.glob(place) if file.is_file()})
    hint = f" Perhaps they stand in {near[0]}." if near else ""
    return InspectionFinding(
        "labels",
        f"Nothing says what its {len(names)} classes are called. Write {LABELS} beside the model, one line for each class in the order of "
        f"its answers, or give --labels.{hint}",
        f"There is no card, no {LABELS} beside the model and none inside.",
        "warning",
    )


def _layers(served: BaseClassifier[Any], structure: ModelStructure) -> Iterator[InspectionFinding]:
    if served.forward_only:
        yield InspectionFinding(
            "layers",
            f"It is run from {structure.runtime_kind}, which shows no layers and has no gradients: Grad-CAM and its kin and "
            "integrated gradients cannot be used. Take methods that hide parts of the picture (Occlusion, LIME, SHAP, RISE), or the "
            "Keras model behind it.",
            "The format of its file.",
            "warning",
        )
        return
    used = served.default_layers
    if not used:
        yield InspectionFinding(
            "layers",
            "No layer keeps a grid of features, so the CAM family has nothing to read. Take methods that hide parts of the picture, or "
            "integrated gradients.",
            f"No convolution's answer of more than one cell is met in {_TRACED_GRAPH}.",
            "warning",
        )
        return
    fields = dict(structure.receptive_fields)
    known = "Its card names it." if served.card.layers else "It is the last of its branch before the places are pooled or flattened."
    for layer in used:
        sees = "the whole picture" if fields.get(layer.name) is None else "{} x {} pixels".format(*(fields[layer.name] or (0, 0)))
        says = f"The CAM family reads {layer.name}, {layer.grid[0]} x {layer.grid[1]} cells, each of which sees {sees}."
        yield InspectionFinding("layers", f"{says} {layer.caveat}".strip(), known)
    branches = 1 + max(layer.branch for layer in served.layers)
    if branches > 1:
        ends = ", ".join(layer.name for layer in served.layers if layer.last)
        says = f"{branches} branches look at the picture, and their maps are added before what is negative is cut off. They end in {ends}."
        yield InspectionFinding("branches", says, f"No later grid follows from any of these in {_TRACED_GRAPH}.")
