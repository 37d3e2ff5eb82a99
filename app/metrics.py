"""Judges the maps of one picture: what agrees beyond chance, what is stable, faithful and sane; and says beforehand what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.commands.library import library_of, model_name
from app.service.metric_state import deterministic
from errors import UserError
from explainers.case import Case
from explainers.metrics.agreement.consistency import WEAKER, Background, Consistency, consistency, short_words
from explainers.metrics.agreement.controls import UNTRAINED, controls_of, untrained_twin
from explainers.metrics.agreement.reference_library import Library, digest, settings_of
from explainers.metrics.agreement.similarity import by_family, consensus, evidence
from explainers.metrics.faithfulness import average_drop, infidelity, road
from explainers.metrics.faithfulness.deletion_insertion import Curve, DisplacementTest, Plan, curves, ranks
from explainers.metrics.localisation.evidence_overlap import LocalisationScore, Mask, located
from explainers.metrics.randomisation import sanity_checks
from explainers.metrics.robustness import max_sensitivity
from explainers.metrics.robustness.reliability import RepeatedReadings
from explainers.runner import Result

if TYPE_CHECKING:
    from models.classifiers.keras_classifier import Classifier

DISPLACED = Plan(substrates=("mean colour",), steps=14, randoms=0)
"""For the comparison with 20 displaced copies, which costs as much as 20 further maps."""

CONSENSUS = "consensus of the families"


@dataclass(frozen=True)
class AgreementContext:
    """What is the same for all pictures of a model. notes: what a reader has to know about the library and the controls."""

    library: Library | None
    model: str
    untrained: Any
    notes: tuple[str, ...]

    @classmethod
    def of(cls, model: str, classifier: "Classifier") -> "AgreementContext":
        """Reads the library beside the model, if there is one, and draws the untrained twin."""
        notes = []
        try:
            library = library_of(model)
        except UserError as error:
            library, notes = None, [str(error)]
        untrained = untrained_twin(classifier)
        if untrained is None:
            notes.append(f"The weights of this format cannot be drawn anew, so {UNTRAINED} is no control.")
        return cls(library, model_name(model, classifier), untrained, tuple(notes))

    def consistency(
        self, case: Case, results: Sequence[Result], jitters: dict[str, RepeatedReadings]
    ) -> tuple[Consistency, tuple[str, ...]]:
        """All pairs of maps of one picture, and what to know about it. One evaluation; jitters: as `stability.jittered` gives them."""
        library, notes = self.library, list(self.notes)
        if library and (reason := library.unfit(settings_of(case, self.model))):
            library = None
            notes.append(reason)
        if library and (other := library.differs(settings_of(case, self.model))):
            notes.append(f"The library of other pictures was made with {', '.join(other)}.")
        found = consistency(results, case.size, Background(library, digest(case.image), controls_of(case, self.untrained)), jitters)
        notes += [words for words in (WEAKER if found.weaker else short_words(found),) if words]
        return found, tuple(notes)


@dataclass(frozen=True)
class Faithfulness:
    """Everything that hides parts of the picture in the order of the maps. ranks: against displaced copies."""

    curves: tuple[Curve, ...]
    ranks: tuple[DisplacementTest, ...]
    road: tuple[road.Road, ...]
    drops: tuple[average_drop.Drop, ...]
    infidelity: tuple[infidelity.Infidelity, ...]


def faithfulness(case: Case, results: Sequence[Result]) -> Faithfulness:
    """Of every map with positive evidence. Raises Stopped."""
    shown = [result for result in results if result.attribution is not None and not result.attribution.blank]
    maps = {result.method.title: result.attribution.values for result in shown if result.attribution}
    signed = {each.method.title: a.values if a.signed is None else a.signed for each in shown if (a := each.attribution)}
    return Faithfulness(
        curves=tuple(curve for found in curves(case, maps) for curve in found),
        ranks=tuple(rank for title, values in maps.items() for rank in ranks(case, title, values, DISPLACED)),
        road=tuple(road.road(case, maps)) if maps else (),
        drops=tuple(average_drop.drops(case, maps)),
        infidelity=tuple(infidelity.infidelities(case, signed)),
    )


def faithfulness_cost(maps: int) -> int:
    """Evaluations at most."""
    return Plan().cost(maps) + maps * (DISPLACED.displaced_cost() + 1) + road.cost(maps) + infidelity.PATCHES


def full_cost(case: Case, results: Sequence[Result]) -> int:
    """Evaluations at most of everything that `--measures all` asks."""
    return faithfulness_cost(len(results)) + _again(case, results)


def full_seconds(case: Case, results: Sequence[Result], forward: float, backward: float) -> float:
    """How long these evaluations take. forward, backward: seconds that a picture costs, and a picture with its gradient."""
    asking = [result for result in results if result.method.asks == "outputs"]
    looking = [result for result in results if result.method.asks != "outputs"]
    return (faithfulness_cost(len(results)) + _again(case, asking)) * forward + _again(case, looking) * backward


def _again(case: Case, results: Sequence[Result]) -> int:
    """Evaluations at most of the measures that let the methods work anew."""
    methods = [result.method for result in results]
    jitters = 2 * sum(result.method.cost(case) for result in deterministic(results))
    return sanity_checks.cost(case, methods) + jitters + max_sensitivity.cost(case, methods)


def positions(results: Sequence[Result], size: tuple[int, int], region: Mask) -> list[LocalisationScore]:
    """Of every map with positive evidence, of the families' consensus where there are two families, and of what knows nothing.

    size: (H, W) of the picture. region: (H, W). Asks the model nothing.
    """
    shown = [result for result in results if result.attribution is not None and not result.attribution.blank]
    maps = {result.method.title: result.attribution.values for result in shown if result.attribution is not None}
    found = [each for each in (evidence(result, size) for result in shown) if each is not None]
    shared = consensus(found) if len(by_family(found)) > 1 else None
    return located(maps if shared is None else {**maps, CONSENSUS: shared.astype(np.float32)}, region)
