"""What is compiled when the page has loaded a classifier."""

from dataclasses import replace

import numpy as np
import pytest

from app.service.classifier_registry import ClassifierRegistry
from app.service.evaluation_warmup import compile_remaining_functions, measure_classifier_speed
from explainers.explanation_case import Case, ExplanationSettings
from explainers.method_runner import run_methods
from explainers.methods import SEVEN
from models.classifiers.keras_classifier import KerasClassifier
from models.classifiers.score import Score
from models.graph.engine.choice import InferenceEngine
from models.loading import load_classifier
from models.store import bundled_models
from tests import patience
from tests.patience import PATIENCE


@pytest.fixture
def fresh() -> KerasClassifier:
    found = load_classifier(bundled_models()["glass_box"])
    assert isinstance(found, KerasClassifier)
    return found


def test_the_first_study_compiles_nothing_more(fresh: KerasClassifier) -> None:
    assert min(measure_classifier_speed(fresh)) > 0
    compile_remaining_functions(fresh)
    compiled = fresh.trace.compiled_count
    image = np.random.default_rng(0).random((*fresh.size, 3), np.float32)
    results = list(run_methods(Case(fresh, image, Score(1), ExplanationSettings("Fast")), [method() for method in SEVEN]))
    assert {result.method.title for result in results if result.attribution} == {method.title for method in SEVEN}
    assert fresh.trace.compiled_count == compiled
    assert fresh.traces == 1


def test_what_nobody_waits_for_is_compiled_before_it_is_offered() -> None:
    starts = (ClassifierRegistry(("glass_box",)).start("glass_box", awaited=wanted) for wanted in (False, True))
    unawaited, awaited = (loading.result(PATIENCE).trace.compiled_count for loading in starts)
    assert unawaited == awaited + 2, "masked pictures and the last layer"


def test_a_classifier_that_cannot_answer_everything_is_opened_all_the_same(fresh: KerasClassifier) -> None:
    fresh.layers = ()
    fresh.card = replace(fresh.card, layers=())
    with pytest.raises(Exception, match="no spatial layer"):
        fresh.features(np.zeros((*fresh.size, 3), np.float32), fresh.default_layers, Score(0))
    compile_remaining_functions(fresh)


def test_an_engine_takes_over_once_a_classifier_is_ready() -> None:
    registry = ClassifierRegistry(("glass_box",), engine=InferenceEngine.OPENVINO)
    before = registry.get("glass_box")
    patience.until(lambda: registry.get("glass_box").engine.engine is InferenceEngine.OPENVINO)
    after, grey = registry.get("glass_box"), np.full((1, *before.size, 3), 0.5, np.float32)
    assert before.engine.engine is InferenceEngine.TENSORFLOW, "a run that has begun goes on with it"
    assert after.outputs(grey) == pytest.approx(before.outputs(grey), abs=1e-4)
    assert registry.entry("glass_box").forecasts == {}
