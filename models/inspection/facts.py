"""What a model is, in sentences: what it takes and gives, its classes, its layers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.cards.card import Card, KnownNote
from models.cards.sidecar_files import LABELS
from models.classifiers.base import BaseClassifier
from models.inspection.report import Finding, LayerReport
from models.inspection.structure import ModelStructure

_PLACES = ("*label*", "*class*")
_SHOWN = 6
_GRAPH = "its traced graph"


def facts(served: BaseClassifier[Any], anatomy: ModelStructure, path: Path | None, given: bool) -> Iterator[Finding]:
    """path: where the model lies, None where it is built in. given: whether its classes' names were given by whoever asks."""
    yield from _inputs(anatomy)
    yield _head(served, anatomy)
    yield _labels(served.card, path, given)
    yield _prepared(served.card)
    yield from _layers(served, anatomy)


def layer_reports(served: BaseClassifier[Any], anatomy: ModelStructure) -> tuple[LayerReport, ...]:
    """Every spatial layer, from the picture to the answer."""
    fields, used = dict(anatomy.fields), {layer.name for layer in served.default_layers}
    return tuple(LayerReport(x.name, x.grid, x.channels, fields.get(x.name), x.name in used) for x in served.layers)


def _inputs(anatomy: ModelStructure) -> Iterator[Finding]:
    known = "The shapes that its file gives." if anatomy.kind else "The shapes that its layers were built with."
    words = "input" if len(anatomy.inputs) == 1 else f"{len(anatomy.inputs)} inputs"
    yield Finding("inputs", f"It takes {words} {', '.join(map(str, anatomy.inputs))}.", known)
    yield Finding("outputs", f"It gives {anatomy.output}.", known)


def _head(served: BaseClassifier[Any], anatomy: ModelStructure) -> Finding:
    card, names = served.card, served.labels
    ends = f"The last operation of {_GRAPH} is a {anatomy.ending}." if anatomy.ending else _answered(card)
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
    return Finding("head", says, ends)


def _prepared(card: Card) -> Finding:
    note = next((note for note in card.notes if KnownNote.ASSUMED_SCALING.begins(note)), "Nothing but its format is known.")
    says = f"Pictures are brought to {card.size[0]} x {card.size[1]} pixels ({card.fit}) and given to it as {card.scaling}, {card.colour}."
    return Finding("preprocessing", says, note if card.inferred else "Its card says so.")


def _answered(card: Card) -> str:
    return f"{'It has no card and was' if card.inferred else 'Its card says so, and it was'} asked about three pictures that nobody took."


def _labels(card: Card, path: Path | None, given: bool) -> Finding:
    names = [label.name for label in card.labels]
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    if given:
        return Finding("labels", f"{len(names)} classes: {listed}.", "They were given with the question.")
    if not card.inferred:
        return Finding("labels", f"{len(names)} classes: {listed}.", "Its card says so.")
    if KnownNote.NAMED_IN_FILE in card.notes:
        return Finding("labels", f"{len(names)} classes: {listed}.", "The file names them itself.")
    if names != [f"class {number}" for number in range(len(names))]:  # what they are called where nothing says
        return Finding("labels", f"{len(names)} classes: {listed}.", f"{LABELS} with the model says so.")
    near = [] if path is None else sorted({file.name for place in _PLACES for file in path.parent.glob(place) if file.is_file()})
    hint = f" Perhaps they stand in {near[0]}." if near else ""
    return Finding(
        "labels",
        f"Nothing says what its {len(names)} classes are called. Write {LABELS} beside the model, one line for each class in the order of "
        f"its answers, or give --labels.{hint}",
        f"There is no card, no {LABELS} beside the model and none inside.",
        "warning",
    )


def _layers(served: BaseClassifier[Any], anatomy: ModelStructure) -> Iterator[Finding]:
    if served.forward_only:
        yield Finding(
            "layers",
            f"It is run from {anatomy.kind}, which shows no layers and has no gradients: Grad-CAM and its kin and integrated gradients "
            "cannot be used. Take methods that hide parts of the picture (Occlusion, LIME, SHAP, RISE), or the Keras model behind it.",
            "The format of its file.",
            "warning",
        )
        return
    used = served.default_layers
    if not used:
        yield Finding(
            "layers",
            "No layer keeps a grid of features, so the CAM family has nothing to read. Take methods that hide parts of the picture, or "
            "integrated gradients.",
            f"No convolution's answer of more than one cell is met in {_GRAPH}.",
            "warning",
        )
        return
    fields = dict(anatomy.fields)
    known = "Its card names it." if served.card.layers else "It is the last of its branch before the places are pooled or flattened."
    for layer in used:
        sees = "the whole picture" if fields.get(layer.name) is None else "{} x {} pixels".format(*(fields[layer.name] or (0, 0)))
        says = f"The CAM family reads {layer.name}, {layer.grid[0]} x {layer.grid[1]} cells, each of which sees {sees}."
        yield Finding("layers", f"{says} {layer.caveat}".strip(), known)
    branches = 1 + max(layer.branch for layer in served.layers)
    if branches > 1:
        ends = ", ".join(layer.name for layer in served.layers if layer.last)
        says = f"{branches} branches look at the picture, and their maps are added before what is negative is cut off. They end in {ends}."
        yield Finding("branches", says, f"No later grid follows from any of these in {_GRAPH}.")
