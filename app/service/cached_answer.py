"""The answer that the page shows before TensorFlow has loaded; only valid for the same weights, picture and methods.

`python -m app.maintenance.cached_answer` computes it again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.explanation import fit_picture_to_input, method_key
from app.rendering import to_uint8
from app.service.example_gallery import ExampleGallery
from app.service.request import ExplanationRequest, ExplanationState
from explainers.baselines import make_baseline_image
from explainers.explanation_case import ExplanationSettings
from explainers.method import Attribution
from explainers.method_runner import MethodResult
from explainers.methods import SEVEN
from explainers.metrics.agreement.agreement import AgreementMetric, AgreementResult
from explainers.metrics.agreement.consistency import NO_CHANCE, ReferenceMaps, measure_consistency
from explainers.metrics.agreement.control_maps import picture_controls
from explainers.metrics.agreement.reference_library import image_digest
from explainers.metrics.agreement.reference_library import read_map_library as library_at
from models.cards.card import Card
from models.sandbox.picture_decoder import decode_picture_confined
from models.store import bundled_models

CLASSIFIER = "phantoms"
FILE = Path(__file__).with_name("cached_answer.npz")


def first_page_request() -> ExplanationRequest:
    """What the page explains when it opens with the bundled classifiers."""
    return ExplanationRequest(CLASSIFIER, ExampleGallery(None).of(CLASSIFIER)[0].picture, tuple(method() for method in SEVEN))


def read_cached_answer(file: Path = FILE) -> ExplanationState | None:
    """The stored answer, or None where the classifier, the picture or a method has changed since."""
    request, card = first_page_request(), Card.read(bundled_models()[CLASSIFIER].with_suffix(".json"))
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as stored:
        facts = json.loads(str(stored["told"]))
        if facts["made_for"] != cached_answer_key(request, card):
            return None
        results = {name: _result(name, row, stored, request) for name, row in facts["results"].items()}
        probabilities = stored["probabilities"]
    fitted = fit_picture_to_input(decode_picture_confined(request.picture.data), card)
    fixed = {name: facts[name] for name in ("target", "evaluations", "expected", "seconds")}
    photo = to_uint8(fitted.photo)
    return ExplanationState(request, "done", card, fitted.image, photo, probabilities, results=results, stored=True, **fixed)


def consistency_of_cached_answer(report: ExplanationState) -> dict[str, Any]:
    """A stored answer's agreement, as far as it is known before its classifier is loaded: without the control by an untrained network."""
    assert report.image is not None
    weights = bundled_models()[CLASSIFIER]
    library = library_at(weights.with_suffix(".library.npz")) if weights.with_suffix(".library.npz").exists() else None
    controls = picture_controls(report.image, make_baseline_image(report.image, ExplanationSettings().fill, None))
    background = ReferenceMaps(library, image_digest(report.image), controls, report.target)
    found = measure_consistency(list(report.results.values()), report.image.shape[:2], background, {})
    others = len(library.pictures) if library and found.weighed else 0
    return {"findings": {AgreementMetric.key: (AgreementResult(found, () if others else (NO_CHANCE,), others),)}}


def cached_answer_key(request: ExplanationRequest, card: Card) -> dict[str, Any]:
    """What the stored answer depends on."""
    methods = {method_key(method): method.parameter_values() for method in request.methods}
    found = {
        "weights": card.sha256,
        "temperature": card.temperature,
        "picture": request.picture.sha256,
        "preset": request.preset,
        "methods": methods,
        "plans": {method_key(method): method.revision for method in request.methods},
    }
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


def _result(name: str, row: dict[str, Any], stored: Any, request: ExplanationRequest) -> MethodResult:
    method = next(method for method in request.methods if method_key(method) == name)
    signed = stored.get(f"{name}.signed")
    halves = stored.get(f"{name}.halves")
    attribution = Attribution(
        values=stored[f"{name}.values"],
        signed=signed,
        halves=None if halves is None else (halves[0], halves[1]),
        uncertainty=row["uncertainty"],
        converged=row["converged"],
        more_helps=row["more_helps"],
        remark=row["remark"],
        blank=row["blank"],
    )
    return MethodResult(method, attribution, evaluations=row["evaluations"], shared=row["shared"], seconds=row["seconds"], done=True)
