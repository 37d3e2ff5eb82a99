"""What the metrics found on one picture, as the manifest holds it."""

from collections.abc import Sequence
from typing import Any

from app.conclusion import PictureConclusion, conclude_from_facts
from app.conclusion_facts import PictureFindings, gather_conclusion_facts
from app.masks import MaskFile
from app.metrics import Kind, order_by_dependency, run_metric, select_metrics
from explainers.explanation_case import Case, EvaluationStopped
from explainers.method_runner import MethodResult, error_sentence, results_with_map
from explainers.metrics.agreement.agreement import AgreementContext, AgreementMetric
from explainers.metrics.faithfulness.hidden_place import HiddenConsensusMetric
from explainers.metrics.localisation.evidence_overlap import LocalisationMetric
from explainers.report_card.report_card_file import ReportCard

NOTHING = "No method gave a map."

Findings = dict[str, tuple[Any, ...]]
"""Metric's key -> what it found."""


def metrics_manifest_entry(
    case: Case, results: Sequence[MethodResult], level: str, context: AgreementContext, card: ReportCard | None = None
) -> dict[str, Any]:
    """What `--measures` asks for of the methods that have a map, and the three lines that it comes to. A metric that fails says why.

    level: agreement or all. card: the classifier's, where it has one that holds. Raises Stopped.
    """
    before = case.evaluations
    case.counter.caller = "measures"
    shown = results_with_map(results)
    kinds = select_metrics(level, {"context": context})
    findings: dict[str, tuple[Any, ...]] = {}
    sections: dict[str, Any] = {manifest_section_of_metric(kind): {"error": NOTHING} for kind in kinds}
    if shown:
        sections = _sections(case, shown, kinds, context, findings)
        sections["conclusion"] = _conclusion(case, shown, findings, card).to_json()
    left_out = {result.method.title: result.error for result in results if result.attribution is None}
    return {**sections, "left_out": left_out, "evaluations": case.evaluations - before}


def localisation_manifest_entry(case: Case, results: Sequence[MethodResult], region: MaskFile) -> dict[str, Any]:
    """Where the maps point, the mask that says where they should, and what maps without knowledge get. area: of the model's picture."""
    metric = LocalisationMetric(region.inside)
    entry: dict[str, Any] = to_json_values({"mask": region.file, "sha256": region.sha256, **metric.to_json(list(metric(case, results)))})
    return entry


def to_json_values(value: Any) -> Any:
    """Numbers with five digits, arrays as lists, so that JSON can hold it."""
    if isinstance(value, dict):
        return {key: to_json_values(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_values(each) for each in value]
    if hasattr(value, "tolist"):
        return to_json_values(value.tolist())
    return float(f"{value:.5g}") if isinstance(value, float) else value


def manifest_section_of_metric(kind: Kind) -> str:
    """The part of `measures` in which the metric's findings stand."""
    return kind.section or kind.key


def _conclusion(case: Case, results: Sequence[MethodResult], findings: Findings, card: ReportCard | None) -> PictureConclusion:
    compared = findings.get(AgreementMetric.key, ())
    found = PictureFindings(
        labels=case.classifier.labels,
        size=case.size,
        target=case.score.target,
        results=results,
        consistency=compared[-1].consistency if compared else None,
        hidden=findings.get(HiddenConsensusMetric.key, ()),
    )
    return conclude_from_facts(gather_conclusion_facts(found, card))


def _sections(
    case: Case, results: Sequence[MethodResult], kinds: Sequence[Kind], context: AgreementContext, findings: Findings
) -> dict[str, Any]:
    """Each section with what its metrics found, or {"error": why one of them failed}: the maps and the other sections stand.

    What each metric found is added to `findings`.
    """
    inputs: dict[str, Any] = {"context": context}
    sections: dict[str, Any] = {manifest_section_of_metric(kind): {} for kind in kinds}
    failed: dict[str, dict[str, str]] = {}
    for kind in order_by_dependency(kinds):
        section = manifest_section_of_metric(kind)
        if section in failed:
            continue
        try:
            found = tuple(run_metric(kind, case, results, inputs))
        except EvaluationStopped:
            raise
        except Exception as error:
            failed[section] = {"error": error_sentence(error, "measure")}
            continue
        findings[kind.key] = found
        if kind.feeds:
            inputs[kind.feeds] = dict(found)
        metric = kind.given(inputs)
        entry = to_json_values(metric.to_json(found)) if metric else {}
        sections[section] = {**sections[section], **entry} if isinstance(entry, dict) else entry
    return {**sections, **failed}
