"""The result of an inspection: findings with how each is known; plain values for JSON."""

from dataclasses import dataclass
from typing import Any, Literal

from models.cards.card import Card

Level = Literal["fact", "warning", "refused"]
About = Literal["file", "inputs", "outputs", "head", "labels", "layers", "branches", "preprocessing", "weights", "answers"]


@dataclass(frozen=True)
class InspectionFinding:
    """One sentence about a model, and one on how it is known. A warning says what to do about it."""

    about: About
    says: str
    known_by: str
    level: Level = "fact"

    def to_json(self) -> dict[str, Any]:
        return {"about": self.about, "says": self.says, "known_by": self.known_by, "level": self.level}


@dataclass(frozen=True)
class LayerReport:
    """A spatial layer: its grid (h, w), channels, receptive field (height, width) in pixels of the input.

    receptive_field: None where every cell sees the whole picture. used: whether the CAM family reads it by default.
    """

    name: str
    grid: tuple[int, int]
    channels: int
    receptive_field: tuple[int, int] | None
    used: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "grid": self.grid,
            "channels": self.channels,
            "receptive_field": self.receptive_field,
            "used": self.used,
        }


@dataclass(frozen=True)
class PreprocessingCandidate:
    """One preprocessing, and the model's figures under it.

    accuracy, auc: shares over the pictures whose classes are known, or None. confidence: mean probability of the named class. entropy:
    in bits, mean over the pictures. stability: share of images whose class stays under harmless perturbations. spread: entropy in bits of
    the classes predicted over all images; 0 where all are the same. commonest: the class predicted most. score: what the
    candidates are ranked by.
    """

    scaling: str
    colour: str
    accuracy: float | None
    auc: float | None
    confidence: float
    entropy: float
    stability: float
    spread: float
    commonest: str
    score: float

    def to_json(self) -> dict[str, Any]:
        return {
            "scaling": self.scaling,
            "colour": self.colour,
            "accuracy": self.accuracy,
            "auc": self.auc,
            "confidence": self.confidence,
            "entropy": self.entropy,
            "steadiness": self.stability,
            "spread": self.spread,
            "commonest": self.commonest,
            "score": self.score,
        }


@dataclass(frozen=True)
class InspectionReport:
    """Everything an inspection reports about the model called `name`.

    candidates: best first; empty where no pictures were given. certainty: one sentence on how certain the ranking is. card: the current
    one, None where the model cannot be opened. proposed: the card to write, None where the current one is the best known. pictures: how
    many the model was evaluated on; classes_known: how many of them had a known class.
    """

    name: str
    findings: tuple[InspectionFinding, ...]
    layers: tuple[LayerReport, ...] = ()
    candidates: tuple[PreprocessingCandidate, ...] = ()
    certainty: str = ""
    card: Card | None = None
    proposed: Card | None = None
    pictures: int = 0
    classes_known: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "findings": [each.to_json() for each in self.findings],
            "layers": [each.to_json() for each in self.layers],
            "candidates": [each.to_json() for each in self.candidates],
            "sure": self.certainty,
            "card": self.card.to_json() if self.card else None,
            "proposed": self.proposed.to_json() if self.proposed else None,
            "pictures": self.pictures,
            "classes_known": self.classes_known,
        }
