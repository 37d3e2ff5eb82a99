"""The two panels that summarise all maps: what the families have in common, and how many families choose each place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.formatting import plural
from app.page.views.alt_text import FAMILIES, FAMILY_HELP, place_sentence
from app.page.views.images import codes_uri
from app.rendering import scaled
from app.service.request import ExplanationState
from explainers.grid import grid_cells
from explainers.method import Family
from explainers.metrics.agreement.consensus import consensus, votes
from explainers.metrics.agreement.similarity import Evidence, evidence

Found = dict[str, Evidence]
Panel = dict[str, Any]
ONE_FAMILY = "One family only: its methods ask nearly the same question, so this is no agreement."


def evidence_of(report: ExplanationState) -> Found:
    """The maps so far on the picture's common grid, by the method's key."""
    if report.image is None:
        return {}
    size = report.image.shape[:2]
    found = {key: evidence(result, (size[0], size[1])) for key, result in report.results.items()}
    return {key: each for key, each in found.items() if each is not None}


def summaries(report: ExplanationState, found: Found) -> list[Panel]:
    """The last two panels."""
    families = sorted({each.family for each in found.values() if each.share is not None})
    return [_consensus(report, found, families), _agreement(report, found, families)]


def _consensus(report: ExplanationState, found: Found, families: Sequence[Family]) -> Panel:
    panel = _empty(report, "Consensus", "Consensus", FAMILY_HELP["all"])
    shared = consensus(list(found.values())) if found else None
    if shared is None:
        return panel
    codes = scaled(shared, signed=False)
    note = ", ".join(FAMILIES[family] for family in families)
    return panel | {
        "state": "summary",
        "word": f"of {len(families)} {'family' if len(families) == 1 else 'families'}",
        "alt": "Consensus: " + place_sentence("what the families of methods have in common", shared.astype(np.float32)),
        "map": codes_uri(codes.tobytes(), lambda: codes),
        "note": note if len(families) > 1 else f"{note}. {ONE_FAMILY}",
    }


def _agreement(report: ExplanationState, found: Found, families: Sequence[Family]) -> Panel:
    panel = _empty(report, "Votes", "Family votes", FAMILY_HELP["votes"])
    if not families or report.image is None:
        return panel
    count = votes(list(found.values()))
    codes = np.round(255 * count / len(families)).astype(np.uint8)
    cells, most = grid_cells(report.image.shape[:2]) ** 2, int(count.max())
    places = int((count == most).sum())
    votes_sentence = f"{plural(places, 'place')} of {cells} chosen by {most} of {len(families)} families"
    return panel | {
        "state": "summary",
        "word": f"up to {most} of {len(families)}",
        "alt": f"Family votes: {votes_sentence}, each choosing its strongest tenth.",
        "map": codes_uri(codes.tobytes() + b"votes", lambda: codes),
        "note": f"{votes_sentence}." if len(families) > 1 else ONE_FAMILY,
        "votes": len(families),
    }


def _empty(report: ExplanationState, name: str, title: str, about: str) -> Panel:
    waiting = "stopped" if report.final else "computing" if report.state == "running" else "waiting"
    panel: Panel = {"id": name, "title": title, "family": "all families", "help": about, "word": waiting, "state": waiting}
    panel |= {"signed": False, "map": "", "cost": "", "time": "", "note": "", "alt": f"{title}: {waiting}."}
    return panel | {"final": report.final, "version": report.evaluations}
