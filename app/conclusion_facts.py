"""Gathers the facts that the three lines rest on from what the metrics found on one picture and from the classifier's report card."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.conclusion import AgreementFacts, ConclusionFacts, HidingFacts, ReportCardFacts, overall_agreement_level
from app.model_files import model_identity, read_report_card_of_model
from app.place_words import edge_words, place_words
from app.report_cards import method_revisions
from errors import UserError
from explainers.method_runner import MethodResult
from explainers.metrics.agreement.consistency import MapConsistency
from explainers.metrics.agreement.significance import AgreementLevel
from explainers.metrics.faithfulness.hidden_place import HiddenPlaceResult, consensus_of_results, strongest_place
from explainers.report_card.map_recommendation import found_shares_by_title, recommended_map
from explainers.report_card.recommendation_gate import read_recommendation_gate
from explainers.report_card.report_card_file import ReportCard

if TYPE_CHECKING:
    from models.loading import Served

Place = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class PictureFindings:
    """What was found on one picture. labels, size: the classifier's. target: the class that is explained.

    consistency: None before the maps were compared. hidden: the consensus's place, hidden by itself; may be empty.
    """

    labels: Sequence[str]
    size: tuple[int, int]
    target: int
    results: Sequence[MethodResult]
    consistency: MapConsistency | None
    hidden: Sequence[HiddenPlaceResult]


def usable_report_card(model: str, classifier: "Served") -> ReportCard | None:
    """The report card beside the model, where it is of this model and these methods and has cases enough to speak of."""
    try:
        card = read_report_card_of_model(model)
    except UserError:
        return None
    made_with = {"model": model_identity(model, classifier), "methods": method_revisions()}
    return card if card is not None and card.conclusive and not card.mismatch(made_with) else None


def gather_conclusion_facts(found: PictureFindings, card: ReportCard | None) -> ConclusionFacts:
    """Everything that `conclude_from_facts` words. card: of this classifier, as `usable_report_card` gives it."""
    share = consensus_of_results(found.results, found.size)
    place = None if share is None else strongest_place(share, found.size)
    label = found.labels[found.target]
    agreement = None if place is None or found.consistency is None else _agreement(found.consistency, place)
    hiding = _hiding(found, place) if place is not None and found.hidden else None
    return ConclusionFacts(label, agreement, hiding, _record(card) if card else None)


def _agreement(found: MapConsistency, place: Place) -> AgreementFacts:
    levels = [each.level for each in found.families]
    agreeing, told = sum(level.beyond_chance for level in levels), sum(level is not AgreementLevel.CANNOT_TELL for level in levels)
    kinds = len({family for each in found.families for family in (each.first, each.second)}) or 1
    return AgreementFacts(overall_agreement_level(levels), kinds, agreeing, told, len(levels), place_words(place), found.weighed)


def _hiding(found: PictureFindings, place: Place) -> HidingFacts:
    hidden = found.hidden[-1]
    changed = hidden.answer != hidden.answer_before
    return HidingFacts(
        outcome=hidden.outcome,
        place=place_words(place),
        area=hidden.area,
        before=hidden.before,
        after=hidden.after,
        answer=found.labels[hidden.answer] if changed else "",
        more_than=hidden.more_than,
        others=len(hidden.others),
        at_edge=bool(edge_words(place)),
    )


def _record(card: ReportCard) -> ReportCardFacts:
    tallies = card.tallies()
    consensus, _ = card.baselines()
    gate = read_recommendation_gate()
    advised = ""
    if gate.passed and not gate.stale and gate.weight == 0:
        shares = found_shares_by_title(card)
        advised = recommended_map(shares, dict.fromkeys(shares, 0.0), 0.0)
    return ReportCardFacts(tallies[0], tallies[-1], consensus, card.chance(), advised)
