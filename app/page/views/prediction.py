"""The classifier's answer in a sentence, and the likeliest classes as bars."""

from typing import Any

import numpy as np

from app.formatting import format_probability, format_quantity
from app.page.views.alt_text import short_class_names
from app.page.views.page_state import PageState
from app.service.request import ExplanationState
from examples import examples_for
from models.cards.card import Card, ClassLabel
from models.cards.metadata import describe_metadata
from models.inspection.preprocessing_alternatives import describe_alternatives

BARS = 5
Value = dict[str, Any]


def prediction_view(report: ExplanationState, run: int) -> Value:
    """The class explained is always among the bars."""
    if report.probabilities is None or report.card is None:
        return {"run": run, "bars": []}
    if report.card.head == "number":
        return _number_view(report, report.card, run)
    labels, values, target, names = report.card.labels, report.probabilities, report.target, short_class_names(report.card.labels)
    shown = likeliest_classes(report)
    bars = [
        {
            "index": index,
            "label": names[index],
            "share": format_probability(float(values[index])),
            "size": round(float(values[index]), 4),
            "description": _in_full(labels[index], names[index]),
            "explained": index == target,
            "rather": index == report.request.rather_than,
        }
        for index in shown
    ]
    return {
        "run": run,
        "classifier": report.card.name,
        "bars": bars,
        "note": _calibration(report),
        "caution": not _measured(report) and report.card.temperature != 1.0,
        "about": _explained(report),
    }


def preprocessing_guess_view(report: ExplanationState, run: int) -> Value:
    """Where how the classifier wants its pictures is a guess: a notice, and what other usual ways would predict; else empty."""
    found = report.alternatives
    return {"run": run, "guess": {**found.to_json(), "text": describe_alternatives(found)} if found else None}


def _number_view(report: ExplanationState, card: Card, run: int) -> Value:
    """A measured quantity: its value beside a bar of no length."""
    assert report.probabilities is not None
    bars = [
        {
            "index": index,
            "label": label.name,
            "share": format_quantity(float(value), card.unit),
            "size": 0.0,
            "description": label.description,
            "explained": index == report.target,
            "rather": False,
        }
        for index, (label, value) in enumerate(zip(card.labels, report.probabilities, strict=True))
    ]
    return {
        "run": run,
        "classifier": card.name,
        "bars": bars,
        "note": "This is a number, not a probability. How far it can be trusted is not known here.",
        "caution": False,
        "about": f"The maps show what raises “{card.labels[report.target or 0].name}” and what lowers it.",
    }


def empty_prediction_view(state: PageState) -> Value:
    """Before there is a picture: no bar."""
    return {"run": state.run, "bars": []}


def likeliest_classes(report: ExplanationState) -> list[int]:
    """The indices of the likeliest classes, in order, then those of the class explained and of the second class, where they are missing."""
    assert report.probabilities is not None
    first = [int(index) for index in np.argsort(-report.probabilities, kind="stable")[:BARS]]
    return first + [index for index in (report.target, report.request.rather_than) if index is not None and index not in first]


def _in_full(label: ClassLabel, shown: str) -> str:
    """What a class's full name and description add to the name on the screen."""
    full = f"{label.name}." if label.name != shown else ""
    return f"{full} {label.description}".strip()


def _calibration(report: ExplanationState) -> str:
    """What the confidence was measured on; for any other kind of picture it promises nothing."""
    card = report.card
    assert card is not None
    if card.temperature == 1.0:
        return "Confidence is the classifier's own and was not calibrated; it may be too sure of itself."
    known = card.measured_on or "its own test pictures"
    words = "The confidence's temperature was fitted on validation pictures"
    if card.calibration_error is not None:
        words += f"; on {known}, its measured calibration error is {card.calibration_error:.3f}"
    words += "."
    return words if _measured(report) else f"{words} It says nothing about pictures of another kind, and this may be one."


def _measured(report: ExplanationState) -> bool:
    """Whether the picture is of the kind that the classifier was measured on: only its own examples are known to be."""
    picture, classifier = report.request.picture, report.request.classifier
    return bool(picture.example) and any(example.name == picture.example for example in examples_for(classifier))


def _explained(report: ExplanationState) -> str:
    card, target = report.card, report.target
    assert card is not None
    if target is None:
        return ""
    names = short_class_names(card.labels)
    other = report.request.rather_than
    words = f"The maps explain “{names[target]}”" + (f" rather than “{names[other]}”." if other is not None else ".")
    metadata = f"Beside the picture the classifier is told: {describe_metadata(card.metadata, {})}." if card.metadata else ""
    return " ".join(part for part in (words, metadata) if part)
