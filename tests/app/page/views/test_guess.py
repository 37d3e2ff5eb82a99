"""What the page says where a classifier's preprocessing is a guess."""

import numpy as np

from app.page.views.prediction import preprocessing_guess_view
from app.service.request import ExplanationRequest, ExplanationState
from app.service.stores.picture_uploads import UploadedPicture
from models.cards.card import Card, ClassLabel
from models.inspection.preprocessing_alternatives import PreprocessingAlternatives, PreprocessingAnswer

CARD = Card("net", (ClassLabel("COVID"), ClassLabel("NORMAL")), (8, 8), inferred=True)
REQUEST = ExplanationRequest("net", UploadedPicture.of(b"", "x.png"), ())
ASSUMED = PreprocessingAnswer("0..1", "rgb", 0, "COVID", 0.94)
OTHER = PreprocessingAnswer("0..255", "rgb", 1, "NORMAL", 0.51)


def test_a_guess_is_said_beside_the_prediction() -> None:
    found = PreprocessingAlternatives(ASSUMED, (OTHER,), "nothing in the model says otherwise")
    report = ExplanationState(REQUEST, card=CARD, probabilities=np.array([0.94, 0.06], np.float32), target=0, alternatives=found)
    value = preprocessing_guess_view(report, 1)["guess"]
    assert value["text"].endswith("With 0..1: COVID 94 %; with 0..255: NORMAL 51 %.")
    assert value["disagree"]
    assert value["others"] == [{"scaling": "0..255", "colour": "rgb", "class": 1, "label": "NORMAL", "probability": 0.51}]


def test_without_a_guess_nothing_is_said() -> None:
    report = ExplanationState(REQUEST, card=CARD, probabilities=np.array([0.94, 0.06], np.float32), target=0)
    assert preprocessing_guess_view(report, 1)["guess"] is None
