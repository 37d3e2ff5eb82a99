"""The status line: what is running, how far it is, and how long it will still take."""

from typing import Any

from app.formatting import format_count_with_noun, format_duration, format_estimated_time
from app.service.request import ExplanationState
from explainers.explanation_case import PRESETS

Value = dict[str, Any]


def status_view(report: ExplanationState, run: int) -> Value:
    """answered: comes back with every event and says that the page shows this."""
    text = _now(report)
    error = report.error if report.place != "picture" else ""
    spoken = text if report.final or report.state in ("loading", "queued") else _milestone(report)
    line = {"run": run, "state": report.state, "text": text, "spoken": spoken, "share": round(_done_share(report), 3), "error": error}
    return line | {"answered": True}


def error_status_view(sentence: str, run: int, answered: bool) -> Value:
    """A sentence where there is no report: a picture that is gone, a class that does not exist, too many visitors."""
    return {"run": run, "state": "failed", "text": "", "spoken": "", "share": 0, "error": sentence, "answered": answered}


def _now(report: ExplanationState) -> str:
    done, planned = sum(r.done for r in report.results.values()), len(report.request.methods)
    if report.state == "loading":
        return "Loading the classifier; TensorFlow takes some seconds the first time."
    if report.state == "looking":
        return "The classifier looks at the picture."
    if report.state == "queued":
        ahead = f"{format_count_with_noun(report.ahead, 'explanation')} before yours" if report.ahead else "yours is next"
        return f"Waiting for the classifier: {ahead}."
    if report.state == "running":
        left = _seconds_left(report)
        return f"{done} of {planned} maps finished · {format_count_with_noun(report.evaluations, 'evaluation')}" + (
            f" · {format_estimated_time(left)} left" if left >= 0.75 else ""
        )
    if report.state == "failed":
        return "Not explained."
    verb = "Stopped" if report.state == "stopped" else "Finished"
    evaluations = format_count_with_noun(report.evaluations, "evaluation")
    text = f"{verb}: {_maps(report)} of {planned} maps, {evaluations} in {format_duration(report.seconds)}."
    return text + _reduction(report) + (" Worked out beforehand." if report.stored else "")


def _reduction(report: ExplanationState) -> str:
    """What was left out so that every method ended in time."""
    usual = PRESETS[report.request.preset]
    if not report.budget or report.budget >= usual or report.request.further:
        return ""
    return f" To end in time, each method had at most {report.budget:,} evaluations instead of {usual:,}; its map may be rougher."


def _maps(report: ExplanationState) -> int:
    return sum(result.attribution is not None for result in report.results.values())


def _milestone(report: ExplanationState) -> str:
    """What a screen reader announces while maps come: not every number, only that it has begun."""
    return "Explaining." if report.state == "running" else ""


def _done_share(report: ExplanationState) -> float:
    if report.state == "done":
        return 1.0
    planned = len(report.request.methods) or 1
    finished = sum(result.done for result in report.results.values()) / planned
    spent = report.evaluations / report.expected if report.expected else 0.0
    return min(0.98, max(finished, spent)) if report.state in ("running", "stopped") else 0.0


def _seconds_left(report: ExplanationState) -> float:
    """From the speed so far once a few evaluations are done, before that from the forecast."""
    if report.evaluations < 20:
        return max(0.0, report.expected_seconds - report.elapsed)
    return report.elapsed / report.evaluations * max(0, report.expected - report.evaluations)
