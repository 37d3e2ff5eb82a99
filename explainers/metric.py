"""A metric judges the maps of one case by a formula; what it costs is known before it runs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from explainers.explanation_case import Case
from explainers.method_runner import MethodResult

Family = Literal["agreement", "faithfulness", "robustness", "randomisation", "localisation"]
F = TypeVar("F")
"""What a metric finds: a frozen dataclass with a `title`, the map's, and an explicit `to_json`."""


@dataclass(frozen=True)
class Metric(ABC, Generic[F]):
    """Inputs and parameters as fields, called with a case and the results of its methods, yields what it finds as soon as it is known.

    A field without a default is an input in addition to the case and its results, such as a region; without it the metric is left out.
    key: its name in messages and in JSON. source: paper and section. formula: as text. description: two sentences for a newcomer.
    section: the part of the manifest's `measures` in which its findings stand; empty: a part of its own, called by the key.
    on_request: runs only on request, because it costs evaluations. seconds_at_most: of one that runs by itself, the longest that it may be
    predicted to take on the page; beyond it runs on request there. reruns: runs the methods again, at the price of what they evaluate.
    feeds: the input of other metrics that its findings become, as a mapping from title to reading; empty for nearly all.
    on_page: whether the page offers it. evidence: the name under which a method's line of evidence shows it; empty: its title. button,
    question: the text of its button there and the sentence next to it; empty: title and description.
    """

    title: ClassVar[str]
    key: ClassVar[str]
    family: ClassVar[Family]
    source: ClassVar[str]
    formula: ClassVar[str]
    description: ClassVar[str]
    section: ClassVar[str] = ""
    on_request: ClassVar[bool] = True
    seconds_at_most: ClassVar[float] = math.inf
    reruns: ClassVar[bool] = False
    feeds: ClassVar[str] = ""
    on_page: ClassVar[bool] = True
    evidence: ClassVar[str] = ""
    button: ClassVar[str] = ""
    question: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[F]:
        """What is found, a part at a time. results: of methods that have a map. Raises Stopped, UserError."""

    @abstractmethod
    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        """Evaluations at most; known before the metric starts."""

    def complete(self, findings: Sequence[F], results: Sequence[MethodResult]) -> bool:
        """Whether all is found; run again it would give the same."""
        return bool(findings)

    def to_json(self, findings: Sequence[F]) -> Any:
        """The findings as the manifest holds them: a list, or a mapping where several metrics share one section."""
        found: Sequence[Any] = findings
        return [each.to_json() for each in found]

    def sentences(self, title: str, findings: Sequence[F]) -> list[str]:
        """What was found on the map of that title, one sentence a finding; unless a metric words it better, its numbers by their names."""
        found: Sequence[Any] = findings
        rows = [each.to_json() for each in found if each.title == title]
        return [", ".join(_named(name, value) for name, value in row.items() if name != "title" and value is not None) for row in rows]

    @classmethod
    def given(cls, inputs: Mapping[str, Any]) -> Self | None:
        """The metric with those of its fields that `inputs` names; None where one without a default is missing."""
        needed = {field.name for field in fields(cls) if field.default is MISSING and field.default_factory is MISSING}
        if not needed <= inputs.keys():
            return None
        return cls(**{field.name: inputs[field.name] for field in fields(cls) if field.name in inputs})

    @classmethod
    def inputs(cls) -> tuple[str, ...]:
        """Names of all its fields."""
        return tuple(field.name for field in fields(cls))


def _named(name: str, value: object) -> str:
    words = name.replace("_", " ")
    return f"{words} {value:.3g}" if isinstance(value, float) else f"{words} {value}"
