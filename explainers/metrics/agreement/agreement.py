"""How far the maps of one picture agree beyond chance, and what all families of methods have in common."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from explainers.classifier_protocol import Classifier
from explainers.explanation_case import Case
from explainers.method_runner import MethodResult
from explainers.metric import Family, Metric
from explainers.metrics.agreement.consistency import NO_CHANCE, MapConsistency, ReferenceMaps, measure_consistency
from explainers.metrics.agreement.control_maps import control_maps
from explainers.metrics.agreement.reference_library import REBUILD, MapLibrary, image_digest, map_library_settings
from explainers.metrics.robustness.reliability import RepeatedMaps


@dataclass(frozen=True)
class AgreementResult:
    """notes: sentences on the library and the controls that a reader has to know. others: pictures of the library that chance rests on."""

    consistency: MapConsistency
    notes: tuple[str, ...] = ()
    others: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**self.consistency.to_json(), "notes": list(self.notes)}


@dataclass(frozen=True)
class AgreementContext:
    """What is the same for all pictures of a model. model: its weights' sha256. untrained: its twin with re-initialised weights.

    notes: what a reader has to know about the library and the controls.
    """

    library: MapLibrary | None
    model: str
    untrained: Classifier | None
    notes: tuple[str, ...]

    def agreement(self, case: Case, results: Sequence[MethodResult], readings: Mapping[str, RepeatedMaps]) -> AgreementResult:
        """All pairs of maps of one picture. One evaluation. readings: of noisy pictures, by title."""
        library, notes = self.library, list(self.notes)
        made_with = map_library_settings(case, self.model)
        if library and (reason := library.mismatch(made_with)):
            library = None
            notes.append(reason)
        if library and (other := library.differences(made_with)):
            notes.append(f"The library of other pictures was made with {', '.join(other)}.{_rebuild(library, made_with)}")
        background = ReferenceMaps(library, image_digest(case.image), control_maps(case, self.untrained), case.score.target)
        found = measure_consistency(results, case.size, background, readings)
        if not found.weighed:
            return AgreementResult(found, (*notes, NO_CHANCE))
        assert library is not None
        notes += [sentence for sentence in (library.outdated,) if sentence]
        return AgreementResult(found, tuple(notes), len(library.pictures))


def _rebuild(library: MapLibrary, made_with: Mapping[str, Any]) -> str:
    """How to rebuild it, where a method has changed since; another preset's maps serve."""
    return "" if library.made_with.get("methods") == made_with["methods"] else f" To bring it up to date, {REBUILD}."


@dataclass(frozen=True)
class AgreementMetric(Metric[AgreementResult]):
    """kappa = (s - mu) / (1 - mu) of the mean s of three similarities, mu that of unrelated pictures' maps; kappa*, raw values."""

    context: AgreementContext
    readings: Mapping[str, RepeatedMaps] = field(default_factory=dict)

    title = "Agreement"
    key = "agreement"
    family: ClassVar[Family] = "agreement"
    on_request = False
    evidence = "Agreement"
    source = "Cohen 1960 for the form; Knijnenburg et al. 2009; Spearman 1904"
    formula = (
        "κ = (s − μ) / (1 − μ): s the mean of three similarities of two maps on a common grid of cells (overlap of the strongest "
        "5, 10 and 20 %, shared mass, rank correlation where either is strong), μ that of unrelated pictures' maps"
    )
    description = (
        "Maps of different pictures look alike too, because methods have habits and subjects stand in the middle. "
        "Agreement is what two maps of one picture share beyond that."
    )

    def __call__(self, case: Case, results: Sequence[MethodResult]) -> Iterator[AgreementResult]:
        yield self.context.agreement(case, results, self.readings)

    def cost(self, case: Case, results: Sequence[MethodResult]) -> int:
        return 1

    def to_json(self, findings: Sequence[AgreementResult]) -> dict[str, Any]:
        (found,) = findings
        return found.to_json()
