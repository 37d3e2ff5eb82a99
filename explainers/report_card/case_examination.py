"""Runs the methods on one case of known evidence and says which of them found it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from explainers.baselines import BaselineFill
from explainers.classifier_protocol import Classifier, Score
from explainers.explanation_case import Case, ExplanationSettings
from explainers.grid import Grid, grid_cells_per_side
from explainers.method import Method
from explainers.method_runner import MethodResult, run_methods
from explainers.metrics.agreement.consensus import consensus_map
from explainers.metrics.agreement.control_maps import centred_gaussian_map
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid
from explainers.metrics.localisation.evidence_overlap import pointing_game_hit
from explainers.metrics.robustness.reliability import half_run_maps, pearson_correlation, reliability_score
from explainers.report_card.known_evidence_cases import KnownEvidenceCase, Mask
from explainers.report_card.report_card_file import KnownEvidenceOutcome

OTHER_FILL = {fill: str(BaselineFill.BLUR if fill != BaselineFill.BLUR else BaselineFill.MEAN_COLOUR) for fill in map(str, BaselineFill)}
"""What the maps of some cases are made over a second time."""
HALF = 0.5
"""A place of cells that tie has found the evidence where at least half of them lie in it."""


def explain_known_evidence_case(
    classifier: Classifier,
    known: KnownEvidenceCase,
    score: Score,
    methods: Sequence[Method],
    settings: ExplanationSettings,
    both_fills: bool,
) -> KnownEvidenceOutcome:
    """The outcome of one case. both_fills: whether the maps are made over another fill too, at the price of as many evaluations.

    Raises Stopped, UserError.
    """
    case = Case(classifier, known.image, score, settings)
    results = _last(case, methods)
    found = _evidence(results, case)
    common = consensus_map(list(found.values()))
    shares = {title: each.share for title, each in found.items()}
    readings = {result.method.title: half_run_maps(result, case.size) for result in results}
    stable = {title: reliability_score(title, each, 1).reliability for title, each in readings.items() if each is not None}
    return KnownEvidenceOutcome(
        key=known.key,
        kind=known.kind,
        chance=float(known.evidence.mean()),
        centre=strongest_cell_lies_in(centred_gaussian_map(grid_cells_per_side(case.size)), known.evidence),
        consensus=strongest_cell_lies_in(common, known.evidence),
        found={method.title: strongest_cell_lies_in(shares.get(method.title), known.evidence) for method in methods},
        reliability={title: value for title, value in stable.items() if value is not None},
        fills=_between_fills(case, methods, found) if both_fills else {},
    )


def strongest_cell_lies_in(share: Grid | None, where: Mask) -> bool:
    """Whether the strongest cell of a map (G, G), enlarged to the picture, lies in (H, W); not where the map has no positive evidence."""
    pointed = None if share is None else pointing_game_hit(share.astype(np.float32), where, 0)
    return pointed is not None and pointed >= HALF


def _between_fills(case: Case, methods: Sequence[Method], found: Mapping[str, MapEvidence]) -> dict[str, float]:
    """Title -> the correlation of the map with that made over another fill; of methods with evidence in both."""
    other = Case(case.classifier, case.image, case.score, replace(case.settings, fill=OTHER_FILL[case.fill]))
    again = _evidence(_last(other, methods), other)
    both = [title for title in found if title in again and found[title].share is not None and again[title].share is not None]
    return {title: pearson_correlation(found[title].signed, again[title].signed) for title in both}


def _last(case: Case, methods: Sequence[Method]) -> list[MethodResult]:
    """Each method's last result."""
    return list({result.method.title: result for result in run_methods(case, methods)}.values())


def _evidence(results: Sequence[MethodResult], case: Case) -> dict[str, MapEvidence]:
    return {each.title: each for result in results if (each := evidence_on_grid(result, case.size)) is not None}
