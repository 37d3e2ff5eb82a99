"""What a model of guessed preprocessing would predict under the other usual ones: a guess must not pass for a fact.

A few evaluations of one picture; which preprocessing is right, only pictures of known class can show (`preprocessing_recommendation`).
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.cards.card import Card, CardNote, Colour, Scaling
from models.cards.channel_statistics import CAFFE_MEAN, IMAGENET_DEVIATION, IMAGENET_MEAN, LUMINANCE

Floats = NDArray[np.float32]

LIKELY: tuple[tuple[Scaling, Colour], ...] = (("0..1", "rgb"), ("-1..1", "rgb"), ("0..255", "rgb"), ("imagenet", "rgb"), ("caffe", "bgr"))
_LIKELY_GREY: tuple[Scaling, ...] = ("0..1", "-1..1", "0..255")
_COLOURLESS = 1 / 255


class _Predictor(Protocol):
    card: Card

    def outputs(self, images: Floats) -> Floats: ...

    def probabilities(self, outputs: Floats) -> Floats: ...


@dataclass(frozen=True)
class PreprocessingAnswer:
    """The likeliest class (its number and name) and its probability under a scaling and channel order, named as on cards."""

    scaling: Scaling
    colour: Colour
    target: int
    label: str
    probability: float

    @property
    def name(self) -> str:
        """The scaling, and the channel order where it is not RGB."""
        return self.scaling if self.colour == "rgb" else f"{self.scaling} {self.colour.upper() if self.colour == 'bgr' else 'grey'}"

    def to_json(self) -> dict[str, Any]:
        return {
            "scaling": self.scaling,
            "colour": self.colour,
            "class": self.target,
            "label": self.label,
            "probability": round(self.probability, 6),
        }


@dataclass(frozen=True)
class PreprocessingAlternatives:
    """assumed: the answer that is shown. others: under the other usual preprocessing. because: why the assumed one was assumed."""

    assumed: PreprocessingAnswer
    others: tuple[PreprocessingAnswer, ...]
    because: str

    @property
    def disagree(self) -> bool:
        """Whether another one predicts another class."""
        return any(each.target != self.assumed.target for each in self.others)

    def to_json(self) -> dict[str, Any]:
        return {
            "assumed": self.assumed.to_json(),
            "others": [each.to_json() for each in self.others],
            "because": self.because,
            "disagree": self.disagree,
        }


def is_preprocessing_guessed(card: Card) -> bool:
    """Whether the card was inferred and its scaling is no more than assumed."""
    return card.inferred and any(CardNote.ASSUMED_SCALING.begins(note) for note in card.notes)


def compare_preprocessing(classifier: _Predictor, image: Floats) -> PreprocessingAlternatives | None:
    """The predictions for an image (H, W, 3) as the classifier takes it; None where its preprocessing is known or cannot be taken back.

    Answers that are not finite are left out.
    """
    card = classifier.card
    if not is_preprocessing_guessed(card) or card.scaling == "per-picture":
        return None
    schemes = [(card.scaling, card.colour), *(each for each in _likely(card, image) if each != (card.scaling, card.colour))]
    images = np.stack([_as_if(image, card, scaling, colour) for scaling, colour in schemes])
    with np.errstate(all="ignore"):
        found = np.asarray(classifier.probabilities(classifier.outputs(images)), np.float64)
    answers = [
        PreprocessingAnswer(scaling, colour, int(row.argmax()), card.labels[int(row.argmax())].name, float(row.max()))
        for (scaling, colour), row in zip(schemes, found, strict=True)
        if np.isfinite(row).all()
    ]
    if not answers or (answers[0].scaling, answers[0].colour) != schemes[0]:
        return None
    note = next(note for note in card.notes if CardNote.ASSUMED_SCALING.begins(note))
    return PreprocessingAlternatives(answers[0], tuple(answers[1:]), note.partition("because ")[2].rstrip("."))


def describe_alternatives(found: PreprocessingAlternatives) -> str:
    """In two sentences for a terminal or the page."""
    reason = f", because {found.because}" if found.because else ""
    start = f"How this model wants its pictures is a guess ({found.assumed.name}{reason})."
    answers = (found.assumed, *found.others)
    if not found.disagree:
        shares = [each.probability for each in answers]
        return f"{start} In every usual way it says {found.assumed.label}, with {_percent(min(shares))} to {_percent(max(shares))}."
    listed = "; ".join(f"with {each.name}: {each.label} {_percent(each.probability)}" for each in answers)
    return f"{start} {listed[0].upper()}{listed[1:]}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _likely(card: Card, image: Floats) -> list[tuple[Scaling, Colour]]:
    if card.colour == "grey":
        return [(scaling, "grey") for scaling in _LIKELY_GREY]
    found = list(LIKELY)
    if float(np.ptp(image, axis=-1).max(initial=0)) > _COLOURLESS:
        found.append((card.scaling, "rgb" if card.colour == "bgr" else "bgr"))
    return found


def _as_if(image: Floats, card: Card, scaling: Scaling, colour: Colour) -> Floats:
    """(H, W, 3) RGB 0..1 -> the image of which the card's preprocessing makes what this scaling and channel order make of the given one."""
    if card.colour == "grey":
        image = np.repeat((image * np.array(LUMINANCE)).sum(-1, keepdims=True), 3, axis=-1)
    scale, offset = _affine(scaling)
    own_scale, own_offset = _affine(card.scaling)
    prepared = image * scale + offset
    if colour != card.colour and "grey" not in (colour, card.colour):
        prepared = prepared[..., ::-1]
    return np.asarray((prepared - own_offset) / own_scale, np.float32)


def _affine(scaling: Scaling) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What an RGB image of 0 to 1 is multiplied by, and what is added then, per channel."""
    deviation, mean = np.array(IMAGENET_DEVIATION), np.array(IMAGENET_MEAN)
    known: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {
        "0..1": (np.ones(3), np.zeros(3)),
        "-1..1": (np.full(3, 2.0), np.full(3, -1.0)),
        "0..255": (np.full(3, 255.0), np.zeros(3)),
        "imagenet": (1 / deviation, -mean / deviation),
        "caffe": (np.full(3, 255.0), -np.array(CAFFE_MEAN)),
    }
    return known[scaling]
