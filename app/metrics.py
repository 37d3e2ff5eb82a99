"""The metrics that evaluate the maps of one picture, their cost, and the order in which they run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.explanation import as_explainable_classifier
from app.model_files import model_identity, read_map_library_of_model
from errors import UserError
from explainers.explanation_case import Case
from explainers.method import Method
from explainers.method_runner import MethodResult
from explainers.metric import Metric
from explainers.metrics import METRICS
from explainers.metrics.agreement.agreement import AgreementContext
from explainers.metrics.agreement.consistency import MapConsistency
from explainers.metrics.agreement.control_maps import UNTRAINED, untrained_twin
from explainers.perturbation.segment_maps import ENOUGH, evaluations_until_convergence

if TYPE_CHECKING:
    from models.loading import Served

Kind = type[Metric[Any]]
Inputs = Mapping[str, Any]
"""Name of a metric's field -> what is known of it: "context" of the model, "region" of the picture, and what other metrics feed."""

MOST_MORE = 20_000
"""Evaluations that one press adds at most."""


def build_agreement_context(model: str, classifier: "Served") -> AgreementContext:
    """Reads the library next to the model, if there is one, and builds the untrained twin."""
    notes = []
    try:
        library = read_map_library_of_model(model)
    except UserError as error:
        library, notes = None, [str(error)]
    untrained = untrained_twin(as_explainable_classifier(classifier))
    if untrained is None:
        notes.append(f"The weights of this format cannot be re-initialised, so {UNTRAINED} is no control.")
    return AgreementContext(library, model_identity(model, classifier), untrained, tuple(notes))


def select_metrics(level: str, inputs: Inputs) -> list[Kind]:
    """The metrics for which all inputs are there. level: "all", or else only those that are not on request."""
    return [kind for kind in METRICS if (level == "all" or not kind.on_request) and kind.given(inputs) is not None]


def order_by_dependency(kinds: Iterable[Kind]) -> list[Kind]:
    """Those first whose findings feed others."""
    return sorted(kinds, key=lambda kind: not kind.feeds)


def dependent_metrics(kind: Kind) -> list[Kind]:
    """The metrics that have to run again when this one has new findings."""
    return [other for other in METRICS if kind.feeds and kind.feeds in other.inputs()]


def run_metric(kind: Kind, case: Case, results: Sequence[MethodResult], inputs: Inputs) -> Iterator[Any]:
    """What the metric finds, as it finds it. Raises Stopped, UserError, ValueError where an input is missing."""
    metric = kind.given(inputs)
    if metric is None:
        raise ValueError(f"{kind.title} needs more than {', '.join(inputs) or 'nothing'}")
    yield from metric(case, results)


def max_evaluations_of_all_metrics(case: Case, results: Sequence[MethodResult]) -> int:
    """Evaluations at most of everything that `--measures all` adds."""
    return sum(metric.cost(case, results) for metric in _on_request())


def estimate_seconds_of_all_metrics(case: Case, results: Sequence[MethodResult], forward: float, backward: float) -> float:
    """How long these evaluations take. forward, backward: seconds per image, without and with its gradient."""
    outputs = [result for result in results if result.method.asks == "outputs"]
    gradients = [result for result in results if result.method.asks != "outputs"]
    reruns = [metric for metric in _on_request() if metric.reruns]
    others = sum(metric.cost(case, results) for metric in _on_request() if not metric.reruns)
    again, with_gradients = (sum(metric.cost(case, part) for metric in reruns) for part in (outputs, gradients))
    return (others + again) * forward + with_gradients * backward


def missing_evaluations_of_map(method: Method, result: MethodResult | None, found: MapConsistency | None) -> int:
    """Evaluations beyond those spent that the method's map still needs, as far as more would help; 0 where none are missing."""
    if result is None or result.attribution is None or not method.pooled:
        return 0
    stable = found.stability.get(method.title) if found else None
    missing = stable.further or 0 if stable and stable.converged is False else 0
    attribution, spent = result.attribution, result.evaluations + result.shared
    unsure = attribution.uncertainty
    if not attribution.converged and unsure is not None and unsure > ENOUGH and attribution.more_helps:
        missing = max(missing, evaluations_until_convergence(spent, unsure))
    return min(missing, MOST_MORE)


def _on_request() -> list[Metric[Any]]:
    return [metric for kind in METRICS if kind.on_request and (metric := kind.given({})) is not None]
