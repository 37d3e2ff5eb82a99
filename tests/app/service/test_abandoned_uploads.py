"""An uploaded model that still evaluates for a visitor who has left is ended with its process; nothing else is."""

from threading import Event

import pytest

from app.service import limits
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_job import ExplanationJob
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationRequest
from app.service.stores.picture_uploads import UploadedPicture
from models.classifiers.sandboxed_classifier import SandboxedClassifier
from tests.patience import PATIENCE


class Recorded(SandboxedClassifier):
    """Records instead of ending its process, which it has not."""

    def __init__(self) -> None:
        self.interrupted = Event()

    def interrupt(self) -> None:
        self.interrupted.set()


@pytest.mark.parametrize(("uploaded", "evaluating", "ended"), [(True, True, True), (True, False, False), (False, True, False)])
def test_what_is_still_evaluated_is_ended(monkeypatch: pytest.MonkeyPatch, uploaded: bool, evaluating: bool, ended: bool) -> None:
    monkeypatch.setattr(limits, "UPLOADED_ABANDONED_SECONDS", 0.0)
    registry = ClassifierRegistry(["glass_box"])
    queue, served, entry = ExplanationQueue(registry, 1, 2, 60.0), Recorded(), registry.entries["glass_box"]
    entry.state = "ready"
    entry.future.set_result(served)
    job = ExplanationJob(ExplanationRequest("glass_box", UploadedPicture.of(b"", "a"), ()), queue._abandon)
    job.uploaded, job.evaluating = uploaded, evaluating

    def nobody() -> None:
        pass

    job.subscribe(nobody)
    job.unsubscribe(nobody)
    assert job.abandoned
    assert served.interrupted.wait(PATIENCE if ended else 0.05) == ended
    queue.close()
