"""The two panels that summarise all maps: what the families have in common, and how many families choose each place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.formatting import format_count_with_noun
from app.page.views.alt_text import FAMILIES, FAMILY_HELP, strongest_place_sentence
from app.page.views.image_data_uris import map_data_uri
from app.rendering import quantise_map
from app.service.request import ExplanationState
from explainers.grid import grid_cells_per_side
from explainers.method import Family
from explainers.metrics.agreement.consensus import consensus_map, count_family_votes
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid

Found = dict[str, MapEvidence]
Panel = dict[str, Any]
ONE_FAMILY = "One family only: its methods ask nearly the same question, so this is no agreement."


def maps_on_common_grid(report: ExplanationState) -> Found:
    """The maps so far on the picture's common grid, by the method's key."""
    if report.image is None:
        return {}
    size = report.image.shape[:2]
    found = {key: evidence_on_grid(result, (size[0], size[1])) for key, result in report.results.items()}
    return {key: each for key, each in found.items() if each is not None}


def summary_panels_view(report: ExplanationState, found: Found) -> list[Panel]:
    """The last two panels: the consensus, and the votes of the families."""
    families = sorted({each.family for each in found.values() if each.share is not None})
    return [_consensus(report, found, families), _agreement(report, found, families)]


def _consensus(report: ExplanationState, found: Found, families: Sequence[Family]) -> Panel:
    panel = _empty(report, "Consensus", "What they share", FAMILY_HELP["all"]) | {"switch": "How many kinds choose each place"}
    shared = consensus_map(list(found.values())) if found else None
    if shared is None:
        return panel
    codes = quantise_map(shared, signed=False)
    note = ", ".join(FAMILIES[family] for family in families)
    return panel | {
        "state": "summary",
        "word": f"of {format_count_with_noun(len(families), 'kind')} of method",
        "alt": "What they share: " + strongest_place_sentence("what the kinds of method have in common", shared.astype(np.float32)),
        "map": map_data_uri(codes.tobytes(), lambda: codes),
        "note": note if len(families) > 1 else f"{note}. {ONE_FAMILY}",
    }


def _agreement(report: ExplanationState, found: Found, families: Sequence[Family]) -> Panel:
    panel = _empty(report, "Votes", "How many kinds choose each place", FAMILY_HELP["votes"]) | {"switch": "What they share"}
    if not families or report.image is None:
        return panel
    count = count_family_votes(list(found.values()))
    codes = np.round(255 * count / len(families)).astype(np.uint8)
    cells, most = grid_cells_per_side(report.image.shape[:2]) ** 2, int(count.max())
    places = int((count == most).sum())
    votes_sentence = f"{format_count_with_noun(places, 'place')} of {cells} chosen by {most} of {len(families)} kinds of method"
    return panel | {
        "state": "summary",
        "word": f"up to {most} of {len(families)}",
        "alt": f"How many kinds choose each place: {votes_sentence}, each choosing its strongest tenth.",
        "map": map_data_uri(codes.tobytes() + b"votes", lambda: codes),
        "note": f"{votes_sentence}." if len(families) > 1 else ONE_FAMILY,
        "votes": len(families),
    }


def _empty(report: ExplanationState, name: str, title: str, about: str) -> Panel:
    waiting = "stopped" if report.final else "computing" if report.state == "running" else "waiting"
    panel: Panel = {
        "id": name,
        "title": title,
        "family": "What they share" if name == "Consensus" else "Votes",
        "summary": True,
        "help": about,
        "word": waiting,
        "state": waiting,
    }
    panel |= {"signed": False, "map": "", "cost": "", "time": "", "note": "", "alt": f"{title}: {waiting}."}
    return panel | {"final": report.final, "version": report.evaluations}
