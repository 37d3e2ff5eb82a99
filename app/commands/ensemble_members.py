"""Maps of each member of an ensemble, and the agreement of the members."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from app.commands.arguments import method_slug
from app.commands.output_folder import MapsArchive
from app.explanation import ExplanationPlan, FittedPicture, explain_picture
from explainers.explanation_case import Case
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metrics.agreement.similarity import MapEvidence, evidence_on_grid, pair_similarity


@dataclass(frozen=True)
class MemberExplanation:
    """One member's maps of the picture at its own size. results: by method name."""

    name: str
    case: Case
    results: dict[str, MethodResult]


def explain_ensemble_members(case: Case, methods: Sequence[Method]) -> list[MemberExplanation]:
    """Explains each member with the same score and settings; empty where the classifier is not an ensemble. Raises UserError."""
    found = []
    for number, member in enumerate(getattr(case.classifier, "members", ())):
        own = tuple(getattr(layer, "own", "") for layer in case.layers if getattr(layer, "member", None) == number)
        plan = ExplanationPlan(methods, replace(case.settings, layers=own), case.score)
        alone = explain_picture(FittedPicture.of(member.resize(case.image)), member.classifier, plan)
        results = {method_slug(result.method): result for result in alone.results.values()}
        found.append(MemberExplanation(member.name, alone.case, results))
    return found


def write_member_maps(name: str, members: Sequence[MemberExplanation], maps: MapsArchive) -> list[dict[str, Any]]:
    """Adds every member's maps to the file, and returns the manifest's part on them. name: of the picture."""
    return [_write_member(f"{name}/members/{number}", member, maps) for number, member in enumerate(members)]


def _write_member(where: str, member: MemberExplanation, maps: MapsArchive) -> dict[str, Any]:
    entries = []
    for method, result in member.results.items():
        entry: dict[str, Any] = {"method": method, "evaluations": result.evaluations}
        attribution = result.attribution
        if attribution is not None:
            maps.add(f"{where}/{method}", np.asarray(attribution.values, np.float32))
            entry |= {"native": f"{where}/{method}", "grid": list(attribution.values.shape), "blank": attribution.blank}
            if attribution.signed is not None:
                maps.add(f"{where}/{method}_signed", np.asarray(attribution.signed, np.float32))
                entry["native_signed"] = f"{where}/{method}_signed"
        entries.append({**entry, "error": result.error} if result.error else entry)
    probability = float(member.case.probabilities(member.case.image_logits)[0, member.case.score.target])
    entry = {"member": member.name, "map_size": list(member.case.size), "probability": round(probability, 6)}
    return {**entry, "evaluations": member.case.evaluations, "maps": entries}


def agreement_between_members(members: Sequence[MemberExplanation], size: tuple[int, int]) -> list[dict[str, Any]]:
    """The similarity of the members' maps per method, on the grid of the ensemble's `size` (H, W), not corrected for chance.

    mean: over the pairs' mean similarities, None where fewer than two members have positive evidence.
    """
    found = []
    for method in members[0].results if members else ():
        read = {member.name: evidence_on_grid(member.results[method], size) for member in members}
        shown = [(name, each) for name, each in read.items() if each is not None and each.share is not None]
        pairs = [_pair(one, other) for one, other in combinations(shown, 2)]
        mean = round(float(np.mean([each["headline"] for each in pairs])), 5) if pairs else None
        found.append({"method": method, "mean": mean, "pairs": pairs, "left_out": [name for name in read if name not in dict(shown)]})
    return found


def _pair(one: tuple[str, MapEvidence], other: tuple[str, MapEvidence]) -> dict[str, Any]:
    found = pair_similarity(one[1], other[1])
    numbers = {
        "headline": found.mean_similarity,
        "top_overlap": found.top_overlap,
        "shared_mass": found.shared_mass,
        "rank_correlation": found.rank_correlation,
    }
    return {"pair": [one[0], other[0]], **{key: round(value, 5) for key, value in numbers.items()}}
