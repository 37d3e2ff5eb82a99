"""Builds a classifier from a Keras model in memory, and checks that the model and its card match."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import Card
from models.classifiers.card_inference import infer_model_card
from models.classifiers.keras_classifier import KerasClassifier
from models.graph.model_inputs import read_model_inputs
from models.graph.model_trace import TracedModelGraph
from models.graph.probe_images import count_model_outputs, non_finite_weights, outputs_for_probe_images, rows_sum_to_one, trace_keras_model


def build_classifier(model: Any, card: Card | None, path: Path) -> KerasClassifier:
    """A classifier from a Keras model in memory (Keras 2 or 3); without a card one is inferred. UserError where they do not fit.

    path: of the model; its name is used in messages, and labels.txt is searched next to it.
    """
    if card is None:
        trace, card = infer_model_card(model, path)
    else:
        read_model_inputs(model, path.name).check_card(card, path.name)
        trace = trace_keras_model(model, card, path.name)
        _check_output(card, trace, path.name)
    _check_answers(card, outputs_for_probe_images(trace, path.name), trace, path.name)
    made = KerasClassifier(trace, card)
    made.rebuild = lambda head: build_classifier(model, _card_of_head(model, card, path, head), path)
    _ = made.default_layers  # reports a missing layer of the card now, not at the first map
    return made


def _card_of_head(model: Any, card: Card, path: Path, head: str) -> Card:
    """The card of another of the model's outputs: it says the same of the pictures, and of the answer what is inferred."""
    _, inferred = infer_model_card(model, path, head)
    if card.inferred:
        return inferred
    return replace(
        card, output=head, labels=inferred.labels, head=inferred.head, unit="", temperature=1.0, accuracy=None, calibration_error=None
    )


def _check_output(card: Card, trace: TracedModelGraph, name: str) -> None:
    numbers = count_model_outputs(trace, name)
    if numbers != (1 if card.head == "sigmoid" else len(card.labels)):
        raise UserError(
            f"The card has {len(card.labels)} labels and head '{card.head}', but {name} gives {numbers} numbers; fix 'labels' or 'head'."
        )
    fitting = {"softmax": ("softmax",), "sigmoid": ("sigmoid", "multi-label")}.get(trace.head.activation)
    if fitting and card.head not in (*fitting, "number"):
        raise UserError(f"The card says head '{card.head}', but {name} ends in a {trace.head.activation}; fix the card's 'head'.")


def _check_answers(card: Card, raw: NDArray[np.float64], trace: TracedModelGraph, name: str) -> None:
    """raw: the model's outputs for the probe pictures. Outputs that contradict the head are refused, not converted."""
    if not np.isfinite(raw).all():
        weights = [f"{weight} ({share:.0%} of it)" for weight, share in non_finite_weights(trace)]
        why = f"so are some of its weights, {', '.join(weights[:3])}: save or download it again" if weights else "its scaling overflows it"
        raise UserError(f"{name} answers with numbers that are not finite; {why}.")
    if trace.head.activation or card.head in ("logits", "number"):
        return
    if raw.min() < -1e-3 or raw.max() > 1 + 1e-3 or (card.head == "softmax" and not rows_sum_to_one(raw)):
        seen = f"{raw.min():.3g} to {raw.max():.3g}"
        raise UserError(f"The card says head '{card.head}', but {name} answers with {seen}, no probabilities; fix 'head' to 'logits'.")
