"""Runs several methods on one case and yields a result each time a map is new or better."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from errors import UserError
from explainers.blank_maps import mark_blank_attribution
from explainers.classifier_protocol import Floats
from explainers.explanation_case import Case, EvaluationStopped
from explainers.method import Attribution, Method


@dataclass(frozen=True)
class MethodResult:
    """Where one method stands. attribution is None until the first map, or for good where error says why there is none.

    evaluations: spent by this method itself; shared: those that it reused and others spent.
    seconds: its own time so far. done: nothing better will come.
    """

    method: Method
    attribution: Attribution | None
    error: str = ""
    evaluations: int = 0
    shared: int = 0
    seconds: float = 0.0
    done: bool = False


def run_methods(case: Case, methods: Sequence[Method]) -> Iterator[MethodResult]:
    """Every method's first map, the cheapest method first; then better ones, always from the one that has spent least, until all are done.

    A method that fails yields one last result with its error, and the others go on. After `case.stop()` every method that
    was not done yields one last result with the map it already had.
    """
    runs = sorted((_Run(case, method) for method in methods), key=lambda run: run.cost)
    try:
        yield from (run.step() for run in runs)
        while waiting := [run for run in runs if not run.result.done]:
            yield min(waiting, key=lambda run: run.result.evaluations).step()
    except EvaluationStopped:
        yield from (run.stopped() for run in runs if not run.result.done)


def maps_with_positive_evidence(results: Iterable[MethodResult]) -> dict[str, Floats]:
    """Title -> (h, w) of every map with positive evidence."""
    found = ((result.method.title, result.attribution) for result in results)
    return {title: attribution.values for title, attribution in found if attribution is not None and not attribution.blank}


def maps_before_rectifying(results: Iterable[MethodResult]) -> dict[str, Floats]:
    """Title -> (h, w) of every map with positive evidence, before rectifying where the method rectifies."""
    found = ((result.method.title, result.attribution) for result in results)
    shown = ((title, attribution) for title, attribution in found if attribution is not None and not attribution.blank)
    return {title: attribution.values if attribution.signed is None else attribution.signed for title, attribution in shown}


def results_with_map(results: Iterable[MethodResult]) -> list[MethodResult]:
    """Results with a map; the others have an error instead."""
    return [result for result in results if result.attribution is not None]


def deterministic_results(results: Iterable[MethodResult]) -> list[MethodResult]:
    """Results of methods that draw nothing: only another picture can give another reading."""
    return [result for result in results if result.attribution is not None and result.attribution.halves is None]


class _Run:
    """One method under way: its iterator and its last result."""

    def __init__(self, case: Case, method: Method) -> None:
        self.case = case
        self.maps: Iterator[Attribution] | None = None
        self.rounds = 0
        self.result = MethodResult(method, None)
        try:
            self.cost = method.cost(case)
        except Exception as error:
            self.cost = 0
            self.result = MethodResult(method, None, error=error_sentence(error), done=True)

    def step(self) -> MethodResult:
        """The method's next map; or, where none comes, its last result. Raises Stopped."""
        if self.result.done:
            return self.result
        start = time.perf_counter()
        self.case.counter.caller = self
        self.rounds += 1
        try:
            self.maps = self.maps or iter(self.result.method(self.case))
            found = next(self.maps, None)
            attribution = mark_blank_attribution(self.result.method, found, self.case) if found else self.result.attribution
            error = "" if attribution else f"{self.result.method.title} gave no map."
            self._keep(attribution, error, done=found is None)
        except EvaluationStopped:
            raise
        except Exception as error:
            self._keep(self.result.attribution, error_sentence(error), done=True)
        finally:
            self.case.counter.caller = None
            self.result = replace(self.result, seconds=self.result.seconds + time.perf_counter() - start)
        return self.result

    def stopped(self) -> MethodResult:
        """The last result after a stop: the map that is there, or the reason why there is none."""
        remark = "" if self.result.attribution else "Stopped before the first map."
        self._keep(self.result.attribution, remark, done=True)
        return self.result

    def _keep(self, attribution: Attribution | None, error: str, done: bool) -> None:
        counter = self.case.counter
        evaluations, shared = counter.evaluations[self], counter.reused(self)
        self.result = replace(self.result, attribution=attribution, error=error, evaluations=evaluations, shared=shared, done=done)


def error_sentence(error: Exception, what: str = "method") -> str:
    """One sentence for users: why there is no map, or no metric."""
    return str(error) if isinstance(error, UserError) else f"The {what} failed: {type(error).__name__}: {error}"
