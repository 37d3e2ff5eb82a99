"""What a view may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.service.classifier_registry import RegisteredClassifier
from app.service.example_gallery import ExamplePicture
from app.service.inspection_queue import InspectionJob
from app.service.regions import EvidenceRegion
from app.service.request import ExplanationState
from app.service.session import VisitedPicture
from app.service.stores.picture_uploads import UploadedPicture
from explainers.metrics.localisation.evidence_overlap import LocalisationScore

LabelledPictures = tuple[tuple[UploadedPicture, str], ...]
"""Pictures, each with the class that it shows; an unknown class is empty."""
Rows = tuple[Sequence[LocalisationScore], Sequence[LocalisationScore]]
"""How much of each map lies in the region, and the same of the baselines."""


@dataclass(frozen=True)
class PageState:
    """What one visitor's page shows at one moment, given to every view.

    run: the newest run of the session. report: None before there is a picture. entry: the chosen classifier, None once it is removed.
    labels: its classes, empty before it is loaded. examples: the pictures on offer. example: the one that is explained, if it is one.
    region: of this picture and classifier, if the visitor has given one. pictures: what the classifier would be inspected with.
    inspection: this visitor's newest, where it is of this classifier. seconds: preset -> about how long it takes on this machine.
    visits: the visitor's own pictures of this visit, the newest first.
    """

    run: int
    report: ExplanationState | None = None
    entry: RegisteredClassifier | None = None
    labels: tuple[str, ...] = ()
    examples: tuple[ExamplePicture, ...] = ()
    example: ExamplePicture | None = None
    region: EvidenceRegion | None = None
    region_rows: Rows = ((), ())
    pictures: LabelledPictures = ()
    inspection: InspectionJob | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    visits: tuple[VisitedPicture, ...] = ()
