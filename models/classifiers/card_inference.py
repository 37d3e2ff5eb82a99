"""Infers the card of a model that has none: from its input, its last operations, its outputs, and what lies next to it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import LONGEST_NAME, Card, CardNote, ClassLabel, Head
from models.classifiers.label_file import read_class_names
from models.graph.keras_hints import ExpectedPreprocessing, preprocessing_by_backbone
from models.graph.model_inputs import read_model_inputs
from models.graph.model_trace import ModelTrace
from models.graph.probes import count_model_outputs, first_convolution_slope, outputs_for_probe_images, rows_sum_to_one, trace_model

DEFAULT_SIZE = 224
_DIVIDES = 1 / 20  # a first convolution that sees less of the input's values than this is fed 0 to 255


def infer_model_card(model: Any, path: Path) -> tuple[ModelTrace, Card]:
    """The traced model and its inferred card, whose notes say what was assumed and why. UserError where none fits."""
    inputs = read_model_inputs(model, path.name)
    (height, width), channels = inputs.largest.size, inputs.largest.channels
    draft = Card(
        name=(path.parent.name if path.stem in ("model", "keras_model") else path.stem)[:LONGEST_NAME],
        labels=(ClassLabel("0"), ClassLabel("1")),
        size=(height or DEFAULT_SIZE, width or DEFAULT_SIZE),
        colour="grey" if channels == 1 else "rgb",
        inferred=True,
    )
    trace = trace_model(model, draft, path.name)
    slope = first_convolution_slope(trace)
    expected = _expected_input(model, slope)
    colour = draft.colour if channels == 1 else expected.colour
    draft = dataclasses.replace(draft, scaling=expected.scaling, colour=colour)
    if expected.scaling != "0..1":
        trace = trace_model(model, draft, path.name)
    head, why = _head(trace, outputs_for_probe_images(trace, path.name), path.name)
    names = read_class_names(path, max(count_model_outputs(trace, path.name), 2))
    notes = (scaling_note(expected.scaling, expected.because, slope is not None and slope < _DIVIDES), *why, *inputs.notes, *names.notes)
    return trace, dataclasses.replace(draft, labels=names.labels, head=head, notes=notes)


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


def _head(trace: ModelTrace, raw: NDArray[np.float64], name: str) -> tuple[Head, tuple[str, ...]]:
    count, activation = count_model_outputs(trace, name), trace.head.activation
    if count == 1 and activation != "sigmoid":
        ending = "a softmax over it, which is always 1" if activation else "no sigmoid"
        raise UserError(f"{name} gives one number with {ending}; write a card with head 'sigmoid' if it is a probability.")
    if activation == "sigmoid":
        return ("sigmoid" if count == 1 else "multi-label"), ()
    if activation == "softmax":
        return "softmax", ()
    if rows_sum_to_one(raw):
        return "softmax", ("No softmax was found at its end, but its answers sum to 1: logits are taken from its probabilities.",)
    return "logits", ("Its answers are taken for logits: nothing at its end makes them probabilities, and they do not sum to 1.",)
