"""What the measures found on one picture, as the manifest tells it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.commands.masks import MaskFile
from app.metrics import AgreementContext, Faithfulness, faithfulness, positions
from app.service.metric_state import deterministic, with_attribution
from explainers.case import Case, Stopped
from explainers.metrics.agreement.consistency import Consistency, PairAgreement
from explainers.metrics.localisation.evidence_overlap import TOLERANCE
from explainers.metrics.randomisation import sanity_checks
from explainers.metrics.robustness import max_sensitivity
from explainers.metrics.robustness.reliability import jittered
from explainers.runner import Result, words

NOTHING = "No method gave a map."


def measures_entry(case: Case, results: Sequence[Result], level: str, judge: AgreementContext) -> dict[str, Any]:
    """What `--measures` asks for of the methods that have a map. level: agreement or all. A measure that fails says why. Raises Stopped."""
    before = case.evaluations
    case.counter.caller = "measures"
    shown = with_attribution(results)
    methods = [result.method for result in shown]
    asked: dict[str, Callable[[], Any]] = {"agreement": lambda: _consistency(case, shown, level, judge)}
    if level == "all":
        asked["faithfulness"] = lambda: _faithfulness(faithfulness(case, shown))
        asked["sanity"] = lambda: list(_sanity(sanity_checks.findings(case, methods)))
        asked["sensitivity"] = lambda: [plain(each.to_json()) for each in max_sensitivity.sensitivities(case, methods)]
    entry = {name: _told(measure) if shown else {"error": NOTHING} for name, measure in asked.items()}
    left_out = {result.method.title: result.error for result in results if result.attribution is None}
    return {**entry, "left_out": left_out, "evaluations": case.evaluations - before}


def localisation_entry(case: Case, results: Sequence[Result], region: MaskFile) -> dict[str, Any]:
    """Where the maps point, the mask that says where they should, and what maps without knowledge get. area: of the model's picture."""
    rows = [each.to_json() for each in positions(results, case.size, region.inside)]
    tolerance = TOLERANCE * min(case.size)
    return plain({"mask": region.file, "sha256": region.sha256, "area": float(region.inside.mean()), "tolerance": tolerance, "maps": rows})


def plain(value: Any) -> Any:
    """Numbers with five digits, arrays as lists, so that JSON can hold it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _told(measure: Callable[[], Any]) -> Any:
    """What the measure found, or {"error": why it could not be taken}: the maps and the other measures stand. Raises Stopped."""
    try:
        return measure()
    except Stopped:
        raise
    except Exception as error:
        return {"error": words(error, "measure")}


def _consistency(case: Case, results: Sequence[Result], level: str, judge: AgreementContext) -> dict[str, Any]:
    jitters = dict(jittered(case, [result.method for result in deterministic(results)])) if level == "all" else {}
    found, notes = judge.consistency(case, results, jitters)
    return {**_agreement(found), "notes": list(notes)}


def _agreement(found: Consistency) -> dict[str, Any]:
    pairs = [_pair(each) for each in found.verdicts]
    stable = {title: each.to_json() for title, each in found.stability.items()}
    whole = {"kappa": found.kappa, "as_well_as_themselves": found.ceiling, "weaker": found.weaker, "warning": found.warning}
    rest = {
        "controls": found.controls,
        "weaker_controls": found.weaker_controls,
        "left_out": found.left_out,
        "consensus": found.consensus,
        "votes": found.votes,
    }
    return plain({**whole, "pairs": pairs, "stability": stable, **rest})


def _pair(verdict: PairAgreement) -> dict[str, Any]:
    """Chance is taken out of kappa, p and as_well_as_themselves; it is still in likeness and raw."""
    return {
        "pair": [verdict.first, verdict.second],
        "word": verdict.level,
        "kappa": verdict.chance.kappa,
        "p": verdict.p,
        "others": verdict.chance.others,
        "as_well_as_themselves": verdict.ceiling,
        "self_agreement": verdict.self_agreement,
        "why_not": verdict.reason,
        "explained_by": verdict.explained_by,
        "likeness": {**verdict.likeness.to_json(), "by_chance": verdict.chance.mean},
        "raw": {**verdict.raw.to_json(), "by_chance": verdict.raw_by_chance.to_json()},
        "weaker": verdict.chance.weaker,
    }


def _faithfulness(found: Faithfulness) -> dict[str, Any]:
    return plain(
        {
            "curves": [each.to_json() for each in found.curves],
            "displaced": [each.to_json() for each in found.ranks],
            "road": [each.to_json() for each in found.road],
            "average_drop": [each.to_json() for each in found.drops],
            "infidelity": [each.to_json() for each in found.infidelity],
        }
    )


def _sanity(found: Iterator[sanity_checks.SanityResult]) -> Iterator[dict[str, Any]]:
    for each in found:
        yield plain(each.to_json())
