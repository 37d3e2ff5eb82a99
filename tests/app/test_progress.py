"""What is said to be asked at most is what the methods may ask together: only the pool is shared."""

import numpy as np

from app.explain import _expected
from app.explaining import forecast
from app.shelf import Entry
from explainers.case import Case, Settings
from explainers.method import Method
from explainers.methods import METHODS
from explainers.methods.lime import LIME
from explainers.methods.partition_shap import PartitionSHAP
from explainers.methods.shap import SHAP
from explainers.study import study
from models.loading import load
from models.score import Score


def test_partition_shap_asks_on_its_own_and_the_pool_counts_once() -> None:
    classifier = load("glass_box")
    picture = np.random.default_rng(0).random((*classifier.size, 3), np.float32)
    several: list[list[Method]] = [[LIME(), SHAP()], [LIME(), PartitionSHAP()], [method() for method in METHODS]]
    for methods in several:
        case = Case(classifier, picture, Score(0), Settings(preset="Fast"))
        total = _expected(methods, case)
        assert forecast(methods, case, Entry("glass_box", "Glass box")).evaluations == total
        list(study(case, methods))
        assert case.evaluations <= total
    case = Case(classifier, picture, Score(0), Settings(preset="Fast"))
    assert _expected(several[0], case) == case.budget
    assert _expected(several[1], case) == 2 * case.budget
