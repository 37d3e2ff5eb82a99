"""Under the second question: the visitor's region, and how much of each map lies in it."""

from typing import Any

from app.page.views.evidence import SOURCES
from app.page.views.image_data_uris import mask_outline_data_uri
from app.page.views.page_state import PageState, Rows
from app.service.regions import EvidenceRegion
from app.service.request import ExplanationState
from explainers.metrics.localisation.evidence_overlap import LocalisationScore

LEAD = (
    "Draw the place that should matter, take the known evidence of an example, or upload a mask (white where the evidence is). "
    "Each map is then measured against it, beside what needs no explanation: an even map, the middle pixel, a bell over the middle."
)
READ = (
    "A map that knows something lies clearly above all three baselines. Energy inside: the share of the map's positive part in the region. "
    "IoU: overlap of the region with as many of the map's strongest pixels. Rank accuracy: the share of those that lie in the region. "
    "Points: whether the peak lies within a sixteenth of the picture's side of it."
)
COLUMNS = ("Energy inside", "IoU", "Rank accuracy", "Points")


def region_view(state: PageState) -> dict[str, Any]:
    """The region of the picture that is explained, and its table."""
    assert state.report is not None
    known = state.example is not None and state.example.evidence is not None
    return region_score_table(state.report, state.run, state.region, state.region_rows, known)


def region_score_table(report: ExplanationState, run: int, region: EvidenceRegion | None, rows: Rows, known: bool) -> dict[str, Any]:
    """known: whether the example's evidence is known, so that it can be taken as the region."""
    value: dict[str, Any] = {
        "run": run,
        "lead": LEAD,
        "known": known,
        "columns": COLUMNS,
        "rows": [],
        "outline": "",
        "sentence": "",
        "read": READ,
    }
    if report.image is not None:
        value |= {"width": report.image.shape[1], "height": report.image.shape[0]}
    if region is None:
        return value
    found = [_row(each, False) for each in rows[0]] + [_row(each, True) for each in rows[1]]
    sentence = f"{SOURCES[region.source]} covers {100 * region.area:.1f} % of the picture."
    return value | {"rows": found, "outline": mask_outline_data_uri(region.mask), "sentence": sentence}


def _row(each: LocalisationScore, baseline: bool) -> dict[str, Any]:
    numbers = (each.energy, each.overlap, each.ranks, each.points)
    return {"title": each.title, "baseline": baseline, "cells": ["–" if number is None else f"{number:.3f}" for number in numbers]}
