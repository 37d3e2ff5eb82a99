"""The manifest: everything needed to reproduce the maps, as JSON."""

import json
import math
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from app.commands.arguments import method_slug
from app.commands.provenance import git_commit_hash, installed_package_version
from app.model_files import model_sha256
from app.options import ExplainOptions
from app.rendering import SCALE_RULE
from explainers.baselines import FILLS
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import MethodResult
from models.cards.card import Card, Fit
from models.classifiers.score import Score
from models.images.picture_placement import compute_placement

if TYPE_CHECKING:
    from models.loading import Served

SCHEMA = 2
LIBRARIES = (
    *("tensorflow", "keras", "tf_keras", "numpy", "scipy", "scikit-learn", "scikit-image"),
    *("opencv-python-headless", "pillow", "lime", "shap"),
)
LIKELIEST = 5


def manifest_header(options: ExplainOptions, classifier: "Served", settings: ExplanationSettings) -> dict[str, Any]:
    """What all pictures have in common."""
    card = {name: value for name, value in classifier.card.to_json().items() if name != "labels"}
    return {
        "schema": SCHEMA,
        "made_by": "Crosscheck, python -m app explain",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {
            "given_as": options.model,
            "sha256": model_sha256(options.model, classifier),
            "classes": len(classifier.labels),
            "card": card,
            "metadata": {"values": classifier.metadata, "said": classifier.metadata_text},
        },
        "engine": classifier.engine.to_json(),
        "settings": settings.to_json(),
        "colours": SCALE_RULE,
        "versions": {
            "crosscheck": git_commit_hash(),
            "python": platform.python_version(),
            **{name: installed_package_version(name) for name in LIBRARIES},
        },
    }


def to_strict_json(manifest: dict[str, Any]) -> str:
    """Strict JSON: NaN and infinity become null."""
    return json.dumps(_finite(manifest), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class PictureSource:
    """A picture file: name, sha256, (h, w) in pixels of the upright picture, and as decoded, which may be smaller.

    page, pages, notes: as of `models.images.decoded_picture`.
    """

    file: str
    sha256: str
    size: tuple[int, int]
    decoded: tuple[int, int]
    page: int = 1
    pages: int = 1
    notes: tuple[str, ...] = ()


def picture_manifest_entry(source: PictureSource, case: Case, classifier: "Served", maps: list[dict[str, Any]]) -> dict[str, Any]:
    """One picture: what the classifier got of it, its prediction, what was explained, its maps, and what the maps cost."""
    assert isinstance(case.score, Score)
    labels = classifier.labels
    probabilities = classifier.predict(case.image)
    score = {**case.score.to_json(), "label": labels[case.score.target]}
    if score["rather_than"] is not None:
        score["rather_than_label"] = labels[score["rather_than"]]
    likeliest = np.argsort(-probabilities, kind="stable")[:LIKELIEST]
    return {
        "file": source.file,
        "sha256": source.sha256,
        "page": source.page,
        "pages": source.pages,
        "notes": list(source.notes),
        "geometry": _geometry(source, case.size, classifier.card.fit),
        "prediction": [_predicted(int(i), labels[i], float(probabilities[i]), classifier.card) for i in likeliest],
        "explained": score,
        "scores": _scores(case, maps),
        "layers": [{"name": layer.name, "grid": list(layer.grid), "channels": layer.channels} for layer in case.layers],
        "evaluations": case.evaluations,
        "maps": maps,
    }


def _predicted(number: int, label: str, value: float, card: Card) -> dict[str, Any]:
    """One class with its probability, or one measured quantity with its unit."""
    if card.head == "number":
        return {"class": number, "label": label, "value": value, "unit": card.unit}
    return {"class": number, "label": label, "probability": round(value, 6)}


def _geometry(source: PictureSource, map_size: tuple[int, int], fit: Fit) -> dict[str, Any]:
    """How a full map (H, W) lies on the picture. Boxes are top, left, height, width.

    size: of the file's picture, upright. content: of a full map, where the picture is; the rest is bars. shown: the part of the
    picture that `content` covers, in the picture's pixels.
    """
    place = compute_placement(source.decoded, map_size, fit)
    down, across = (full / side for full, side in zip(source.size, source.decoded, strict=True))
    top, left, height, width = place.source
    shown = [round(top * down), round(left * across), round(height * down), round(width * across)]
    return {"size": list(source.size), "map_size": list(map_size), "fit": fit, "content": list(place.content), "shown": shown}


def _scores(case: Case, maps: list[dict[str, Any]]) -> dict[str, Any]:
    """The score of the picture and of each fill that a map compares it with: complete maps sum to their difference."""
    fills = {case.fill, *(each["parameters"].get("baseline", case.fill) for each in maps)} & set(FILLS)
    return {"picture": case.image_value, "fills": {fill: float(case.values(case.fill_logits(fill))[0]) for fill in sorted(fills)}}


def map_manifest_entry(result: MethodResult, where: str) -> dict[str, Any]:
    """One map: its method, cost, convergence, and names in the output folder. where: picture/method."""
    method, attribution = result.method, result.attribution
    entry = {
        "method": method_slug(method),
        "title": method.title,
        "signed": method.signed,
        "source": method.source,
        "parameters": method.parameter_values(),
        "evaluations": result.evaluations,
        "shared_evaluations": result.shared,
        "seconds": round(result.seconds, 3),
    }
    if attribution is not None:
        entry |= {"overlay": f"{where}.png", "native": f"{where}/native", "full": f"{where}/full", "grid": list(attribution.values.shape)}
        entry |= {"converged": attribution.converged, "uncertainty": attribution.uncertainty}
        entry |= {"remark": attribution.remark, "blank": attribution.blank, "caveat": attribution.caveat}
        entry["branches"] = [{"layer": name, "native_signed": f"{where}_branches/{name}"} for name, _ in attribution.branches]
        if attribution.signed is not None:
            entry["native_signed"] = f"{where}_signed"
    return {**entry, "error": result.error} if result.error else entry
