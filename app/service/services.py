"""Everything behind the page, built once per server."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.options import ServeOptions
from app.service import cached_answer
from app.service.classifier_registry import BUNDLED, EVERYDAY, ClassifierRegistry, are_weights_fetched, title_in_classifier_list
from app.service.example_gallery import ExampleGallery
from app.service.explanation_queue import ExplanationQueue
from app.service.inspection_queue import InspectionQueue
from app.service.library_queue import LibraryQueue
from app.service.metric_queue import MetricQueue
from app.service.metric_state import AGREEMENT, MetricState
from app.service.session import SessionStore
from app.service.stores.model_uploads import ModelUploads
from app.service.stores.owned_folders import delete_orphaned_folders
from app.service.stores.picture_uploads import PictureUploads
from errors import UserError
from explainers.method import Method
from explainers.methods import METHODS, SEVEN
from models.graph.engine.choice import InferenceEngine
from models.sandbox.confinement_trial import reason_uploads_are_refused
from models.sandbox.picture_decoder import shared_picture_decoder
from models.sandbox.sandbox_user import SandboxUser
from models.store import bundled_models

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """methods: name -> method with its default parameters. usual: those that are chosen when the page opens."""

    registry: ClassifierRegistry
    explanations: ExplanationQueue
    metrics: MetricQueue
    inspections: InspectionQueue
    libraries: LibraryQueue
    sessions: SessionStore
    uploads: PictureUploads
    model_uploads: ModelUploads | None
    examples: ExampleGallery
    methods: Mapping[str, Method]
    usual: tuple[Method, ...]

    @classmethod
    def build(cls, options: ServeOptions) -> "Services":
        """UserError where a setting is wrong."""
        user = SandboxUser.of(options.sandbox_user) if options.allow_model_upload else None
        everyday = (EVERYDAY,) if options.download or are_weights_fetched(EVERYDAY) else ()
        names = (*options.models, *(name for name in BUNDLED if name in bundled_models()), *everyday)
        registry = ClassifierRegistry(names, options.trust, user, InferenceEngine(options.engine))
        explanations = ExplanationQueue(registry, options.concurrency, options.queue, options.budget)
        sessions = SessionStore()
        explanations.picture_in_use = sessions.references
        methods = {method.__name__: method() for method in METHODS}
        return cls(
            registry,
            explanations,
            explanations.metrics,
            InspectionQueue(registry, explanations.idle),
            LibraryQueue(registry, explanations.metrics, explanations.idle, options.examples),
            sessions,
            PictureUploads(),
            _model_uploads(options, registry, sessions, user),
            ExampleGallery(options.examples),
            methods,
            tuple(methods[method.__name__] for method in SEVEN),
        )

    def start(self) -> None:
        """Removes what a killed server has left, starts the picture decoder and begins to load the first classifier.

        Until it is ready, the first visitor sees the stored answer.
        """
        if removed := delete_orphaned_folders():
            log.warning("A killed server left %d folders with visitors' models; they are deleted.", removed)
        shared_picture_decoder().start()
        if self.registry.first == cached_answer.CLASSIFIER and (stored := cached_answer.read_cached_answer()):
            job = self.explanations.add(replace(stored, measures=MetricState(running=AGREEMENT)))
            self.metrics.score_stored(job, lambda: cached_answer.consistency_of_cached_answer(stored))
        self.registry.start(self.registry.first, awaited=False)
        self._build_missing_library()

    def _build_missing_library(self) -> None:
        """Of the first classifier, where the host's examples are enough for one; said in the log where they are not."""
        if self.libraries.has_pictures and self.libraries.is_missing(self.registry.first):
            try:
                self.libraries.submit(self.registry.first)
            except UserError as reason:
                log.info("No library is built of %s: %s", self.registry.first, reason)

    def close(self) -> None:
        """Stops all jobs and the processes that decode pictures, and removes the uploaded models."""
        self.explanations.close()
        self.inspections.close()
        self.libraries.close()
        shared_picture_decoder().close()
        if self.model_uploads:
            self.model_uploads.close()

    def evict(self) -> None:
        """Drops unused sessions, uploads and answers."""
        self.sessions.evict()
        self.uploads.evict()
        self.explanations.evict()
        if self.model_uploads:
            self.model_uploads.evict()
        self.inspections.evict()

    def classifier_choices(self, owner: str = "") -> list[tuple[str, str]]:
        """Title and name of every classifier that a visitor may choose: those for everybody and the models they have uploaded."""
        own = self.model_uploads.of(owner) if self.model_uploads else []
        return [
            (title_in_classifier_list(entry), name)
            for name, entry in list(self.registry.entries.items())
            if not entry.uploaded or name in own
        ]


def _model_uploads(
    options: ServeOptions, registry: ClassifierRegistry, sessions: SessionStore, user: SandboxUser | None
) -> ModelUploads | None:
    """None where visitors may upload no models, or where the system cannot confine a model."""
    if not options.allow_model_upload:
        return None
    if obstacle := reason_uploads_are_refused(user):
        log.warning("--allow-model-upload is off. %s", obstacle)
        return None
    return ModelUploads(registry, sessions.present, sessions.rested, user)
