"""The picture explained, and the examples on offer."""

from collections.abc import Sequence
from typing import Any

from app.page.views.images import evidence_outline_data_uri, thumbnail_data_uri
from app.page.views.page_state import PageState
from app.service.example_gallery import ExamplePicture
from app.service.request import ExplanationState


def picture_view(state: PageState) -> dict[str, Any]:
    """The picture's title, source and examples; and the outline of its evidence, where that is known."""
    report, example = state.report, state.example
    assert report is not None
    chosen = report.request.picture
    title = example.title if example else chosen.name
    size = f" · seen at {report.image.shape[1]} × {report.image.shape[0]} pixels" if report.image is not None else ""
    return {
        "run": state.run,
        "alt": f"The picture explained: {title}",
        "facts": title + size,
        "caption": example.caption if example else "",
        "credit": example.credit if example else "",
        "notes": " ".join(report.picture_notes),
        "page": chosen.page,
        "pages": report.pages,
        "error": report.error if report.place == "picture" else "",
        "example": chosen.example,
        "examples": _thumbs(state.examples),
        "truth": _truth(example, report),
    }


def empty_picture_view(state: PageState) -> dict[str, Any]:
    """Before there is a picture: the examples."""
    return {"run": state.run, "examples": _thumbs(state.examples)}


def _thumbs(examples: Sequence[ExamplePicture]) -> list[dict[str, str]]:
    return [{"id": each.picture.example, "title": each.title, "thumb": thumbnail_data_uri(each.thumb)} for each in examples]


def _truth(example: ExamplePicture | None, report: ExplanationState) -> str:
    """The outline of the evidence for the picture's class, where it is known."""
    if example is None or example.evidence is None or report.photo is None or report.card is None:
        return ""
    return evidence_outline_data_uri(example.evidence, report.photo.shape[:2], report.card.fit)
