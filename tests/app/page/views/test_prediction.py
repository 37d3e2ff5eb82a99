"""The prediction's view of a model that gives a number: its value and unit, and no bars of confidence."""

import numpy as np

from app.formatting import format_quantity
from app.page.views.prediction import prediction_view
from app.service.request import ExplanationRequest, ExplanationState
from app.service.stores.picture_uploads import UploadedPicture
from models.cards.card import Card, ClassLabel


def test_a_number_is_shown_with_its_unit() -> None:
    card = Card("age", (ClassLabel("age"),), (8, 8), head="number", unit="years")
    request = ExplanationRequest("m", UploadedPicture.of(b"x", "x"), ())
    state = ExplanationState(request, "done", card, None, None, np.array([-37.214], np.float32), 0)
    view = prediction_view(state, 3)
    assert [(bar["label"], bar["share"], bar["size"]) for bar in view["bars"]] == [("age", "−37.21 years", 0.0)]
    assert view["run"] == 3
    assert "raises “age”" in view["about"]


def test_a_quantity_in_words() -> None:
    assert [format_quantity(value, unit) for value, unit in ((0.5, ""), (12345.6, "mm"), (-2, "D"))] == ["0.5", "1.235e+04 mm", "−2 D"]
