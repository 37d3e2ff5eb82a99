"""The card of a forward-only network: inferred from its outputs, or checked against them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.cards.card import LONGEST_NAME, Card, ClassLabel, Head
from models.cards.preprocessor_file import read_preprocessor_file
from models.cards.sidecar_files import PREPROCESSOR
from models.classifiers.card_inference import A_NUMBER, DEFAULT_SIZE, class_names_of_head, scaling_note
from models.graph.model_inputs import ModelInputStructure
from models.graph.runtime_network import RuntimeNetwork

_TEACHABLE_MACHINE = ("model_unquant.tflite", "vww_96_grayscale_quantized.tflite")


def draft_model_card(network: RuntimeNetwork, inputs: ModelInputStructure, path: Path) -> Card:
    """The card as far as the file itself determines it, before any evaluation."""
    (height, width), channels = inputs.largest.size, inputs.largest.channels
    scaling, because = (
        network.scaling or "0..1",
        "its quantised input can hold just that" if network.scaling else "nothing in the file says",
    )
    said = read_preprocessor_file(path)
    if said and said.size:
        height, width = height or said.size[0], width or said.size[1]
    if said and said.scaling and not network.scaling:
        scaling, because = said.scaling, f"{PREPROCESSOR} beside it says so"
    elif inputs.largest.of_bytes:
        scaling, because = "0..255", "its input takes whole numbers of 0 to 255"
    elif not network.scaling and Path(network.name).name in _TEACHABLE_MACHINE:
        scaling, because = "-1..1", "Teachable Machine calls its exports so, which take that"
    known = bool(network.scaling) or inputs.largest.of_bytes
    noted = [said.note] if said and said.note else []
    return Card(
        name=(path.parent.name if path.stem in ("model", "model_unquant") else path.stem)[:LONGEST_NAME],
        labels=(ClassLabel("0"), ClassLabel("1")),
        size=(height or DEFAULT_SIZE, width or DEFAULT_SIZE),
        colour="grey" if channels == 1 else "rgb",
        scaling=scaling,  # type: ignore[arg-type]
        inferred=True,
        notes=(
            scaling_note(scaling, because, known),
            *inputs.notes,
            *network.choice.notes,
            *noted,
        ),
    )


def complete_model_card(card: Card, network: RuntimeNetwork, raw: NDArray[np.floating[Any]], path: Path) -> Card:
    """The draft with head and labels. raw: (n, units), the network's outputs for the probe pictures."""
    head, why = _head(network, raw, path.name)
    several = len(network.choice.names) > 1
    names = class_names_of_head(path, head, network.units, several, network.classes)
    card = replace(card, labels=names.labels, head=head, output=network.choice.name if several else "")
    return replace(card, notes=(*card.notes, *why, *names.notes))


def check_card_matches_network(card: Card, network: RuntimeNetwork, raw: NDArray[np.floating[Any]], name: str) -> None:
    """UserError where the card contradicts the network."""
    if network.units != (1 if card.head == "sigmoid" else len(card.labels)):
        raise UserError(
            f"The card has {len(card.labels)} labels and head '{card.head}', but {name} gives {network.units} numbers; "
            "fix 'labels' or 'head'."
        )
    if not np.isfinite(raw).all():
        raise UserError(f"{name} answers with numbers that are not finite; its weights are damaged, or the card's scaling overflows it.")
    if card.head not in ("logits", "number") and (not _within(raw) or (card.head == "softmax" and not _sum_to_one(network, raw))):
        seen = f"{raw.min():.3g} to {raw.max():.3g}"
        raise UserError(f"The card says head '{card.head}', but {name} answers with {seen}, no probabilities; fix 'head' to 'logits'.")


def _head(network: RuntimeNetwork, raw: NDArray[np.floating[Any]], name: str) -> tuple[Head, tuple[str, ...]]:
    if network.units == 1:
        if not _within(raw):
            return "number", (A_NUMBER,)
        return "sigmoid", ("Its one number lies in 0..1 and is taken for the probability of the second class.",)
    if _within(raw) and _sum_to_one(network, raw):
        return "softmax", ("Its answers sum to 1 and are taken for probabilities: logits are taken from them.",)
    if _within(raw):
        return "multi-label", ("Its answers lie in 0..1 and do not sum to 1: each is taken for the probability of its class alone.",)
    return "logits", ("Its answers are taken for logits: they do not sum to 1.",)


def _within(raw: NDArray[np.floating[Any]]) -> bool:
    return bool(raw.min() >= -1e-3 and raw.max() <= 1 + 1e-3)


def _sum_to_one(network: RuntimeNetwork, raw: NDArray[np.floating[Any]]) -> bool:
    """Each quantised output may be off by half a step."""
    slack = max(2e-3, min(0.1, network.units * network.step / 2))
    return bool(np.abs(raw.sum(axis=1) - 1).max() <= slack)
