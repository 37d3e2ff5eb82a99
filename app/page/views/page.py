"""A report becomes what the page shows: `paint(report)` gives each part's value, and nothing else decides what is seen."""

from typing import Any

from app.formatting import format_estimate
from app.page.views.agreement import table_of
from app.page.views.alt_text import duration, format_probability, plural, short_names
from app.page.views.bars import likeliest
from app.page.views.deletion_curves import slides
from app.page.views.images import photo_uri, seen_uri
from app.page.views.panels import panels_of
from app.page.views.summaries import Found, evidence_of, summaries
from app.service.request import ExplanationState
from examples import examples_for
from models.cards.card import Label
from models.cards.metadata import describe

Value = dict[str, Any]


def render_page(report: ExplanationState, run: int) -> dict[str, Value]:
    """The parts that follow the report alone: prediction, status, grid, agreement and slides."""
    found = evidence_of(report)
    return {
        "status": status(report, run),
        "prediction": prediction(report, run),
        "grid": grid(report, found, run),
        "agreement": {"run": run, **table_of(report)},
        "slides": slides(report, run),
    }


def status(report: ExplanationState, run: int) -> Value:
    """One line: what is running, how far, how long still. answered: comes back with every event, and tells that the page shows this."""
    text = _now(report)
    error = report.error if report.place != "picture" else ""
    spoken = text if report.final or report.state in ("loading", "queued") else _milestone(report)
    line = {"run": run, "state": report.state, "text": text, "spoken": spoken, "share": round(_done_share(report), 3), "error": error}
    return line | {"answered": True}


def prediction(report: ExplanationState, run: int) -> Value:
    """The classifier's answer in a sentence, and the likeliest classes as bars; the class explained is among them."""
    if report.probabilities is None or report.card is None:
        return {"run": run, "sentence": "Loading the classifier…" if report.state == "loading" else "", "bars": []}
    labels, values, target, names = report.card.labels, report.probabilities, report.target, short_names(report.card.labels)
    shown = likeliest(report)
    top = shown[0]
    bars = [
        {
            "index": index,
            "label": names[index],
            "share": format_probability(float(values[index])),
            "size": round(float(values[index]), 4),
            "description": _in_full(labels[index], names[index]),
            "explained": index == target,
            "rather": index == report.question.rather_than,
        }
        for index in shown
    ]
    return {
        "run": run,
        "classifier": report.card.name,
        "sentence": f"The classifier says “{names[top]}”: confidence {format_probability(float(values[top]))}.",
        "bars": bars,
        "note": _calibration(report),
        "caution": not _measured(report) and report.card.temperature != 1.0,
        "about": _explained(report),
    }


def grid(report: ExplanationState, found: Found, run: int) -> Value:
    """The panels, and the picture that lies under every map."""
    picture: Value = {}
    if report.image is not None and report.photo is not None:
        height, width = report.image.shape[:2]
        picture = {"photo": photo_uri(report.photo), "seen": seen_uri(report.image), "width": width, "height": height}
    panels = [*panels_of(report), *summaries(report, found)] if picture or not report.final else []
    return {"run": run, "picture": picture, "panels": panels}


def error_status(words: str, run: int, answered: bool) -> dict[str, Value]:
    """A sentence where there is no report: a picture that is gone, a class that does not exist, too many visitors."""
    return {"status": {"run": run, "state": "failed", "text": "", "spoken": "", "share": 0, "error": words, "answered": answered}}


def _now(report: ExplanationState) -> str:
    done, planned = sum(r.done for r in report.results.values()), len(report.question.methods)
    if report.state == "loading":
        return "Loading the classifier; TensorFlow takes some seconds the first time."
    if report.state == "looking":
        return "The classifier looks at the picture."
    if report.state == "queued":
        ahead = f"{plural(report.ahead, 'explanation')} before yours" if report.ahead else "yours is next"
        return f"Waiting for the classifier: {ahead}."
    if report.state == "running":
        left = _seconds_left(report)
        return f"{done} of {planned} maps finished · {plural(report.evaluations, 'evaluation')}" + (
            f" · {format_estimate(left)} left" if left >= 0.75 else ""
        )
    if report.state == "failed":
        return "Not explained."
    verb = "Stopped" if report.state == "stopped" else "Finished"
    text = f"{verb}: {_maps(report)} of {planned} maps, {plural(report.evaluations, 'evaluation')} in {duration(report.seconds)}."
    return text + (" Worked out beforehand." if report.stored else "")


def _maps(report: ExplanationState) -> int:
    return sum(result.attribution is not None for result in report.results.values())


def _milestone(report: ExplanationState) -> str:
    """What a screen reader is told while maps come: not every number, only that it has begun."""
    return "Explaining." if report.state == "running" else ""


def _done_share(report: ExplanationState) -> float:
    if report.state == "done":
        return 1.0
    planned = len(report.question.methods) or 1
    finished = sum(result.done for result in report.results.values()) / planned
    spent = report.evaluations / report.expected if report.expected else 0.0
    return min(0.98, max(finished, spent)) if report.state in ("running", "stopped") else 0.0


def _seconds_left(report: ExplanationState) -> float:
    """From the pace so far once a few evaluations are done, from the forecast before."""
    if report.evaluations < 20:
        return max(0.0, report.expected_seconds - report.elapsed)
    return report.elapsed / report.evaluations * max(0, report.expected - report.evaluations)


def _in_full(label: Label, shown: str) -> str:
    """What a class's own words add to the name on the screen."""
    full = f"{label.name}." if label.name != shown else ""
    return f"{full} {label.description}".strip()


def _calibration(report: ExplanationState) -> str:
    """What the confidence was measured on; on any other kind of picture it promises nothing."""
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
    """Whether the picture is of the kind that the classifier's card speaks of: only its own examples are known to be."""
    picture, classifier = report.question.picture, report.question.classifier
    return bool(picture.example) and any(example.name == picture.example for example in examples_for(classifier))


def _explained(report: ExplanationState) -> str:
    card, target = report.card, report.target
    assert card is not None
    if target is None:
        return ""
    label, names = card.labels[target], short_names(card.labels)
    other = report.question.rather_than
    words = f"The maps explain “{names[target]}”" + (f" rather than “{names[other]}”." if other is not None else ".")
    beside = f"Beside the picture the classifier is told: {describe(card.metadata, {})}." if card.metadata else ""
    return " ".join(part for part in (words, label.description, beside) if part)
