"""Infers the card of a model that has none: from its input, its last operations, its outputs, and what lies next to it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import LONGEST_NAME, Card, CardNote, ClassLabel, Head, unique_labels
from models.cards.preprocessor_file import read_preprocessor_file
from models.cards.sidecar_files import PREPROCESSOR
from models.classifiers.label_file import ClassNames, read_class_names
from models.graph.keras_hints import ExpectedPreprocessing, preprocessing_by_backbone
from models.graph.model_inputs import read_model_inputs
from models.graph.model_trace import TracedModelGraph
from models.graph.probe_images import (
    count_model_outputs,
    first_convolution_slope,
    outputs_for_probe_images,
    rows_sum_to_one,
    trace_keras_model,
)

DEFAULT_SIZE = 224
_DIVIDES = 1 / 20  # a first convolution that sees less of the input's values than this is fed 0 to 255
_OF_BYTES = ExpectedPreprocessing("0..255", "rgb", "its input takes whole numbers of 0 to 255")
A_NUMBER = (
    "Its one number is taken for a measured quantity, as nothing at its end makes it a probability; if it is one, write a card with "
    "head 'sigmoid'."
)


def infer_model_card(model: Any, path: Path, output: str = "") -> tuple[TracedModelGraph, Card]:
    """The traced model and its inferred card, whose notes say what was assumed and why. UserError where none fits.

    output: the name of the explained output of several; empty for the first.
    """
    inputs = read_model_inputs(model, path.name)
    (height, width), channels = inputs.largest.size, inputs.largest.channels
    said = read_preprocessor_file(path)
    if said and said.size:
        height, width = height or said.size[0], width or said.size[1]
    draft = Card(
        name=(path.parent.name if path.stem in ("model", "keras_model") else path.stem)[:LONGEST_NAME],
        labels=(ClassLabel("0"), ClassLabel("1")),
        size=(height or DEFAULT_SIZE, width or DEFAULT_SIZE),
        colour="grey" if channels == 1 else "rgb",
        inferred=True,
        output=output,
    )
    trace = trace_keras_model(model, draft, path.name)
    slope = first_convolution_slope(trace)
    expected = _OF_BYTES if inputs.largest.of_bytes else _expected_input(model, slope)
    if said and said.scaling:
        expected = ExpectedPreprocessing(said.scaling, "rgb", f"{PREPROCESSOR} beside it says so")
    known = inputs.largest.of_bytes or (slope is not None and slope < _DIVIDES)
    colour = draft.colour if channels == 1 else expected.colour
    draft = dataclasses.replace(draft, scaling=expected.scaling, colour=colour)
    if expected.scaling != "0..1":
        trace = trace_keras_model(model, draft, path.name)
    head, why = _head(trace, outputs_for_probe_images(trace, path.name), path.name)
    several = len(trace.choice.names) > 1
    names = class_names_of_head(path, head, count_model_outputs(trace, path.name), several)
    notes = (
        scaling_note(expected.scaling, expected.because, known),
        *why,
        *inputs.notes,
        *trace.choice.notes,
        *getattr(model, "notes", ()),
        *([said.note] if said and said.note else []),
        *names.notes,
    )
    return trace, dataclasses.replace(draft, labels=names.labels, head=head, output=trace.choice.name if several else "", notes=notes)


def class_names_of_head(path: Path, head: Head, count: int, several: bool, inside: Sequence[str] = ()) -> ClassNames:
    """The classes of one output; of several, a file whose names do not fit in number is another output's and is not reported."""
    if head == "number":
        return ClassNames(unique_labels(["value"]), ())
    found = read_class_names(path, max(count, 2), inside)
    unused = [note for note in found.notes if CardNote.NAMES_NOT_USED.begins(note)] if several else []
    return dataclasses.replace(found, notes=tuple(note for note in found.notes if note not in unused))


def scaling_note(scaling: str, because: str, known: bool) -> str:
    """The note about the scaling of a card that was inferred. known: whether the model itself shows it, so that it is no guess."""
    if known:
        return f"{CardNote.SCALES_ITSELF} {scaling}, for {because}."
    return f"{CardNote.ASSUMED_SCALING} {scaling} assumed, because {because}."


def _expected_input(model: Any, slope: float | None) -> ExpectedPreprocessing:
    """From the model's own scaling, which is certain; else the usual preprocessing of the backbone by its name; else 0..1."""
    if slope is not None and slope < _DIVIDES:
        return ExpectedPreprocessing("0..255", "rgb", f"the model itself divides its input by about {1 / max(slope, 1e-6):.0f}")
    if slope is not None and not 0.999 < slope < 1.001:
        return ExpectedPreprocessing("0..1", "rgb", f"the model itself multiplies its input by about {slope:.2g}")
    return preprocessing_by_backbone(model)


def _head(trace: TracedModelGraph, raw: NDArray[np.float64], name: str) -> tuple[Head, tuple[str, ...]]:
    count, activation = count_model_outputs(trace, name), trace.head.activation
    if count == 1 and activation == "softmax":
        raise UserError(f"{name} gives one number with a softmax over it, which is always 1; train it with a sigmoid or two classes.")
    if count == 1 and not activation:
        return "number", (A_NUMBER,)
    if activation == "sigmoid":
        return ("sigmoid" if count == 1 else "multi-label"), ()
    if activation == "softmax":
        return "softmax", ()
    if rows_sum_to_one(raw):
        return "softmax", ("No softmax was found at its end, but its answers sum to 1: logits are taken from its probabilities.",)
    return "logits", ("Its answers are taken for logits: nothing at its end makes them probabilities, and they do not sum to 1.",)
