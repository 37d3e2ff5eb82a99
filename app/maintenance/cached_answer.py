"""Computes the answer that the page shows before TensorFlow has loaded, and writes it to `app/service/cached_answer.npz`.

Needed whenever a bundled classifier or a method changes: `python -m app.maintenance.cached_answer`.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from app.service.cached_answer import CLASSIFIER, FILE, cached_answer_key, first_page_request
from app.service.classifier_registry import ClassifierRegistry
from app.service.explanation_queue import ExplanationQueue
from app.service.request import ExplanationState


def compute_first_page_answer() -> ExplanationState:
    """The answer to the page's first request."""
    queue = ExplanationQueue(ClassifierRegistry([CLASSIFIER]), concurrency=1, queue=1, budget=600)
    job = queue.submit(first_page_request())
    while not job.report.final:
        time.sleep(0.1)
    queue.close()
    return job.report


def write_cached_answer(report: ExplanationState, file: Path = FILE) -> None:
    """Stores a finished answer."""
    assert report.card is not None
    facts: dict[str, Any] = {
        "target": report.target,
        "evaluations": report.evaluations,
        "expected": report.expected,
        "seconds": report.seconds,
        "made_for": cached_answer_key(report.request, report.card),
        "results": {},
    }
    arrays: dict[str, Any] = {"probabilities": report.probabilities}
    for name, result in report.results.items():
        attribution = result.attribution
        assert attribution is not None
        facts["results"][name] = {
            "evaluations": result.evaluations,
            "shared": result.shared,
            "seconds": result.seconds,
            "uncertainty": attribution.uncertainty,
            "converged": attribution.converged,
            "more_helps": attribution.more_helps,
            "remark": attribution.remark,
            "blank": attribution.blank,
        }
        arrays[f"{name}.values"] = attribution.values
        if attribution.signed is not None:
            arrays[f"{name}.signed"] = attribution.signed
        if attribution.halves is not None:
            arrays[f"{name}.halves"] = np.stack(attribution.halves)
    np.savez_compressed(file, allow_pickle=False, told=np.array(json.dumps(facts)), **arrays)


if __name__ == "__main__":
    write_cached_answer(compute_first_page_answer())
    print(f"Wrote {FILE.name} ({FILE.stat().st_size / 1e3:.0f} kB).")
