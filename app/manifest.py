"""What has to be known to make the same maps again, as JSON: model, pictures, scores, parameters, seeds, cost, versions."""

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.choosing import method_name
from app.options import ExplainOptions
from app.render import SCALE_RULE
from errors import UserError
from explainers.case import Case, Settings
from explainers.study import Result
from models.card import sha256_of
from models.files import model_file

if TYPE_CHECKING:
    from models.classifier import Classifier

SCHEMA = 1
LIBRARIES = ("tensorflow", "keras", "tf_keras", "numpy", "scikit-image", "opencv-python-headless", "pillow", "lime", "shap")
LIKELIEST = 5


def head_of(options: ExplainOptions, classifier: "Classifier", settings: Settings) -> dict[str, Any]:
    """The part that holds for all pictures."""
    card = {name: value for name, value in asdict(classifier.card).items() if name != "labels"}
    return {
        "schema": SCHEMA,
        "made_by": "Crosscheck, python -m app explain",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {
            "given_as": options.model,
            "sha256": model_sha256(options.model, classifier),
            "classes": len(classifier.labels),
            "card": card,
        },
        "settings": asdict(settings),
        "colours": SCALE_RULE,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def model_sha256(name: str, classifier: "Classifier") -> str | None:
    """Of the weights' file; None for a model that lies in no file."""
    if classifier.card.sha256:
        return classifier.card.sha256
    try:
        return sha256_of(model_file(Path(name)))
    except (UserError, OSError):
        return None


def picture_entry(file: str, sha256: str, case: Case, maps: list[dict[str, Any]]) -> dict[str, Any]:
    """One picture: what the classifier said, what was explained, its maps, and what the maps cost."""
    labels = case.classifier.labels
    probabilities = case.classifier.predict(case.image)
    score = {**asdict(case.score), "label": labels[case.score.target]}
    if score["rather_than"] is not None:
        score["rather_than_label"] = labels[score["rather_than"]]
    likeliest = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    return {
        "file": file,
        "sha256": sha256,
        "prediction": [{"class": int(i), "label": labels[i], "probability": round(float(probabilities[i]), 6)} for i in likeliest],
        "explained": score,
        "evaluations": case.evaluations,
        "maps": maps,
    }


def map_entry(result: Result, where: str) -> dict[str, Any]:
    """One map: who made it, what it cost, how far it can be trusted, and where it lies. `where`: picture/method."""
    method, attribution = result.method, result.attribution
    entry = {
        "method": method_name(method),
        "title": method.title,
        "signed": method.signed,
        "source": method.source,
        "parameters": asdict(method),
        "evaluations": result.evaluations,
        "shared_evaluations": result.shared,
        "seconds": round(result.seconds, 3),
    }
    if attribution is not None:
        entry |= {"overlay": f"{where}.png", "native": f"{where}/native", "full": f"{where}/full", "grid": list(attribution.values.shape)}
        entry |= {"converged": attribution.converged, "uncertainty": attribution.uncertainty}
        entry |= {"remark": attribution.remark, "blank": attribution.blank}
    return {**entry, "error": result.error} if result.error else entry
