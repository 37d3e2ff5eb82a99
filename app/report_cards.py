"""Makes a classifier's report card, case by case: what was found is kept on the way, so that an interrupted one goes on."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.explanation import as_explainable_classifier
from app.model_files import model_identity
from errors import UserError
from explainers.explanation_case import ExplanationSettings
from explainers.method import Method
from explainers.methods import METHODS, SEVEN
from explainers.metrics.agreement.reference_library import image_digest
from explainers.report_card.case_examination import explain_known_evidence_case
from explainers.report_card.known_evidence_cases import Mask, iterate_known_evidence_cases
from explainers.report_card.report_card_file import KnownEvidenceOutcome, ReportCard, read_card
from models.classifiers.score import Score
from models.output.atomic_files import atomic_file
from plain_files import read_plain_text

if TYPE_CHECKING:
    from models.loading import Served

SAVED_EVERY = 20.0  # seconds of work that an interruption can cost at most
FILLS_EVERY = 10
"""Of so many cases one is made over a second fill too."""
NO_CASE = (
    "There is no case of known evidence among these {count} pictures: a mosaic and a planted patch need pictures of two classes that the "
    "classifier is sure of. Give more pictures, of several classes, or masks."
)


@dataclass(frozen=True)
class ReportCardPlan:
    """pictures: (H, W, 3) as the classifier's `fit` makes them. masks: number of the picture -> (H, W). cases: about how many are made."""

    pictures: Sequence[NDArray[np.float32]]
    masks: Mapping[int, Mask]
    cases: int = 100
    settings: ExplanationSettings = field(default_factory=lambda: ExplanationSettings(preset="Fast"))
    methods: tuple[Method, ...] = tuple(method() for method in SEVEN)

    def made_with(self, model: str) -> dict[str, Any]:
        """What a card remembers of how it was made: one made otherwise is not continued. model: its weights' sha256, or its name."""
        seen = hashlib.sha256("".join(image_digest(picture) for picture in self.pictures).encode())
        for number in sorted(self.masks):
            seen.update(np.packbits(self.masks[number]).tobytes())
        made: dict[str, Any] = {
            "model": model,
            "pictures": seen.hexdigest()[:16],
            "count": len(self.pictures),
            "cases": self.cases,
            "settings": self.settings.to_json(),
            "methods": {method.title: method.revision for method in self.methods},
        }
        return dict(json.loads(json.dumps(made)))


def method_revisions() -> dict[str, int]:
    """Title -> revision of every method, as a card has to match them."""
    return {method.title: method.revision for method in METHODS}


def measure_report_card(classifier: "Served", model: str, plan: ReportCardPlan, path: Path) -> Iterator[ReportCard]:
    """The card after each case; at the end it is at `path`. Closing the iterator, or a kill, leaves what was found for the next run.

    model: as `models.loading.load` takes it. UserError where there is no case or the file cannot be written.
    """
    made_with = plan.made_with(model_identity(model, classifier))
    unfinished = path.with_name(f".{path.name}.part")
    known = _resumed((path, unfinished), made_with)
    outcomes: list[KnownEvidenceOutcome] = []
    saved = time.monotonic()
    try:
        for number, case in enumerate(
            iterate_known_evidence_cases(as_explainable_classifier(classifier), plan.pictures, plan.masks, plan.cases, plan.settings.seed)
        ):
            outcome = known.get(case.key) or explain_known_evidence_case(
                as_explainable_classifier(classifier), case, Score(case.target), plan.methods, plan.settings, number % FILLS_EVERY == 0
            )
            outcomes.append(outcome)
            yield ReportCard(made_with, tuple(outcomes))
            if time.monotonic() - saved > SAVED_EVERY:
                _save(ReportCard(made_with, tuple(outcomes)), unfinished)
                saved = time.monotonic()
    except BaseException:
        if len(outcomes) > len(known):
            _save(ReportCard(made_with, tuple(outcomes)), unfinished)
        raise
    if not outcomes:
        raise UserError(NO_CASE.format(count=len(plan.pictures)))
    _save(ReportCard(made_with, tuple(outcomes)), path)
    unfinished.unlink(missing_ok=True)


def _resumed(files: Sequence[Path], made_with: Mapping[str, Any]) -> dict[str, KnownEvidenceOutcome]:
    """Key -> outcome of what an earlier run made in the same way; what cannot be read is made again."""
    found: dict[str, KnownEvidenceOutcome] = {}
    for file in files:
        try:
            earlier = read_card(read_plain_text(file), file.name)
        except (UserError, OSError, ValueError):
            continue
        if earlier.made_with == made_with:
            found |= {each.key: each for each in earlier.outcomes}
    return found


def _save(card: ReportCard, path: Path) -> None:
    with atomic_file(path) as file:
        file.write((json.dumps(card.to_json(), indent=1, ensure_ascii=False) + "\n").encode())
