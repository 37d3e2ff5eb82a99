"""What the metrics found on one picture, as the manifest holds it."""

from collections.abc import Sequence
from typing import Any

from app.masks import MaskFile
from app.metrics import Kind, in_order, run, selected
from explainers.case import Case, Stopped
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.metrics.localisation.evidence_overlap import Localisation
from explainers.runner import Result, error_sentence, with_attribution

NOTHING = "No method gave a map."


def measures_entry(case: Case, results: Sequence[Result], level: str, context: AgreementContext) -> dict[str, Any]:
    """What `--measures` asks for of the methods that have a map. level: agreement or all. A metric that fails says why. Raises Stopped."""
    before = case.evaluations
    case.counter.caller = "measures"
    shown = with_attribution(results)
    kinds = selected(level, {"context": context})
    sections = _sections(case, shown, kinds, context) if shown else {section_of(kind): {"error": NOTHING} for kind in kinds}
    left_out = {result.method.title: result.error for result in results if result.attribution is None}
    return {**sections, "left_out": left_out, "evaluations": case.evaluations - before}


def localisation_entry(case: Case, results: Sequence[Result], region: MaskFile) -> dict[str, Any]:
    """Where the maps point, the mask that says where they should, and what maps without knowledge get. area: of the model's picture."""
    metric = Localisation(region.inside)
    entry: dict[str, Any] = plain({"mask": region.file, "sha256": region.sha256, **metric.to_json(list(metric(case, results)))})
    return entry


def plain(value: Any) -> Any:
    """Numbers with five digits, arrays as lists, so that JSON can hold it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return float(f"{value:.5g}") if isinstance(value, float) else value


def section_of(kind: Kind) -> str:
    """The part of `measures` in which the metric's findings stand."""
    return kind.section or kind.key


def _sections(case: Case, results: Sequence[Result], kinds: Sequence[Kind], context: AgreementContext) -> dict[str, Any]:
    """Each section with what its metrics found, or {"error": why one of them failed}: the maps and the other sections stand."""
    inputs: dict[str, Any] = {"context": context}
    sections: dict[str, Any] = {section_of(kind): {} for kind in kinds}
    failed: dict[str, dict[str, str]] = {}
    for kind in in_order(kinds):
        section = section_of(kind)
        if section in failed:
            continue
        try:
            found = tuple(run(kind, case, results, inputs))
        except Stopped:
            raise
        except Exception as error:
            failed[section] = {"error": error_sentence(error, "measure")}
            continue
        if kind.feeds:
            inputs[kind.feeds] = dict(found)
        metric = kind.given(inputs)
        entry = plain(metric.to_json(found)) if metric else {}
        sections[section] = {**sections[section], **entry} if isinstance(entry, dict) else entry
    return {**sections, **failed}
