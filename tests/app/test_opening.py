"""What is compiled when the page has loaded a classifier."""

from dataclasses import replace

import numpy as np
import pytest

from app.opening import compile_the_rest, seconds_a_picture
from explainers.case import Case, Settings
from explainers.methods import SEVEN
from explainers.study import study
from models.classifier import Classifier
from models.loading import load
from models.score import Score
from models.store import bundled


@pytest.fixture
def fresh() -> Classifier:
    found = load(bundled()["glass_box"])
    assert isinstance(found, Classifier)
    return found


def test_the_first_study_compiles_nothing_more(fresh: Classifier) -> None:
    assert min(seconds_a_picture(fresh)) > 0
    compile_the_rest(fresh)
    compiled = len(fresh.trace._functions)
    image = np.random.default_rng(0).random((*fresh.size, 3), np.float32)
    results = list(study(Case(fresh, image, Score(1), Settings("Fast")), [method() for method in SEVEN]))
    assert {result.method.title for result in results if result.attribution} == {method.title for method in SEVEN}
    assert len(fresh.trace._functions) == compiled
    assert fresh.traces == 1


def test_a_classifier_that_cannot_answer_everything_is_opened_all_the_same(fresh: Classifier) -> None:
    fresh.layers = ()
    fresh.card = replace(fresh.card, layers=())
    with pytest.raises(Exception, match="no spatial layer"):
        fresh.features(np.zeros((*fresh.size, 3), np.float32), fresh.default_layers, Score(0))
    compile_the_rest(fresh)
