"""The rail: the examples on offer, and the pictures of this visit."""

from collections.abc import Sequence
from typing import Any

from app.page.views.image_data_uris import evidence_outline_data_uri, thumbnail_data_uri
from app.page.views.page_state import PageState
from app.service.example_gallery import ExamplePicture
from app.service.request import ExplanationState


def picture_view(state: PageState) -> dict[str, Any]:
    """The examples, the pictures of this visit, and the outline of the evidence of the one explained, where that is known."""
    report, example = state.report, state.example
    assert report is not None
    return {
        "run": state.run,
        "error": report.error if report.place == "picture" else "",
        "example": report.request.picture.example,
        "examples": _thumbs(state.examples),
        "visited": _visited(state),
        "truth": _truth(example, report),
    }


def empty_picture_view(state: PageState) -> dict[str, Any]:
    """Before there is a picture: the examples."""
    return {"run": state.run, "examples": _thumbs(state.examples), "visited": _visited(state)}


def _thumbs(examples: Sequence[ExamplePicture]) -> list[dict[str, str]]:
    return [{"id": each.picture.example, "title": each.title, "thumb": thumbnail_data_uri(each.thumb)} for each in examples]


def _visited(state: PageState) -> list[dict[str, Any]]:
    current = state.report.request.picture if state.report else None
    return [
        {
            "id": each.key,
            "title": each.request.picture.name,
            "thumb": thumbnail_data_uri(each.thumb),
            "current": each.request.picture == current,
        }
        for each in state.visits
    ]


def _truth(example: ExamplePicture | None, report: ExplanationState) -> str:
    """The outline of the evidence for the picture's class, where it is known."""
    if example is None or example.evidence is None or report.photo is None or report.card is None:
        return ""
    return evidence_outline_data_uri(example.evidence, report.photo.shape[:2], report.card.fit)
