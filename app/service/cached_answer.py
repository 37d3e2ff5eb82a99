"""The answer that the page shows before TensorFlow has loaded: worked out beforehand by the same code, and only valid for the same weights.

`python -m app.service.cached_answer` computes it again and writes `cached_answer.npz`; needed whenever a bundled classifier or a method
changes.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.explanation import fit_picture, key_of
from app.rendering import to_bytes
from app.service.classifier_registry import ClassifierRegistry
from app.service.example_gallery import ExampleGallery
from app.service.explanation_queue import ExplanationQueue
from app.service.job import ExplanationJob
from app.service.request import ExplanationRequest, ExplanationState
from explainers.grid import grid_cells
from explainers.method import Attribution
from explainers.methods import SEVEN
from explainers.metrics.agreement.agreement import Agreement, AgreementResult
from explainers.metrics.agreement.consistency import WEAKER, Background, consistency
from explainers.metrics.agreement.controls import CENTRE, EDGES, centre, edges
from explainers.metrics.agreement.reference_library import digest
from explainers.metrics.agreement.reference_library import read as library_at
from explainers.runner import Result
from models.cards.card import Card
from models.store import bundled

CLASSIFIER = "phantoms"
FILE = Path(__file__).with_name("cached_answer.npz")
WORDS = ("remark", "blank")


def first_question() -> ExplanationRequest:
    """What the page explains when it opens with the bundled classifiers."""
    return ExplanationRequest(CLASSIFIER, ExampleGallery(None).of(CLASSIFIER)[0].picture, tuple(method() for method in SEVEN))


def read(file: Path = FILE) -> ExplanationState | None:
    """The stored answer as a report, or None where classifier, picture or methods are others than when it was stored."""
    question, card = first_question(), Card.read(bundled()[CLASSIFIER].with_suffix(".json"))
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as stored:
        told = json.loads(str(stored["told"]))
        if told["made_for"] != _made_for(question, card):
            return None
        results = {name: _result(name, row, stored, question) for name, row in told["results"].items()}
        probabilities = stored["probabilities"]
    fitted = fit_picture(question.picture.data, card)
    fixed = {name: told[name] for name in ("target", "evaluations", "expected", "seconds")}
    photo = to_bytes(fitted.photo)
    return ExplanationState(question, "done", card, fitted.image, photo, probabilities, results=results, stored=True, **fixed)


def cached_consistency(report: ExplanationState) -> dict[str, Any]:
    """What can be said of a stored answer's agreement before its classifier is there: all but the control by an untrained network."""
    assert report.image is not None
    weights = bundled()[CLASSIFIER]
    library = library_at(weights.with_suffix(".library.npz")) if weights.with_suffix(".library.npz").exists() else None
    controls = {EDGES: edges(report.image, grid_cells(report.image.shape[:2])), CENTRE: centre(grid_cells(report.image.shape[:2]))}
    background = Background(library, digest(report.image), controls)
    found = consistency(list(report.results.values()), report.image.shape[:2], background, {})
    others = len(library.pictures) if library and not found.weaker else 0
    return {"findings": {Agreement.key: (AgreementResult(found, (WEAKER,) if found.weaker else (), others),)}}


def write(report: ExplanationState, file: Path = FILE) -> None:
    """Stores a finished report."""
    assert report.card is not None
    told: dict[str, Any] = {name: getattr(report, name) for name in ("target", "evaluations", "expected", "seconds")}
    told |= {"made_for": _made_for(report.question, report.card), "results": {}}
    arrays: dict[str, Any] = {"probabilities": report.probabilities}
    for name, result in report.results.items():
        attribution = result.attribution
        assert attribution is not None
        told["results"][name] = {
            "evaluations": result.evaluations, "shared": result.shared, "seconds": result.seconds,
            "uncertainty": attribution.uncertainty, "converged": attribution.converged, "more_helps": attribution.more_helps,
            **{word: getattr(attribution, word) for word in WORDS},
        }  # fmt: skip
        arrays[f"{name}.values"] = attribution.values
        if attribution.signed is not None:
            arrays[f"{name}.signed"] = attribution.signed
        if attribution.halves is not None:
            arrays[f"{name}.halves"] = np.stack(attribution.halves)
    np.savez_compressed(file, allow_pickle=False, told=np.array(json.dumps(told)), **arrays)


def work_out() -> ExplanationState:
    """Asks the first question as the page does and waits for its answer."""
    jobs = ExplanationQueue(ClassifierRegistry([CLASSIFIER]), concurrency=1, queue=1, budget=600)
    job: ExplanationJob = jobs.submit(first_question())
    while not job.report.final:
        time.sleep(0.1)
    jobs.close()
    return job.report


def _made_for(question: ExplanationRequest, card: Card) -> dict[str, Any]:
    methods = {key_of(method): method.parameter_values() for method in question.methods}
    made_for = {
        "weights": card.sha256,
        "temperature": card.temperature,
        "picture": question.picture.sha256,
        "preset": question.preset,
        "methods": methods,
        "plans": {key_of(method): method.revision for method in question.methods},
    }
    return json.loads(json.dumps(made_for))  # type: ignore[no-any-return]


def _result(name: str, row: dict[str, Any], stored: Any, question: ExplanationRequest) -> Result:
    method = next(method for method in question.methods if key_of(method) == name)
    signed = stored.get(f"{name}.signed")
    words = {word: row[word] for word in WORDS}
    halves = stored.get(f"{name}.halves")
    pair = None if halves is None else (halves[0], halves[1])
    known = {name: row[name] for name in ("uncertainty", "converged", "more_helps")}
    attribution = Attribution(stored[f"{name}.values"], signed, pair, **known, **words)
    return Result(method, attribution, evaluations=row["evaluations"], shared=row["shared"], seconds=row["seconds"], done=True)


if __name__ == "__main__":
    write(work_out())
    print(f"Wrote {FILE.name} ({FILE.stat().st_size / 1e3:.0f} kB).")
